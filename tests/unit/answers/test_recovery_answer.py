"""Recovery cards: what they count, when they say that data can answer, and that they are made once for a size."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from answer_cohorts import SETTINGS, database, is_described

from outcomes.answers.common.simulated import built
from outcomes.answers.recovery import run as recovery
from outcomes.answers.recovery.cards import (
    ESTIMATORS,
    VERDICTS,
    Estimator,
    Simulated,
    Yardstick,
    card,
    verdict_card,
)
from outcomes.answers.recovery.cohort import try_cohort
from outcomes.answers.recovery.distances import dropout_distances, satisfaction_distances, true_distances
from outcomes.answers.recovery.quotes import READ, Quote, quotes
from outcomes.answers.recovery.tables import CARDS, CanAnswer, EstimatorName
from outcomes.answers.recovery.world import MAX_CLIENTS, StudySize, measure, world_of
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters, Truth, simulate_cohort, slope_truth
from outcomes.simulate.world.contrasts import contrasts_record
from outcomes.study.settings import DropoutDefinition, Recovery

TRUTH = 0.3
SLOPE = Estimator("slope", "Is there a slope?", "points", Yardstick(0.1, 0.2, "x", "y"), lambda known: known["slope"])
POSITIVE = frozenset({"fit", "best_level", "monotone"})


def cohorts(error: float, bias: float = 0.0, n: int = 400, refused: int = 0) -> list[dict[str, Quote]]:
    """Estimates around TRUTH + bias with this standard error, and their Wald intervals."""
    values = np.random.default_rng(1).normal(TRUTH + bias, error, n)
    made = [
        Quote("slope", value, error, value - 1.96 * error, value + 1.96 * error, abs(value) > 1.96 * error)
        for value in values.tolist()
    ]
    return [{"slope": quote} for quote in made[refused:]] + [{}] * refused


def found(small: list, **changes: object) -> Simulated:
    return replace(Simulated(small, [], {"slope": TRUTH}, {"x": 2.0, "y": 4.0}), **changes)


def test_bias_coverage_and_power_are_those_of_the_cohorts():
    made = card(SLOPE, found(cohorts(error=0.1, bias=0.05)))
    assert made.bias == pytest.approx(0.05, abs=3 * 0.1 / 20)
    assert made.bias_mc_error == pytest.approx(0.1 / 20, rel=0.1)
    # a normal estimate half a standard error off: Phi(1.46) - Phi(-2.46); found where it is over 1.96: Phi(1.54)
    assert made.coverage == pytest.approx(0.921, abs=0.03)
    assert made.power == pytest.approx(0.938, abs=0.03)
    assert made.coverage_low < made.coverage < made.coverage_high
    assert made.power_low < made.power < made.power_high


def test_yardsticks_are_in_the_units_of_the_estimate_and_the_smallest_effect_is_2_8_errors():
    made = card(SLOPE, found(cohorts(error=0.05)))
    assert (made.effect_worth_finding, made.large_effect) == (pytest.approx(0.2), pytest.approx(0.4))
    assert made.smallest_effect == pytest.approx(0.14)


@pytest.mark.parametrize(
    ("error", "bias", "answer"),
    [
        (0.05, 0.0, CanAnswer.YES),  # 0.14 is under 0.2
        (0.10, 0.0, CanAnswer.LARGE),  # 0.28 is under 0.4
        (0.20, 0.0, CanAnswer.NO),
        (0.065, 0.05, CanAnswer.LARGE),  # 0.18 would do, but for the bias
    ],
)
def test_data_can_answer_where_an_effect_worth_finding_stands_out(error, bias, answer):
    assert card(SLOPE, found(cohorts(error, bias))).answer is answer


def test_intervals_that_miss_the_truth_cannot_answer_however_narrow():
    made = card(SLOPE, found(cohorts(error=0.02, bias=0.05)))
    assert made.answer is CanAnswer.NO
    assert "miss the truth" in made.reason


def test_what_is_refused_in_more_than_a_fifth_of_the_cohorts_is_refused_in_words():
    assert card(SLOPE, found(cohorts(0.05, n=10, refused=2))).status == "converged"
    made = card(SLOPE, found(cohorts(0.05, n=10, refused=3)))
    assert (made.status, made.answer, made.bias, made.coverage) == ("refused", CanAnswer.NO, None, None)
    assert "too few" in made.reason


def test_there_is_no_power_where_there_is_no_effect():
    made = card(replace(SLOPE, truth=lambda known: 0.0), found(cohorts(0.05, bias=-TRUTH)))
    assert made.power is None
    assert made.coverage == pytest.approx(0.95, abs=0.03)


def test_a_truth_without_closed_form_is_what_very_large_cohorts_find_and_its_error_counts():
    large = [{"slope": Quote("slope", TRUTH + shift, 0.02, 0.0, 1.0, True)} for shift in (-0.01, 0.01)]
    made = card(replace(SLOPE, truth=None), found(cohorts(0.1), large=large))
    assert made.truth == pytest.approx(TRUTH)
    assert made.bias_mc_error == pytest.approx(math.hypot(0.1 / 20, 0.02 / math.sqrt(2)), rel=0.1)


@pytest.mark.parametrize(
    ("in_null", "in_fit", "answer"),
    [
        (["no_effect"] * 10 + ["undecided"] * 10, ["fit"] * 18 + ["undecided"] * 2, CanAnswer.YES),
        (["no_effect"] * 20, ["fit"] * 12 + ["undecided"] * 8, CanAnswer.LARGE),
        (["undecided"] * 20, ["undecided"] * 20, CanAnswer.NO),
        (["best_level"] * 10 + ["no_effect"] * 10, ["fit"] * 20, CanAnswer.NO),
    ],
)
def test_a_verdict_answers_where_it_is_right_with_fit_and_silent_without_effect(in_null, in_fit, answer):
    made = verdict_card("verdict on satisfaction", in_null, in_fit, POSITIVE)
    assert made.answer is answer
    assert made.power == in_fit.count("fit") / 20


def test_a_study_that_grows_by_two_percent_keeps_its_size():
    assert StudySize(1062, 57, 6.93, 0.213).rounded == StudySize(1083, 57, 6.91, 0.214).rounded
    assert StudySize(1062, 57, 6.93, 0.213).rounded == StudySize(1100, 57, 6.9, 0.21)
    assert math.isnan(StudySize(10, 2, 3.0, math.nan).rounded.dropout_prop)


def test_a_large_study_is_simulated_smaller_with_as_many_clients_for_each_therapist():
    capped = StudySize(30_000, 1_200, 7.0, 0.2).capped
    assert (capped.clients, capped.therapists) == (MAX_CLIENTS, 120)


@pytest.mark.parametrize("size", [StudySize(600, 30, 4.0, 0.40), StudySize(600, 30, 10.0, 0.15)])
def test_the_simulated_world_has_the_studys_course_length_and_share_of_dropout(size):
    with built(simulate_cohort(world_of(size, SETTINGS), 77), SETTINGS) as con:
        got = measure(con, SETTINGS)
    assert got.therapists == size.therapists
    assert got.sessions_per_client == pytest.approx(size.sessions_per_client, rel=0.12)
    assert got.dropout_prop == pytest.approx(size.dropout_prop, abs=0.06)


def test_a_cohort_whose_other_tables_are_left_out_has_the_same_rows_in_those_that_are_read():
    cohort = simulate_cohort(CohortParameters(clients=80, therapists=8), 3)
    with built(cohort, SETTINGS) as whole, built(cohort, SETTINGS, READ) as part:
        for name in READ:
            assert part.table(name).pl().equals(whole.table(name).pl())
        made = {name for (name,) in part.sql("select table_name from duckdb_tables() where not internal").fetchall()}
    assert "mart_participant_flow" not in made
    assert set(READ) <= made


def test_everything_that_has_a_card_is_quoted_by_a_cohort_large_enough():
    with built(simulate_cohort(CohortParameters(clients=1_200, therapists=60), 1), SETTINGS, READ) as con:
        told = quotes(con, SETTINGS)
    assert [quote.estimator for quote in told if quote.is_refused] == []
    assert sorted(quote.estimator for quote in told) == sorted(estimator.name for estimator in ESTIMATORS)
    assert all(quote.conf_low <= quote.estimate <= quote.conf_high for quote in told)


def test_differences_by_distance_are_judged_by_what_the_generator_says_is_true():
    world = CohortParameters(clients=3_000, therapists=150)
    true = true_distances(world, SETTINGS.dropout.definition)
    records = {row["points"]: row for row in contrasts_record(world)["rows"] if row["by"] == "distance"}
    risk = {points: row["dropout_risk"]["8"] for points, row in records.items()}
    assert true[EstimatorName.TOO_MUCH_DROPOUT] == pytest.approx(risk[2.0] - risk[0.0])
    assert true[EstimatorName.TOO_LITTLE_DROPOUT] == pytest.approx(risk[-2.0] - risk[0.0])
    with database(world) as con:
        told = [*dropout_distances(con, SETTINGS), *satisfaction_distances(con, SETTINGS)]
    assert {quote.estimator for quote in told} == set(true)
    for quote in told:
        assert quote.estimate == pytest.approx(true[quote.estimator], abs=4 * quote.std_error)
        assert 0 < quote.std_error < 0.08


def test_a_risk_that_the_generator_does_not_draw_is_judged_by_very_large_cohorts():
    true = true_distances(CohortParameters(), DropoutDefinition.COUNT_4)
    assert math.isnan(true[EstimatorName.TOO_MUCH_DROPOUT])
    assert true[EstimatorName.TOO_LITTLE_SATISFACTION] < 0
    large = [{"slope": Quote("slope", 0.25, 0.01, 0.23, 0.27, True)}] * 2
    made = card(SLOPE, found(cohorts(error=0.05), known={"slope": math.nan}, large=large))
    assert made.truth == 0.25


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A study of 40 clients, and its settings."""
    memory = tmp_path_factory.mktemp("study") / recovery.MEMORY
    settings = SETTINGS.model_copy(update={"recovery": Recovery(cohorts=2)})
    with database(CohortParameters(clients=40, therapists=12)) as con:
        return memory, settings, recovery.run(con, settings, memory)[CARDS.name]


