"""What may leave in one release: attacked by a reader who knows the rules and everything that is shown."""

from __future__ import annotations

import pytest
from attackers import is_pinned, ranges
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.disclosure import (
    Reason,
    Teller,
    estimates_may_be_shown,
    is_group,
    shown_count,
    shown_percent,
    shown_table,
)
from outcomes.disclosure.counts import told_cell
from outcomes.disclosure.tables import one_way, tell
from outcomes.errors import UsageError
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
        assert shown.value >= rule.minimum_count
        assert abs(shown.value - count) <= rule.rounding / (
            2 if shown.value > rule.minimum_count + rule.rounding else 1
        )


@given(count=COUNTS, rule=RULES)
def test_the_true_count_lies_in_the_range_that_a_reader_works_out(count, rule):
    cell = told_cell(count, rule)
    assert cell.low <= count <= cell.high
    same = [n for n in range(max(0, count - 30), count + 31) if shown_count(n, rule) == cell.shown(rule)]
    assert cell.low <= min(same) <= max(same) <= cell.high


@given(part=COUNTS, rest=COUNTS, rule=RULES)
def test_a_share_is_withheld_when_the_part_or_its_complement_is_small(part, rest, rule):
    shown = shown_percent(part, part + rest, rule)
    if min(part, rest) < rule.minimum_count:
        assert (shown.value, shown.reason) == (None, Reason.SMALL)
    elif min(part, rest) > 100:
        assert abs(shown.value - 100 * part / (part + rest)) < 100 * rule.rounding / (part + rest) + 0.5


def test_a_share_says_no_more_than_its_rounded_counts():
    assert shown_percent(13, 100, Disclosure()).value == shown_percent(16, 100, Disclosure()).value == 15


def test_a_share_that_rounding_leaves_wide_open_is_not_told():
    assert shown_percent(12, 24, Disclosure(rounding=10)).value is None
    assert shown_percent(120, 240, Disclosure(rounding=10)).value == 50


def test_a_single_small_part_beside_an_exact_total_takes_a_second_part_with_it():
    shown = shown_table([3, 50, 400], Disclosure(minimum_count=10, rounding=1))
    assert [part.reason for part in shown.parts] == [Reason.SMALL, Reason.REVEALING, Reason.SHOWN]


def test_rounding_is_protection_enough_where_it_leaves_a_small_part_between_none_and_many():
    shown = shown_table([3, 50, 400], Disclosure(minimum_count=10, rounding=5))
    assert [part.text for part in shown.parts] == ["fewer than 10", "50", "400"]


def test_rounding_is_not_enough_where_it_proves_that_there_is_somebody():
    shown = shown_table([3, 997], Disclosure(minimum_count=10, rounding=5))  # 1,000 - 995 cannot be nobody
    assert [part.text for part in shown.parts] == ["fewer than 10", "not shown"]


@settings(max_examples=100, deadline=None)
@given(
    counts=st.lists(st.integers(0, 12), min_size=2, max_size=3),
    rule=st.builds(Disclosure, minimum_count=st.integers(3, 8), rounding=st.integers(1, 6)),
)
def test_an_adversary_with_the_whole_table_recovers_no_small_part(counts, rule):
    named = {str(place): count for place, count in enumerate(counts)}
    table = tell(named, one_way(named, "all"), rule)
    found = ranges([table], max(counts) + 2 * rule.minimum_count)
    for (name, _, _), values in found.items():
        assert table.cells[name].count in values
        assert not is_pinned(values, rule.minimum_count)


def test_a_number_of_a_report_says_what_it_is_about():
    telling = Teller(Disclosure())
    with pytest.raises(UsageError, match="about"):
        telling.count("", 20)


def test_two_numbers_cannot_be_about_the_same_thing():
    telling = Teller(Disclosure())
    assert telling.count("clients", 20) == telling.count("clients", 20)
    with pytest.raises(UsageError, match="clients"):
        telling.count("clients", 21)


def test_all_that_a_report_tells_is_kept_with_what_it_is_about():
    telling = Teller(Disclosure())
    telling.count("clients", 203)
    telling.table("endings", {"planned": 40, "dropout": 3})
    telling.percent("missing", 300, 1000)
    telling.cross("wishes", ["wish a little", "wish much"], ["got a little", "got much"], [[40, 50], [60, 70]])
    assert telling.text("Refused: 31 clients.") == "Refused: 30 clients."
    told = telling.told
    assert told.counts["clients"].value == 205
    assert [cell.value for cell in told.counts.values()] == [205, 30]
    assert set(told.tables) == {"endings", "missing", "wishes"}
    assert told.tables["endings"].cells["planned"].value is None  # 43 - 40 would give the small one away
    assert len(told.tables["wishes"].cells) == 9


def test_a_percentile_needs_as_many_people_beyond_it_as_any_count():
    assert not is_group(9, Disclosure())
    assert is_group(10, Disclosure())


def test_a_model_needs_as_many_residual_degrees_of_freedom_as_the_study_says():
    assert not estimates_may_be_shown(15, 6, Disclosure())
    assert estimates_may_be_shown(16, 6, Disclosure())
    assert not estimates_may_be_shown(16, 6, Disclosure(minimum_residual_df=11))
