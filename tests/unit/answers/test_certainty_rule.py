"""The rule behind each certainty: a truth table, and what must hold for every combination of states."""

from __future__ import annotations

import itertools

import duckdb
import pytest
from planted_answers import plant_answers

from outcomes.answers.certainty.grounds import Release
from outcomes.answers.certainty.rule import (
    TAKEN_AWAY,
    Agreement,
    Ground,
    IntervalState,
    RecoveryState,
    SealingState,
    certainty,
    taken_away,
)
from outcomes.answers.certainty.run import _far, _spread_low
from outcomes.answers.common.words import Certainty
from outcomes.answers.contrasts.tables import DROPOUT, ContrastBy, ContrastQuantity

SPEC = """
    interval | recovery | missing | analyses | responsiveness | sealing | certainty
    decided | can answer | the same | the same | the same | fixed beforehand | high
    decided | can answer | does not apply | does not apply | does not apply | fixed beforehand | high
    decided | can answer | the same | the same | the same | not fixed beforehand | moderate
    decided | can answer only large effects | the same | the same | the same | fixed beforehand | moderate
    decided | not tried | the same | the same | the same | fixed beforehand | moderate
    decided | can answer | another | the same | the same | fixed beforehand | moderate
    decided | can answer | the same | another | the same | fixed beforehand | moderate
    decided | can answer | the same | the same | another | fixed beforehand | very low
    decided | cannot answer | the same | the same | the same | fixed beforehand | low
    decided | finds few of the usual effects | the same | the same | the same | fixed beforehand | moderate
    decided | finds few of the usual effects | not tried | not tried | not tried | not fixed beforehand | low
    open | finds few of the usual effects | the same | the same | the same | fixed beforehand | very low
    decided | can answer | another | another | the same | fixed beforehand | low
    decided | can answer | not tried | not tried | not tried | not fixed beforehand | low
    decided | can answer only large effects | not tried | not tried | not tried | not fixed beforehand | low
    decided | cannot answer | another | another | another | not fixed beforehand | very low
    decided | cannot answer | not tried | not tried | not tried | fixed beforehand | very low
    open | can answer | the same | the same | the same | fixed beforehand | very low
    no number | can answer | the same | the same | the same | fixed beforehand | very low
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in SPEC.strip().splitlines()[1:]]
STATES = (IntervalState, RecoveryState, Agreement, Agreement, Agreement, SealingState)


def grounds(*states):
    return dict(zip(Ground, (kind(state) for kind, state in zip(STATES, states, strict=True)), strict=True))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " / ".join(row))
def test_the_certainty_is_that_of_the_truth_table(row):
    assert certainty(grounds(*row[:-1])) == row[-1]


def test_every_state_of_every_ground_is_in_the_rule_and_every_combination_has_a_word():
    for ground, kind in zip(Ground, STATES, strict=True):
        assert set(TAKEN_AWAY[ground]) == set(kind)
    for states in itertools.product(*STATES):
        assert certainty(dict(zip(Ground, states, strict=True))) in Certainty


def test_what_takes_more_away_never_makes_a_finding_surer():
    order = list(Certainty)
    for states in itertools.product(*STATES):
        before = dict(zip(Ground, states, strict=True))
        for ground in Ground:
            for other in TAKEN_AWAY[ground]:
                after = before | {ground: other}
                if taken_away(after) >= taken_away(before):
                    assert order.index(certainty(after)) >= order.index(certainty(before))


def test_a_ground_that_is_not_given_is_an_error_and_not_a_good_mark():
    with pytest.raises(KeyError):
        certainty({Ground.INTERVAL: IntervalState.DECIDED})


@pytest.fixture
def release():
    with duckdb.connect() as con:
        yield Release(con)


def test_a_release_without_tables_has_nothing_decided_and_nothing_tried(release):
    assert release.rows("verdicts") == []
    assert release.recovery("slope within client") is RecoveryState.NOT_TRIED
    assert release.multiverse() is Agreement.NOT_TRIED
    assert release.sealing() is SealingState.EXPLORATORY


@pytest.mark.parametrize(
    ("intervals", "worth", "state"),
    [
        ([], None, IntervalState.NONE),
        ([(0.1, 0.2, "converged")], None, IntervalState.DECIDED),
        ([(-0.1, 0.2, "converged")], None, IntervalState.OPEN),
        ([(-0.01, 0.02, "converged")], 0.05, IntervalState.DECIDED),
        ([(-0.01, 0.06, "converged")], 0.05, IntervalState.OPEN),
        ([(0.1, 0.2, "singular")], None, IntervalState.NONE),
        ([(None, 0.2, "converged")], None, IntervalState.NONE),
        ([(-0.1, 0.2, "converged"), (0.1, 0.2, "converged")], None, IntervalState.DECIDED),
    ],
)
def test_what_an_interval_decides(release, intervals, worth, state):
    rows = [dict(zip(("conf_low", "conf_high", "status"), one, strict=True)) for one in intervals]
    assert release.of_intervals(rows, worth) is state


@pytest.mark.parametrize(
    ("p_values", "state"),
    [((0.04, 0.6), IntervalState.OPEN), ((0.6, 0.02), IntervalState.DECIDED), ((0.04, None), IntervalState.OPEN)],
)
def test_two_sides_that_are_asked_together_are_no_surer_than_one(release, p_values, state):
    intervals = {True: (0.01, 0.2), False: (-0.1, 0.2)}
    rows = []
    for p in p_values:
        low, high = intervals[p is not None and p < 0.05]
        rows.append({"conf_low": low, "conf_high": high, "p_value": p, "status": "converged"})
    assert release.of_intervals(rows, chances=2) is state


@pytest.mark.parametrize(
    ("told", "held", "state"),
    [
        ({-4: 1, 4: 1}, {}, Agreement.NOT_TRIED),
        ({-4: 1, 4: 1}, {-4: 0, 4: 1}, Agreement.SAME),
        ({-4: 0, 4: 1}, {-4: 1, 4: 0}, Agreement.ANOTHER),
        ({-4: 0, 4: 1}, {-4: 0, 4: -1}, Agreement.ANOTHER),
        ({-4: 0, 4: 0}, {-4: 0, 4: 0}, Agreement.SAME),
        ({-4: 0, 4: 0}, {-4: 0, 4: 1}, Agreement.ANOTHER),
    ],
)
def test_a_difference_stands_where_one_side_of_it_does(release, told, held, state):
    rows = [
        [
            {"points": at, "conf_low": side - 0.5, "conf_high": side + 0.5, "status": "converged"}
            for at, side in one.items()
        ]
        for one in (told, held)
    ]
    assert release.stands(*rows) is state


def test_a_distance_is_judged_by_the_farthest_difference_told_on_either_side(release):
    release.con.execute(
        f"""create table {DROPOUT.name} as
        select '{ContrastBy.DISTANCE}' as contrast, '{ContrastQuantity.DIFFERENCE}' as quantity, * from (values
            (-4.0, 8, 0.1), (-2.0, 8, 0.05), (2.0, 8, 0.02), (4.0, 8, null), (-4.0, 3, 0.3)
        ) as t (points, session, conf_low)"""
    )
    assert [(row["points"], row["session"]) for row in _far(release, DROPOUT)] == [(-4.0, 8), (2.0, 8)]


@pytest.mark.parametrize(("low", "counts_as"), [(0.001, 0.0), (0.2, 0.2), (None, None)])
def test_a_spread_whose_interval_begins_next_to_zero_may_be_none(low, counts_as):
    assert _spread_low({"conf_low": low, "estimate": 0.3}) == counts_as


@pytest.mark.parametrize(
    ("little", "much", "state"),
    [
        (("can answer", 1.0), ("can answer", 1.0), RecoveryState.YES),
        (("can answer", 1.0), ("can answer only large effects", 1.0), RecoveryState.LARGE),
        (("can answer only large effects", 0.99), ("cannot answer", 0.7), RecoveryState.NO),
        (("can answer", 0.99), ("cannot answer", 0.99), RecoveryState.FEW),
        (("cannot answer", None), ("can answer", 0.99), RecoveryState.NO),
        (("can answer", 1.0), None, RecoveryState.NOT_TRIED),
    ],
)
def test_a_finding_of_two_sides_is_as_sure_as_the_side_that_simulations_find_worse(release, little, much, state):
    cards = [(name, *card) for name, card in (("too little", little), ("too much", much)) if card]
    release.con.execute("create table recovery_cards (estimator varchar, answer varchar, coverage_high double)")
    release.con.executemany("insert into recovery_cards values (?, ?, ?)", cards)
    assert release.recovery("too little", "too much") is state


@pytest.mark.parametrize(
    ("model", "verdict", "own_slope", "mixed_slope", "slope_state", "distance_state"),
    [
        ("mixed model", "monotone", None, None, Agreement.NOT_TRIED, Agreement.NOT_TRIED),
        ("dynamic model", "no_effect", (-0.04, 0.01), (-0.1, -0.05), Agreement.ANOTHER, Agreement.ANOTHER),
        ("dynamic model", "no_effect", (0.01, 0.02), (0.01, 0.03), Agreement.ANOTHER, Agreement.ANOTHER),
        ("dynamic model", "fit", (0.1, 0.2), None, Agreement.SAME, Agreement.SAME),
        ("dynamic model", "fit", (0.1, 0.2), (0.05, 0.15), Agreement.SAME, Agreement.SAME),
        ("dynamic model", "fit", (-0.1, 0.1), (0.05, 0.15), Agreement.ANOTHER, Agreement.SAME),
        ("dynamic model", "monotone", (0.1, 0.2), (-0.2, -0.1), Agreement.ANOTHER, Agreement.SAME),
    ],
)
def test_a_link_that_therapists_responses_explain_is_not_called_the_same(
    release, model, verdict, own_slope, mixed_slope, slope_state, distance_state
):
    at = ("satisfaction", "session")
    release.con.execute("create table verdicts (outcome varchar, level varchar, model varchar, verdict varchar)")
    release.con.execute("insert into verdicts values (?, ?, ?, ?)", [*at, model, verdict])
    release.con.execute(
        "create table balance_evidence (outcome varchar, level varchar, quantity varchar, conf_low double, "
        "conf_high double, status varchar)"
    )
    for name, slope in (("dynamic model", own_slope), ("mixed model", mixed_slope)):
        if slope:
            row = [*at, f"same-session slope: {name}", *slope, "converged"]
            release.con.execute("insert into balance_evidence values (?, ?, ?, ?, ?, ?)", row)
    assert release.link_with_responses(is_slope=True) is slope_state
    assert release.link_with_responses(is_slope=False) is distance_state


@pytest.mark.parametrize(
    ("table", "finding"),
    [
        ("contrasts_dropout", "distance from the preference and dropout"),
        ("contrasts_satisfaction", "distance from the preference and satisfaction"),
    ],
)
def test_differences_by_distance_have_the_certainty_of_their_finding_and_other_rows_none(tmp_path, table, finding):
    plant_answers(tmp_path)
    with duckdb.connect(str(tmp_path / "outcomes.duckdb")) as con:
        ((rated,),) = con.execute("select certainty from certainties where finding = ?", [finding]).fetchall()
        is_difference = "contrast like 'distance%' and quantity = 'difference' and status = 'converged'"
        found = con.sql(f"select {is_difference} as rated, array_agg(distinct certainty) from {table} group by all")
        assert dict(found.fetchall()) == {True: [rated], False: [None]}