def test_a_study_of_forty_clients_gets_refusals_in_words_and_no_number(small):
    _, _, table = small
    assert is_described(CARDS.name, table)
    assert set(table["answer"]) == {"cannot answer"}
    assert set(table["status"]) == {"refused"}
    assert table["smallest_effect"].null_count() == table.height == len(ESTIMATORS) + len(VERDICTS)
    assert all("too few" in reason for reason in table["reason"])


def test_cards_of_the_same_size_are_found_again_and_not_simulated(small, monkeypatch):
    memory, settings, table = small

    def never(*_):
        raise AssertionError("simulated again")

    monkeypatch.setattr(recovery, "simulated_cards", never)
    with database(CohortParameters(clients=40, therapists=12)) as con:
        assert recovery.run(con, settings, memory)[CARDS.name].equals(table)
        other = settings.model_copy(update={"recovery": Recovery(cohorts=3)})
        with pytest.raises(AssertionError, match="simulated again"):
            recovery.run(con, other, memory)


def test_what_the_study_did_not_rate_it_cannot_answer(small):
    memory, settings, _ = small
    with database(CohortParameters(clients=40, therapists=12)) as con:
        con.execute("update mart_session_directiveness set alliance_score = null")
        table = recovery.run(con, settings, memory)[CARDS.name]
        con.execute("delete from core_dropout_labels")
        without = recovery.run(con, settings, memory)[CARDS.name]
    reason = table.row(by_predicate=pl.col("estimator") == "alliance as the path", named=True)["reason"]
    assert "does not have the ratings" in reason
    assert not table["reason"].str.contains("No endings").any()
    reasons = dict(without.select("estimator", "reason").iter_rows())
    for name in ("dropout and usual guidance so far", "verdict on dropout", "median odds ratio of dropout"):
        assert reasons[name].startswith("No endings are recorded in these data")


