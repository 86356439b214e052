"""Differences between therapists: sizes as simulated, counts that may be shown, nobody named."""

from __future__ import annotations

import re
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

from outcomes.answers.common.fitting import fit_linear_answer
from outcomes.answers.therapists import run as therapists
from outcomes.answers.therapists.tables import VARIATION, TherapistQuantity
from outcomes.errors import FitRefused
from outcomes.mixed import fit_linear
from outcomes.simulate import CohortParameters, simulate_cohort

PARAMETERS = CohortParameters(clients=700, therapists=40)
SHOWN = re.compile(r"fewer than 10|not shown|\d*[05]|\d+%")


@pytest.fixture(scope="module")
def answered():
    with database(PARAMETERS) as con, pytest.MonkeyPatch.context() as patch:
        patch.setattr(therapists, "CHUNK", 5)
        yield therapists.run(con, SETTINGS)[VARIATION.name], con


def test_the_spread_of_satisfaction_is_that_of_the_simulated_therapists_but_for_the_ceiling(answered):
    simulated = simulate_cohort(PARAMETERS, 1).latent.therapists["satisfaction_effect"].std()
    row = only(answered[0], outcome="satisfaction", quantity=TherapistQuantity.SPREAD)
    assert row["conf_low"] < 0.85 * simulated < row["conf_high"]
    assert row["p_value"] < 0.001


def test_the_share_of_satisfaction_is_that_of_an_independent_fit(answered):
    fit = fit_linear(
        "satisfaction_score ~ log_session + intake_severity_score + directiveness_preferred_score + reactance_score "
        "+ (1 | client_id) + (1 | therapist_id)",
        answered[1].table("mart_session_directiveness"),
    )
    row = only(answered[0], outcome="satisfaction", quantity=TherapistQuantity.SHARE)
    assert row["estimate"] == pytest.approx(fit.icc("therapist_id"))
    assert row["adjusted_for"].split(", ") == list(therapists.CASE_MIX)


def test_the_median_odds_ratio_of_dropout_covers_the_simulated_one_and_agrees_with_the_share(answered):
    ratio = only(answered[0], outcome="dropout", quantity=TherapistQuantity.ODDS_RATIO)
    simulated = simulate_cohort(PARAMETERS, 1).latent.therapists["dropout_effect"].std()
    assert ratio["conf_low"] < np.exp(np.sqrt(2) * simulated * 0.6744898) < ratio["conf_high"]
    variance = (np.log(ratio["estimate"]) / (np.sqrt(2) * 0.6744898)) ** 2
    share = only(answered[0], outcome="dropout", quantity=TherapistQuantity.SHARE)
    assert share["estimate"] == pytest.approx(variance / (variance + np.pi**2 / 3), rel=1e-5)


def test_therapists_who_do_not_respond_are_not_found_to_respond(answered):
    row = only(answered[0], outcome="responsiveness", quantity=TherapistQuantity.RESPONSE)
    assert abs(row["estimate"]) < 3 * row["std_error"]


def test_guidance_that_follows_satisfaction_is_found_as_responsiveness(answered):
    """Adding 0.4 points of next guidance a point of satisfaction moves the mean slope by 0.4 and no spread."""
    before = answered[0].filter(pl.col("outcome") == "responsiveness")["estimate"].to_numpy()
    with database(PARAMETERS) as con, pytest.MonkeyPatch.context() as patch:
        patch.setattr(therapists, "CHUNK", 1)
        con.execute(
            "update mart_session_directiveness set directiveness_next = directiveness_next + 0.4 * satisfaction_score"
        )
        rows = list(therapists._responsiveness(con, SETTINGS))
    after = np.array([found.estimate for _, found in rows])
    assert after - before == pytest.approx([0.4, 0.0], abs=1e-4)


def test_counts_of_therapists_are_suppressed_or_rounded_and_no_one_can_be_found(answered):
    table, con = answered
    shown = table.filter(pl.col("shown") != "")
    assert set(shown["quantity"]) == {*therapists.BINS, TherapistQuantity.PAIRS}
    assert all(SHOWN.fullmatch(text) for text in shown["shown"])
    ids = {name for (name,) in con.sql("select distinct therapist_id from mart_therapists").fetchall()}
    cells = " ".join(str(value) for row in table.rows() for value in row)
    assert not any(name in cells for name in ids)


def test_every_estimate_has_an_interval_and_a_state_and_every_column_a_description(answered):
    assert every_estimate_has_its_interval_and_state(answered[0])
    assert is_described(VARIATION.name, answered[0])


def test_an_estimate_that_its_own_bootstrap_does_not_give_back_is_refused(answered):
    model = fit_linear_answer("satisfaction_score ~ 1 + (1 | client_id) + (1 | therapist_id)",
                              answered[1].table("mart_session_directiveness"), SETTINGS.disclosure)  # fmt: skip
    lower = therapists._with_interval(model, 0.5, np.linspace(0, 0.4, 100))
    assert (lower.status, lower.estimate) == ("refused", None)
    draws = np.linspace(0, 1, 1001)
    plain = therapists._with_interval(model, 0.5, draws)
    assert (plain.conf_low, plain.conf_high) == pytest.approx((0.025, 0.975), abs=0.002)
    raised = therapists._with_interval(model, 0.7, draws)
    assert plain.conf_low < raised.conf_low < 0.7 < raised.conf_high


def test_therapists_who_do_not_differ_are_not_counted_apart():
    equal = replace(
        PARAMETERS,
        satisfaction=replace(PARAMETERS.satisfaction, therapist_sd=0.0, practice_sd=0.0),
        endings=replace(PARAMETERS.endings, therapist_sd=0.0),
        clients=400,
        therapists=20,
    )
    with database(equal) as con, pytest.MonkeyPatch.context() as patch:
        patch.setattr(therapists, "CHUNK", 5)
        table = therapists.run(con, SETTINGS)[VARIATION.name]
    for outcome in ("satisfaction", "dropout"):
        assert only(table, outcome=outcome, quantity=TherapistQuantity.SHARE)["estimate"] < 0.03
    assert set(table.filter(quantity=therapists.BINS[0])["shown"]) <= {"fewer than 10"}


def test_a_rating_that_few_sessions_have_is_not_adjusted_for(answered):
    con = answered[1]
    rows = con.sql("select * replace (case when session_number = 1 then reactance_score end as reactance_score) "
                   "from mart_session_directiveness")  # fmt: skip
    assert therapists._case_mix(rows) == ["intake_severity_score", "directiveness_preferred_score"]


def test_too_few_therapists_are_refused_in_words():
    few = replace(PARAMETERS, therapists=6, clients=120)
    with database(few) as con, pytest.raises(FitRefused, match="too few therapists") as refusal:
        therapists.run(con, SETTINGS)
    assert not re.search(r"\d", refusal.value.message)
