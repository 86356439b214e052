"""What may leave: attacked by a reader who knows the rules and everything that is shown."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.disclosure import (
    AMBIGUITY,
    Reason,
    estimates_may_be_shown,
    feasible,
    percentile_may_be_shown,
    shown_count,
    shown_percent,
    shown_table,
)
from outcomes.study.settings import Disclosure

RULES = st.builds(
    Disclosure, minimum_count=st.integers(3, 12), rounding=st.integers(1, 10), minimum_therapists=st.just(10)
)
COUNTS = st.integers(0, 5_000)


@given(count=COUNTS, rule=RULES)
def test_a_count_under_the_threshold_shows_nothing_but_the_threshold(count, rule):
    shown = shown_count(count, rule)
    if count < rule.minimum_count:
        assert shown.value is None
        assert shown.text == f"fewer than {rule.minimum_count}"
    else:
        assert shown.value % rule.rounding == 0
        assert abs(shown.value - count) <= rule.rounding / 2


@given(count=COUNTS, rule=RULES)
def test_the_true_count_lies_in_the_range_that_a_reader_works_out(count, rule):
    shown = shown_count(count, rule)
    if shown.value is not None:
        lowest, highest = feasible(shown.value, rule)
        assert lowest <= count <= highest


@given(part=COUNTS, rest=COUNTS, rule=RULES)
def test_a_share_is_withheld_when_the_part_or_its_complement_is_small(part, rest, rule):
    shown = shown_percent(part, part + rest, rule)
    assert (shown.value is None) == (min(part, rest) < rule.minimum_count)


def test_a_share_says_no_more_than_its_rounded_counts():
    assert shown_percent(13, 100, Disclosure()).value == shown_percent(16, 100, Disclosure()).value == 15


def test_a_single_small_part_beside_an_exact_total_takes_a_second_part_with_it():
    shown = shown_table([3, 50, 400], Disclosure(minimum_count=10, rounding=1))
    assert [part.reason for part in shown.parts] == [Reason.SMALL, Reason.REVEALING, Reason.SHOWN]


def test_rounding_is_protection_enough_for_a_small_part_of_a_large_total():
    shown = shown_table([3, 997], Disclosure(minimum_count=10, rounding=5))
    assert [part.text for part in shown.parts] == ["fewer than 10", "995"]


@settings(max_examples=200, deadline=None)
@given(
    counts=st.lists(st.integers(0, 30), min_size=2, max_size=4),
    rule=st.builds(Disclosure, minimum_count=st.integers(3, 8), rounding=st.integers(1, 6)),
)
def test_an_adversary_with_the_whole_table_recovers_no_small_part(counts, rule):
    table = shown_table(counts, rule)
    if table.total.value is None:
        assert all(part.value is None for part in table.parts)
        return
    shown = table.parts
    total_lowest, total_highest = feasible(table.total.value, rule)
    ranges = []
    for part in shown:
        if part.value is not None:
            lowest, highest = feasible(part.value, rule)
        elif part.reason is Reason.SMALL:
            lowest, highest = 0, rule.minimum_count - 1
        else:
            lowest, highest = 0, total_highest
        ranges.append(range(lowest, highest + 1))
    possible = [set() for _ in counts]
    for tables in product(*ranges):
        if total_lowest <= sum(tables) <= total_highest:
            for place, value in enumerate(tables):
                possible[place].add(value)
    for count, part, values in zip(counts, shown, possible, strict=True):
        assert count in values
        if part.reason is Reason.SMALL:
            assert len(values) >= min(AMBIGUITY, rule.minimum_count)


def test_a_percentile_needs_as_many_people_beyond_it_as_any_count():
    assert not percentile_may_be_shown(9, Disclosure())
    assert percentile_may_be_shown(10, Disclosure())


def test_a_model_needs_ten_residual_degrees_of_freedom():
    assert not estimates_may_be_shown(15, 6)
    assert estimates_may_be_shown(16, 6)