def test_processes_try_the_cohorts_that_this_process_would_and_seeds_decide_them(monkeypatch):
    monkeypatch.setattr(recovery, "LARGE_CLIENTS", 60)
    settings = SETTINGS.model_copy(update={"recovery": Recovery(cohorts=2)})
    size = StudySize(60, 12, 7.0, 0.2)
    made = {one.estimator: one for one in recovery.simulated_cards(size, settings)}
    world = world_of(size, settings)
    tried = [try_cohort(world, seed, SETTINGS.disclosure, SETTINGS.dropout, slope_truth(world)) for seed in (1, 2)]
    name = "slope between clients"
    estimates = [one.quotes[name].estimate for one in tried]
    own = made[name]
    assert own.n_cohorts == 2
    assert own.truth == pytest.approx(np.mean([one.slopes["client"] for one in tried]), rel=1e-12)
    assert own.truth + own.bias == pytest.approx(np.mean(estimates), rel=1e-9)
    assert made["verdict on satisfaction"].status == "refused"  # a verdict needs a hundred clients


def test_where_another_cohorts_search_ended_is_a_start_and_no_more():
    world = world_of(StudySize(160, 16, 9.0, 0.2), SETTINGS)
    given = (SETTINGS.disclosure, SETTINGS.dropout, slope_truth(world))
    all_quotes = frozenset(one.name for one in ESTIMATORS)
    first, alone = (try_cohort(world, seed, *given, all_quotes) for seed in (1, 2))
    from_there = try_cohort(world, 2, *given, all_quotes, first.ends)
    assert set(first.ends) == set(alone.ends) == {Truth.NO_EFFECT, Truth.FIT}
    assert from_there.verdicts == alone.verdicts
    for truth, end in from_there.ends.items():
        assert end.n_evaluations < alone.ends[truth].n_evaluations
        assert end.value == pytest.approx(alone.ends[truth].value, abs=1e-6)


def test_a_study_that_wants_no_simulation_is_told_so():
    settings = SETTINGS.model_copy(update={"recovery": Recovery(cohorts=0)})
    with database(CohortParameters(clients=40, therapists=12)) as con, pytest.raises(FitRefused, match="no simulation"):
        recovery.run(con, settings)
