"""Guidance at three levels and over time, on cohorts whose slopes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from answer_cohorts import (
    SETTINGS,
    database,
    every_estimate_has_its_interval_and_state,
    is_described,
    only,
)

from outcomes.answers.common.simulated import built
from outcomes.answers.guidance import run as guidance
from outcomes.answers.guidance.tables import EFFECTS, GuidanceModel, GuidanceQuestion
from outcomes.errors import FitRefused
from outcomes.methods.inference.reliability import departure_reliability
from outcomes.mixed import FitStatus
from outcomes.scoring.agreement import reliability_of_means
from outcomes.simulate import CohortParameters, simulate_cohort, slope_truth

PARAMETERS = CohortParameters(clients=700, therapists=40)


@pytest.fixture(scope="module")
def answered():
    with database(PARAMETERS) as con:
        yield guidance.run(con, SETTINGS)[EFFECTS.name], con


def test_the_slopes_within_and_between_clients_are_those_of_the_simulation(answered):
    truth = slope_truth(PARAMETERS).observed
    within = only(answered[0], question="slope", part="within client", is_quoted=True)
    between = only(answered[0], question=GuidanceQuestion.CORRECTED, is_quoted=True)
    assert abs(within["estimate"] - truth.within) < 3 * within["std_error"]
    assert abs(between["estimate"] - truth.client) < 3 * between["std_error"]


def test_the_correction_moves_the_slope_between_clients_away_from_the_slope_within(answered):
    model = "three levels"
    within, client = (
        only(answered[0], question="slope", part=part, model=model)["estimate"]
        for part in ("within client", "between clients")
    )
    corrected = only(answered[0], question=GuidanceQuestion.CORRECTED, model=model)
    assert 0 < corrected["mean_reliability"] < 1
    assert corrected["estimate"] == pytest.approx(within + (client - within) / corrected["mean_reliability"])


def test_contextual_effects_are_differences_of_the_slopes_of_one_model(answered):
    model = "three levels, slope by therapist"
    slopes = {part: only(answered[0], question="slope", part=part, model=model) for part in guidance.PARTS.values()}
    for part in ("between clients", "between therapists"):
        row = only(answered[0], question="contextual effect", part=f"{part} less within client", model=model)
        assert row["estimate"] == pytest.approx(slopes[part]["estimate"] - slopes["within client"]["estimate"])


def test_the_within_slope_is_quoted_from_the_model_with_a_slope_by_therapist_and_the_others_stand_beside_it(answered):
    slopes = answered[0].filter((pl.col("question") == "slope") & (pl.col("part") == "within client"))
    assert slopes["model"].to_list() == list(guidance.MODELS)
    assert slopes.filter("is_quoted")["model"].to_list() == ["three levels, slope by therapist"]


def test_neither_direction_of_time_is_found_where_the_simulation_has_none(answered):
    for question in (GuidanceQuestion.NEXT_SATISFACTION, GuidanceQuestion.NEXT_GUIDANCE):
        row = only(answered[0], question=question, is_quoted=True)
        assert abs(row["estimate"]) < 3 * row["std_error"]
        assert row["std_error"] < 0.03


def test_last_satisfaction_enters_uncentred(answered):
    formula, term = guidance.LAGGED[GuidanceQuestion.NEXT_SATISFACTION]
    assert "satisfaction_score" in formula
    assert "satisfaction_within" not in formula
    rows = guidance.session_rows(answered[1])
    raw = guidance.fit_linear_answer(f"{formula} + {guidance.INTERCEPTS}", rows, SETTINGS.disclosure)
    row = only(answered[0], question=GuidanceQuestion.NEXT_SATISFACTION, model=GuidanceModel.INTERCEPTS)
    assert row["estimate"] == pytest.approx(raw.fit.params[term])


def test_mean_reliability_is_that_of_the_simulated_variances(answered):
    """lambda = tau2 / (tau2 + sigma2 / n), with the variances of the parameters before any asking, as a bound."""
    d = PARAMETERS.directiveness
    n = np.array(answered[1].sql("select count(*) from mart_session_directiveness group by client_id").fetchall())[:, 0]
    upper = np.mean(d.client_sd**2 / (d.client_sd**2 + d.session_sd**2 / n))
    found = only(answered[0], question=GuidanceQuestion.CORRECTED, is_quoted=True)["mean_reliability"]
    assert upper - 0.1 < found < upper + 0.05


def test_every_estimate_has_an_interval_and_a_state_and_every_column_a_description(answered):
    assert every_estimate_has_its_interval_and_state(answered[0])
    assert is_described(EFFECTS.name, answered[0])


@pytest.mark.parametrize(
    ("parameters", "word"),
    [(replace(PARAMETERS, therapists=6, clients=120), "therapists"), (replace(PARAMETERS, clients=40), "clients")],
)
def test_few_therapists_or_few_clients_are_refused_in_words(parameters, word):
    with database(parameters) as con, pytest.raises(FitRefused, match=f"too few {word}"):
        guidance.run(con, SETTINGS)


def test_a_study_without_satisfaction_is_refused_in_words():
    with database(replace(PARAMETERS, clients=150, therapists=12)) as con:
        con.execute("update mart_session_directiveness set satisfaction_score = null, satisfaction_next = null")
        with pytest.raises(FitRefused, match="No session has all the ratings"):
            guidance.run(con, SETTINGS)


CODED = replace(PARAMETERS, clients=400, therapists=30)
TELL_OF_CODERS = "insert into core_agreement values ('b1', 'directiveness', 2, 4000, 900, 900, 0.6, 0.6, ?)"


@pytest.fixture(scope="module")
def coded():
    """Slopes within clients where guidance is known exactly, and where two coders tell of it who err."""
    cohort = simulate_cohort(CODED, 5)
    with built(cohort, SETTINGS) as con:
        exact = guidance.level_rows(con.table("mart_session_directiveness"), SETTINGS.disclosure, "satisfaction_score")
    rng = np.random.default_rng(8)
    guided = cohort.sessions["directiveness"].cast(pl.Float64).to_numpy()
    ratings = guided + rng.normal(0, CODED.directiveness.session_sd, (2, guided.size))
    sessions = cohort.sessions.with_columns(pl.Series("directiveness", ratings.mean(axis=0)).fill_nan(None))
    with built(replace(cohort, sessions=sessions), SETTINGS) as con:
        rows = {}
        for name, reliability in (("known", reliability_of_means(ratings)), ("unknown", None)):
            con.execute("delete from core_agreement")
            con.execute(TELL_OF_CODERS, [reliability])
            mart = con.table("mart_session_directiveness")
            coders = guidance.coders_of(con)
            rows[name] = guidance.level_rows(mart, SETTINGS.disclosure, "satisfaction_score", coders=coders)
    return {name: pl.DataFrame(found, infer_schema_length=None) for name, found in (("exact", exact), *rows.items())}


def test_the_coders_error_makes_the_slope_within_clients_smaller_and_the_correction_gives_it_back(coded):
    words = {"part": "within client", "is_quoted": True}
    truth = only(coded["exact"], question="slope", **words)
    with_error = only(coded["known"], question="slope", **words)
    corrected = only(coded["known"], question=GuidanceQuestion.CODED, **words)
    # Two coders whose error is as large as the departures: reliability of departures 2 / 3.
    assert corrected["mean_reliability"] == pytest.approx(2 / 3, abs=0.08)
    assert abs(with_error["estimate"]) < 0.85 * abs(truth["estimate"])
    assert abs(corrected["estimate"] - truth["estimate"]) < 2 * corrected["std_error"]
    assert corrected["estimate"] == pytest.approx(with_error["estimate"] / corrected["mean_reliability"])
    assert corrected["std_error"] == pytest.approx(with_error["std_error"] / corrected["mean_reliability"])


def test_where_nothing_was_coded_twice_the_correction_is_refused_in_words(coded):
    row = only(coded["unknown"], question=GuidanceQuestion.CODED, is_quoted=True)
    assert (row["estimate"], row["status"]) == (None, FitStatus.REFUSED)
    assert "coded twice" in row["reason"]


def test_ratings_that_were_not_coded_have_no_such_correction(answered, coded):
    for rows in (answered[0], coded["exact"]):
        assert rows.filter(pl.col("question") == GuidanceQuestion.CODED).is_empty()


def test_error_as_large_as_the_departures_leaves_no_slope():
    with pytest.raises(FitRefused, match="as large as"):
        departure_reliability(0.5, total_variance=4.0, within_variance=2.0)
