from __future__ import annotations

import re

import numpy as np

from outcomes.simulate.world.pseudonyms import pseudonyms


def test_pseudonyms_are_distinct_and_look_alike():
    names = pseudonyms("c", 200_000, np.random.default_rng(1))
    assert names.n_unique() == 200_000
    assert names.str.contains(r"^c[0-9]([a-z][0-9]){4}$").all()


def test_pseudonyms_hold_no_run_of_digits_and_no_run_of_letters():
    names = pseudonyms("t", 10_000, np.random.default_rng(2))
    assert not any(re.search(r"\d\d|[a-z][a-z]", name) for name in names)


def test_pseudonyms_do_not_tell_the_order():
    names = pseudonyms("e", 5_000, np.random.default_rng(3))
    ranks = names.rank().to_numpy()
    # 5,000 independent ranks: standard error of the correlation 0.014.
    assert abs(np.corrcoef(ranks, np.arange(5_000))[0, 1]) < 0.06
    steps = np.diff(ranks)
    assert len(np.unique(steps)) > 3_000
