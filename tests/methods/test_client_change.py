from __future__ import annotations

import numpy as np
import pytest

from outcomes.errors import UsageError
from outcomes.scoring.reliable_change import (
    ChangeClass,
    classify_change,
    clinical_cutoff,
    known_change,
    reliable_change_index,
    reliable_change_threshold,
)


def test_the_index_is_the_example_of_jacobson_and_truax():
    # Jacobson & Truax 1991: 47.5 to 32.5, SD 7.5, reliability .80: standard error of the difference 4.74, RC -3.16.
    assert reliable_change_index([47.5], [32.5], 7.5, 0.80) == pytest.approx([-3.16], abs=5e-3)


def test_a_change_of_exactly_the_threshold_has_an_index_of_1_96():
    threshold = reliable_change_threshold(7.5, 0.80)
    assert reliable_change_index([0.0], [threshold], 7.5, 0.80) == pytest.approx([1.959964], abs=1e-6)


def test_pure_measurement_error_passes_the_threshold_in_one_client_of_twenty():
    rng = np.random.default_rng(1)
    true = rng.normal(0, np.sqrt(0.8), 200_000)
    before, after = true + rng.normal(0, np.sqrt(0.2), (2, 200_000))
    assert np.mean(np.abs(reliable_change_index(before, after, 1.0, 0.8)) > 1.96) == pytest.approx(0.05, abs=0.002)


def test_the_cutoff_with_equal_spread_is_halfway():
    assert clinical_cutoff(40, 7.5, 60, 7.5) == pytest.approx(50)


def test_with_unequal_spread_the_cutoff_is_equally_unlikely_in_both_populations():
    cutoff = clinical_cutoff(20, 6, 5, 3)
    assert (20 - cutoff) / 6 == pytest.approx((cutoff - 5) / 3)


def test_each_kind_of_change_has_its_class():
    before = [20, 20, 20, 20, np.nan, 8, 20]
    after = [8, 14, 15, 26, 10, 1, 11]
    expected = [
        ChangeClass.RECOVERED,
        ChangeClass.IMPROVED,
        ChangeClass.UNCHANGED,
        ChangeClass.DETERIORATED,
        ChangeClass.MISSING,
        ChangeClass.IMPROVED,  # was never on the clinical side
        ChangeClass.IMPROVED,  # ends at the cutoff, which is clinical
    ]
    assert classify_change(before, after, threshold=6, cutoff=11).tolist() == expected


def test_where_higher_is_better_the_classes_turn_round():
    ours = classify_change([20, 30], [30, 20], threshold=5, cutoff=25, is_higher_better=True)
    assert ours.tolist() == [ChangeClass.RECOVERED, ChangeClass.DETERIORATED]


def test_perfect_reliability_and_negative_thresholds_are_refused():
    with pytest.raises(UsageError, match="reliability"):
        reliable_change_index([1], [2], 1.0, 1.0)
    with pytest.raises(UsageError, match="threshold"):
        classify_change([1], [2], threshold=0, cutoff=1)


def test_a_studys_own_spread_goes_before_a_published_change_which_goes_before_the_registrys_spread():
    assert known_change(None, None, is_own=False) == (None, None)
    assert known_change(None, 6, is_own=False) == (None, 6)
    assert known_change((7.5, 0.8), 6, is_own=False) == (pytest.approx(4.743416), 6)
    assert known_change((7.5, 0.8), 6, is_own=True) == (pytest.approx(4.743416), pytest.approx(9.296926))
    assert known_change((7.5, 0.8), None, is_own=False)[1] == pytest.approx(9.296926)
