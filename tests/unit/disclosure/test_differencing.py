"""Releases against each other: a reader who has them all proves of no count, and of no change, that it is small."""

from __future__ import annotations

import numpy as np
import pytest
from attackers import is_pinned, ranges
from cohorts_over_time import sequence, told
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.disclosure.counts import Reason, told_cell
from outcomes.disclosure.reader import revealed
from outcomes.disclosure.tables import tell, view_of
from outcomes.study.settings import Disclosure

RULES = st.builds(Disclosure, minimum_count=st.integers(3, 12), rounding=st.integers(1, 12))
HISTORIES = st.lists(st.integers(0, 60), min_size=2, max_size=12)


def tellings(counts, rule):
    """Cells of one count over releases."""
    cells, values = [], []
    for count in counts:
        cells.append(told_cell(count, rule, values))
        values += [cells[-1].value] if cells[-1].value is not None else []
    return cells


@settings(max_examples=3_000, deadline=None)
@given(HISTORIES, RULES)
def test_no_two_releases_prove_a_small_change_of_a_count(counts, rule):
    cells = tellings(counts, rule)
    for at, later in enumerate(cells):
        for earlier in cells[:at]:
            changes = range(later.low - earlier.high, later.high - earlier.low + 1)
            assert later.count - earlier.count in changes
            assert not is_pinned(changes, rule.minimum_count)


@settings(max_examples=1_000, deadline=None)
@given(HISTORIES, RULES)
def test_no_growing_count_proves_a_small_change_over_all_releases_together(counts, rule):
    cells = tellings(sorted(counts), rule)
    low = np.maximum.accumulate([cell.low for cell in cells])
    high = np.minimum.accumulate([cell.high for cell in cells][::-1])[::-1]
    for at in range(len(cells)):
        assert not is_pinned(range(low[at], high[at] + 1), rule.minimum_count)
        for since in range(at):
            changes = range(max(0, low[at] - high[since]), high[at] - low[since] + 1)
            assert not is_pinned(changes, rule.minimum_count)


@given(HISTORIES, RULES)
def test_a_told_count_is_never_further_from_the_truth_than_one_step_and_one(counts, rule):
    step = -(-max(rule.minimum_count, 5) // rule.rounding) * rule.rounding
    for cell in tellings(counts, rule):
        if cell.value is not None:
            assert abs(cell.value - cell.count) <= step + 1


def test_a_change_under_the_threshold_is_not_told_and_a_larger_one_is():
    values = [cell.value for cell in tellings([203, 212, 214, 215, 9, 205], Disclosure())]
    assert values == [205, 205, 205, 215, None, 205]


def attacked(n_sequences: int, rule: Disclosure, with_ledger: bool, seed: int = 7) -> int:
    """How many sequences of small cohorts a reader who tries every table wins against."""
    rng, won = np.random.default_rng(seed), 0
    for _ in range(n_sequences):
        tables = told(sequence(rng, 2, int(rng.integers(2, 7)), 8, 2.0), rule, with_ledger)
        top = max(cell.count for table in tables for cell in table.cells.values()) + rule.minimum_count
        found = ranges(tables, top)
        for (name, since, at), values in found.items():
            true = tables[at].cells[name].count - (0 if since is None else tables[since].cells[name].count)
            assert true in values
        won += any(is_pinned(values, rule.minimum_count) for values in found.values())
    return won


@pytest.mark.parametrize("rounding", [1, 2, 3])
def test_a_reader_who_tries_every_table_wins_nothing_against_the_ledger(rounding):
    assert attacked(60, Disclosure(minimum_count=4, rounding=rounding), with_ledger=True) == 0


@pytest.mark.parametrize("rounding", [1, 2, 3])
def test_without_the_ledger_the_same_reader_wins(rounding):
    won = attacked(60, Disclosure(minimum_count=4, rounding=rounding), with_ledger=False)
    assert won > 6, "the attack has no teeth"


def programmed(n_sequences: int, rule: Disclosure, with_ledger: bool, seed: int = 11) -> int:
    """The same with integer programmes, for cohorts of a study's size."""
    rng, won = np.random.default_rng(seed), 0
    for _ in range(n_sequences):
        tables = told(sequence(rng, int(rng.integers(2, 5)), int(rng.integers(2, 8)), 80, 6.0), rule, with_ledger)
        won += bool(revealed(view_of(tables), rule.minimum_count))
    return won


@pytest.mark.parametrize("rule", [Disclosure(), Disclosure(rounding=1), Disclosure(minimum_count=5)], ids=str)
def test_integer_programmes_over_all_releases_win_nothing_against_the_ledger_and_much_without(rule):
    assert programmed(12, rule, with_ledger=True) == 0
    assert programmed(12, rule, with_ledger=False) > 0


@pytest.mark.slow
def test_thousands_of_sequences_give_nothing_away():
    for rounding in (1, 2, 3):
        rule = Disclosure(minimum_count=4, rounding=rounding)
        assert attacked(1_000, rule, with_ledger=True, seed=rounding) == 0
    assert programmed(300, Disclosure(), with_ledger=True, seed=5) == 0


def test_most_numbers_of_a_growing_study_are_still_told():
    rng, open_cells, cells = np.random.default_rng(3), 0, 0
    for _ in range(10):
        for table in told(sequence(rng, 4, 8, 200, 8.0), Disclosure()):
            large = [cell for cell in table.cells.values() if cell.count >= 10]
            open_cells, cells = open_cells + sum(cell.reason is Reason.SHOWN for cell in large), cells + len(large)
    assert open_cells / cells > 0.9


def test_a_number_that_was_told_by_itself_and_is_a_sum_now_breaks_no_later_telling():
    """Outcomes come with a seal: a model's own number of sessions then, those of the flow less some left out now."""
    rule = Disclosure()
    sealed = tell({"left out": 2048, "kept": 0, "model": 1820}, {"all": {"left out": 1, "kept": 1}}, rule)
    assert (sealed.cells["all"].value, sealed.cells["model"].value) == (2050, 1820)
    opened = tell(
        {"left out": 21, "kept": 2027, "lacks an ending": 23},
        {"all": {"left out": 1, "kept": 1}, "model": {"kept": 1, "lacks an ending": -1}},
        rule,
        [sealed],
    )
    assert opened.cells["all"].value == 2050
    assert opened.cells["model"].count == 2004
    assert revealed(view_of([opened]), rule.minimum_count) == ()
