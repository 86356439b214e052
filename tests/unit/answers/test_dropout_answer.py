"""Dropout under every definition: hazards, agreement and incidence."""

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
from scipy.special import expit

from outcomes.answers.common.risk_set import baseline, definitions, risk_set
from outcomes.answers.common.words import Reading
from outcomes.answers.dropout import incidence
from outcomes.answers.dropout import run as dropout
from outcomes.errors import FitRefused
from outcomes.methods.dropout.agreement import agreement
from outcomes.methods.dropout.cumulative_incidence import cumulative_incidence
from outcomes.methods.dropout.life_table import life_table
from outcomes.mixed import fit_binomial
from outcomes.simulate import CohortParameters, Slopes

PARAMETERS = CohortParameters(clients=700, therapists=30)
STEEP = replace(PARAMETERS, endings=replace(PARAMETERS.endings, slopes=Slopes(0.6, 0.6, 0.6), misfit=0.0))
USUAL = "usual guidance up to now, per point"


@pytest.fixture(scope="module")
def answered():
    with database(PARAMETERS) as con, pytest.MonkeyPatch.context() as patch:
        patch.setattr(incidence, "CHUNK", 5)
        tables = dropout.run(con, SETTINGS)
        yield tables, con


def test_every_definition_that_the_data_allow_is_answered_under_three_readings(answered):
    tables, con = answered
    told = tables[dropout.EFFECTS.name].filter(pl.col("cause") == "dropout")
    assert set(told["definition"]) == set(definitions(con))
    assert set(told["reading"]) == {reading.value for reading in Reading}
    assert only(tables[dropout.EFFECTS.name], definition="unilateral", cause="other")["status"] == "refused"


def test_the_effect_under_the_studys_definition_is_that_of_a_direct_fit(answered):
    tables, con = answered
    last = con.sql("select max(attended_number) from mart_person_session where is_dropout = 1").fetchall()[0][0]
    fit = fit_binomial(
        "is_dropout ~ directiveness_so_far + directiveness_change + session_1 + session_2 + session_3 + log_session "
        "+ (1 | therapist_id)",
        con.table("mart_person_session").filter(f"attended_number <= {last}"),
    )
    row = only(
        tables[dropout.EFFECTS.name], definition="unilateral", cause="dropout", reading="as recorded", effect=USUAL
    )
    assert row["estimate"] == pytest.approx(fit.params["directiveness_so_far"], abs=1e-5)
    assert row["odds_ratio"] == pytest.approx(np.exp(row["estimate"]))


def test_a_steep_simulated_slope_is_found_under_the_studys_definition():
    with database(STEEP) as con:
        rows = dropout.effect_rows(con, SETTINGS, "unilateral", dropout.Cause.DROPOUT, Reading.AS_RECORDED)
    row = next(row for row in rows if row["effect"] == USUAL)
    assert 0.2 < row["conf_low"] < row["estimate"] < 0.8


def test_undetermined_episodes_are_dropout_or_not_and_open_ones_stay_censored(answered):
    con = answered[1]
    counts = {}
    for reading in Reading:
        rows = risk_set(con, "unilateral", reading, SETTINGS.dropout.silent_days).filter("is_last")
        counts[reading] = rows.aggregate("sum(is_dropout), count(is_dropout), count(*)").fetchall()[0]
    open_ones = con.sql(
        "select count(*) from core_episodes where ending = 'open' and days_silent < 90 and n_attended > 0"
    ).fetchall()[0][0]
    undetermined = con.sql("select count(*) from core_episodes where ending_state = 'undetermined'").fetchall()[0][0]
    recorded, all_, none = (counts[reading] for reading in Reading)
    assert all_[0] - recorded[0] == undetermined - open_ones > 0
    assert none[0] == recorded[0]
    assert recorded[2] - recorded[1] == undetermined
    assert all_[2] - all_[1] == none[2] - none[1] == open_ones


def test_sessions_in_which_a_definition_cannot_have_dropout_are_left_out(answered):
    rows = risk_set(answered[1], "count_3", Reading.AS_RECORDED, 90)
    at_risk, terms = baseline(rows, "is_dropout")
    assert at_risk.aggregate("min(attended_number), max(attended_number)").fetchall() == [(1, 2)]
    assert terms == ("session_1",)
    assert baseline(risk_set(answered[1], "unilateral", Reading.AS_RECORDED, 90), "is_dropout")[1] == (
        "session_1", "session_2", "session_3", "log_session",
    )  # fmt: skip


