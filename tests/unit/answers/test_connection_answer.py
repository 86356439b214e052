"""Paths, feedback and empowerment on cohorts whose paths are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from answer_cohorts import (
    SETTINGS,
    database,
    every_estimate_has_its_interval_and_state,
    is_described,
    only,
)
from scipy.stats import norm

from outcomes.answers.connection import run as connection
from outcomes.answers.connection.tables import EFFECTS, Timing
from outcomes.disclosure import shown_text
from outcomes.errors import FitRefused
from outcomes.simulate import CohortParameters, slope_truth

PARAMETERS = CohortParameters(clients=700, therapists=40)
OVERWHELM = "feeling overwhelmed as the path"
ALLIANCE = "alliance as the path"


@pytest.fixture(scope="module")
def answered():
    with database(PARAMETERS) as con:
        yield connection.run(con, SETTINGS)[EFFECTS.name]


def test_too_much_guidance_overwhelms_as_simulated_but_for_the_floor_of_the_scale(answered):
    """0.6 a point; where overwhelm would lie under zero the rating does not move, about one session in six."""
    row = only(answered, question=OVERWHELM, path="guidance above the preferred level to feeling overwhelmed")
    truth = PARAMETERS.experience.overwhelmed_excess
    assert 0.85 * truth < row["estimate"] < truth


def test_overwhelm_lowers_satisfaction_of_the_same_session_as_simulated_but_for_the_ceiling(answered):
    row = only(answered, question=OVERWHELM, path="feeling overwhelmed to satisfaction", timing=Timing.SAME)
    assert row["conf_low"] < PARAMETERS.satisfaction.overwhelmed < row["conf_high"]


def test_the_path_through_alliance_is_the_product_of_its_legs_and_nears_the_simulated_one(answered):
    first = only(answered, question=ALLIANCE, path="more guidance than usual to alliance")
    second = only(answered, question=ALLIANCE, path="alliance to satisfaction", timing=Timing.SAME)
    indirect = only(answered, question=ALLIANCE, path="indirect", timing=Timing.SAME)
    assert indirect["estimate"] == pytest.approx(first["estimate"] * second["estimate"])
    truth = PARAMETERS.experience.alliance_within * PARAMETERS.satisfaction.alliance
    assert 0 < indirect["conf_low"] < truth < 1.3 * indirect["conf_high"]


@pytest.mark.parametrize("question", [ALLIANCE, OVERWHELM])
def test_no_path_reaches_the_next_session_where_the_simulation_has_none(answered, question):
    row = only(answered, question=question, path="indirect", timing=Timing.NEXT)
    assert row["conf_low"] < 0 < row["conf_high"]
    assert row["p_value"] is None


def test_asking_brings_the_next_session_nearer_to_the_preference_as_simulated(answered):
    """E|N(0, s)| without and with the gap's share closed: s^2 = gap^2 + session^2, the gap times 1 - pull."""
    d = PARAMETERS.directiveness
    gap = np.sqrt(
        d.therapist_sd**2 + d.client_sd**2 + d.preferred_sd**2 - 2 * d.accommodation * d.client_sd * d.preferred_sd
    )
    spread = np.hypot(np.array([gap, gap * (1 - d.asked_pull)]), d.session_sd)
    truth = float(np.diff(2 * norm.pdf(0) * spread)[0])
    row = only(answered, path="asked to next distance from the preferred level")
    assert row["conf_low"] < truth < row["conf_high"]
    assert only(answered, path="asked to next satisfaction")["estimate"] > 0


def test_asking_weakens_the_tie_between_this_distance_and_the_next(answered):
    row = only(answered, path="asked, times distance from the preferred level, to the next distance")
    assert row["conf_high"] < 0


def test_asking_changes_nothing_where_therapists_do_not_act_on_it():
    deaf = replace(
        PARAMETERS, clients=300, therapists=20, directiveness=replace(PARAMETERS.directiveness, asked_pull=0.0)
    )
    with database(deaf) as con:
        table = connection.run(con, SETTINGS)[EFFECTS.name]
    row = only(table, path="asked to next distance from the preferred level")
    assert abs(row["estimate"]) < 3 * row["std_error"]


def test_empowerment_follows_guidance_through_autonomy_and_satisfaction(answered):
    x = PARAMETERS.experience
    latent = slope_truth(PARAMETERS).latent.within
    truth = x.empowerment_autonomy * x.autonomy_directiveness + x.empowerment_satisfaction * latent
    row = only(answered, question="empowerment as outcome", path="slope within client")
    assert abs(row["estimate"] - truth) < 3 * row["std_error"]


def test_every_estimate_has_an_interval_and_a_state_and_every_column_a_description(answered):
    assert every_estimate_has_its_interval_and_state(answered)
    assert is_described(EFFECTS.name, answered)
    assert all(shown_text(reason, SETTINGS.disclosure) == reason for reason in answered["reason"])


def test_a_scale_that_was_not_collected_refuses_its_rows_and_no_others():
    with database(replace(PARAMETERS, clients=300, therapists=20)) as con:
        con.execute("update mart_session_directiveness set felt_overwhelmed_score = null, empowerment_score = null")
        table = connection.run(con, SETTINGS)[EFFECTS.name]
    refused = table.filter(status="refused")
    assert set(refused["question"]) == {OVERWHELM, "empowerment as outcome"}
    assert set(refused["reason"]) == {"No session has all the ratings that this question needs."}
    assert refused["estimate"].null_count() == refused.height


@pytest.mark.parametrize(
    ("parameters", "word"),
    [(replace(PARAMETERS, therapists=6, clients=120), "therapists"), (replace(PARAMETERS, clients=40), "clients")],
)
def test_few_therapists_or_few_clients_are_refused_in_words(parameters, word):
    with database(parameters) as con, pytest.raises(FitRefused, match=f"too few {word}"):
        connection.run(con, SETTINGS)