def test_the_share_of_dropout_lies_between_its_bounds_and_is_that_of_the_labels(answered):
    tables, con = answered
    labels = con.sql(
        "select count(*) filter (state = 'dropout'), count(*) filter (state <> 'undetermined') "
        "from core_dropout_labels where definition = 'unilateral'"
    ).fetchall()[0]
    row = only(tables[dropout.RATES.name], definition="unilateral", is_declared=True)
    assert row["estimate"] == pytest.approx(labels[0] / labels[1])
    total = row["n_episodes"] + row["n_undetermined"]
    assert row["n_episodes"] == labels[1]
    assert row["lowest"] == pytest.approx(labels[0] / total)
    assert row["highest"] == pytest.approx((labels[0] + row["n_undetermined"]) / total)
    assert row["lowest"] < row["estimate"] < row["highest"]


def test_agreement_is_that_of_the_counts(answered):
    tables, con = answered
    a, b, c = con.sql(
        """select count(*) filter (x.state = 'dropout'), count(*) filter (x.state = 'planned' and y.state = 'dropout'),
            count(*) filter (y.state = 'planned')
        from core_dropout_labels as x inner join core_dropout_labels as y
            on x.episode_id = y.episode_id and x.definition = 'count_2' and y.definition = 'count_3'
            and x.state in ('dropout', 'planned')"""
    ).fetchall()[0]
    by_hand = agreement([[a, 0], [b, c]])
    kappa, ac1 = (
        only(tables[dropout.AGREEMENT.name], definition="count_2", definition_2="count_3", measure=measure)
        for measure in ("Cohen's kappa", "Gwet's AC1")
    )
    assert (kappa["estimate"], ac1["estimate"]) == pytest.approx((by_hand.kappa, by_hand.ac1))
    assert kappa["n_episodes"] == a + b + c
    n = len(definitions(con))
    assert tables[dropout.AGREEMENT.name].height == n * (n - 1)


def test_incidence_without_therapist_differences_is_the_closed_form():
    hazards = np.array([[[0.10, 0.05, 0.05]], [[1e-300, 0.10, 0.20]]])
    logits = list(np.log(hazards / (1 - hazards)))
    everywhere = np.ones(3, dtype=bool)
    found = incidence.incidence(logits, [everywhere, everywhere], [0.0, 0.0])
    assert found == pytest.approx(cumulative_incidence(hazards).incidence)
    assert found[0, 0, -1] == pytest.approx(0.18325)


def test_incidence_is_averaged_over_therapists_and_not_over_hazards():
    logits = [np.full((1, 3), -2.0), np.full((1, 3), -1.5)]
    can = [np.array([True, True, False]), np.ones(3, dtype=bool)]
    found = incidence.incidence(logits, can, [0.8, 0.3])
    u, v = np.random.default_rng(1).normal(size=(2, 200_000, 1)) * np.sqrt([0.8, 0.3])[:, None, None]
    hazards = np.stack([expit(-2.0 + u) * can[0], expit(-1.5 + v) * can[1]])
    drawn = cumulative_incidence(hazards / np.maximum(hazards.sum(axis=0), 1.0)).incidence
    assert found[:, 0] == pytest.approx(drawn.mean(axis=1), abs=0.002)


def test_the_risk_at_average_guidance_agrees_with_the_life_table(answered):
    tables, con = answered
    last = con.sql(
        "select attended_number, case ending_state when 'dropout' then 1 when 'undetermined' then 0 else 2 end as cause"
        " from mart_person_session where is_last and directiveness_so_far is not null"
    ).pl()
    observed = cumulative_incidence(life_table(*last, n_causes=2).hazards).incidence
    for cause, risk in zip(("dropout", "another ending"), observed, strict=True):
        for t in (3, 8, 12):
            row = only(tables[dropout.INCIDENCE.name], cause=cause, guidance="average", session=t)
            assert row["estimate"] == pytest.approx(risk[t - 1], abs=0.035)


def test_the_difference_of_risks_is_that_of_high_and_low_guidance(answered):
    risk = {
        name: only(answered[0][dropout.INCIDENCE.name], cause="dropout", guidance=name, session=8)["estimate"]
        for name in ("low", "high", "high less low")
    }
    assert risk["high less low"] == pytest.approx(risk["high"] - risk["low"])


def test_every_estimate_has_an_interval_and_a_state_and_every_column_a_description(answered):
    for name, table in answered[0].items():
        assert every_estimate_has_its_interval_and_state(table), name
        assert is_described(name, table), name


def test_a_study_without_endings_is_refused_in_words():
    with database(replace(PARAMETERS, clients=120, therapists=12)) as con:
        con.execute("delete from core_dropout_labels")
        with pytest.raises(FitRefused, match="No endings are recorded"):
            dropout.run(con, SETTINGS)


@pytest.mark.parametrize(
    ("parameters", "word"),
    [(replace(PARAMETERS, therapists=6, clients=120), "therapists"), (replace(PARAMETERS, clients=40), "clients")],
)
def test_few_therapists_or_few_clients_are_refused_in_words(parameters, word):
    with database(parameters) as con, pytest.raises(FitRefused, match=f"too few {word}"):
        dropout.run(con, SETTINGS)
