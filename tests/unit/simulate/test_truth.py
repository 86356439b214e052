from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from outcomes.simulate import (
    CohortParameters,
    Slopes,
    SlopeTruth,
    Truth,
    WorldName,
    attenuated_slopes,
    simulate_cohort,
    slope_truth,
    with_truth,
    with_worlds,
)

PARTS = ("within", "client", "therapist")


@pytest.fixture(scope="module")
def truth() -> SlopeTruth:
    return slope_truth(CohortParameters())


def linear_world() -> CohortParameters:
    """A world in which latent satisfaction is linear in guidance and normal: the theorem holds to the letter."""
    p = CohortParameters()
    return replace(
        p,
        satisfaction=replace(
            p.satisfaction, misfit_cost=0.0, reactance=0.0, overwhelmed=0.0, client_slope_sd=0.0, log_session=0.0
        ),
        directiveness=replace(p.directiveness, asked_prob=0.001, asked_logit_sd=0.0),
    )


def test_the_latent_within_slope_is_the_direct_path_and_the_path_through_alliance():
    p = linear_world()
    expected = p.satisfaction.slopes.within + p.satisfaction.alliance * p.experience.alliance_within
    truth = slope_truth(p)
    # Severity is drawn (standard deviation 0.14 points of satisfaction): Monte-Carlo error below 0.0004.
    assert truth.latent.within == pytest.approx(expected, abs=0.0015)
    assert truth.latent.client == pytest.approx(p.satisfaction.slopes.client, abs=0.0015)
    assert truth.latent.therapist == pytest.approx(p.satisfaction.slopes.therapist, abs=0.0015)


@pytest.mark.parametrize("part", PARTS)
def test_a_ceiling_shrinks_a_normal_slope_by_the_probability_of_not_reaching_it(part):
    linear = slope_truth(linear_world())
    # Monte-Carlo error of the projection with 400,000 draws: below 0.0005.
    assert getattr(linear.observed, part) == pytest.approx(getattr(linear.latent, part) * linear.uncut_prob, abs=0.002)


@pytest.mark.parametrize("part", PARTS)
def test_the_product_stays_close_when_misfit_bends_the_outcome(truth, part):
    assert getattr(truth.observed, part) == pytest.approx(getattr(truth.latent, part) * truth.uncut_prob, abs=0.01)


def test_the_truth_is_what_a_regression_on_the_true_parts_of_unselected_sessions_finds():
    # First sessions come before any dropout; a fixed horizon of 1 makes them the whole population of the truth too.
    p = replace(
        CohortParameters(clients=150_000, therapists=50_000), endings=replace(CohortParameters().endings, horizon=1)
    )
    p = replace(p, records=replace(p.records, form_missing_prob=0.0, cell_missing_prob=0.0))
    truth, cohort = slope_truth(p), simulate_cohort(p, seed=11)
    first = cohort.latent.sessions.join(
        cohort.sessions.select("episode_id", "session_number", "satisfaction"), on=["episode_id", "session_number"]
    )
    parts = np.column_stack([np.ones(first.height), *(first[f"{part}_part"] for part in PARTS)])
    for column, expected in (("satisfaction_latent", truth.latent), ("satisfaction", truth.observed)):
        slopes, residuals, *_ = np.linalg.lstsq(parts, first[column].to_numpy(), rcond=None)
        errors = np.sqrt(residuals[0] / first.height * np.diag(np.linalg.inv(parts.T @ parts)))
        for slope, error, part in zip(slopes[1:], errors[1:], PARTS, strict=True):
            # Clients of a therapist share its effect: the therapist slope's error is up to twice the ordinary one.
            assert slope == pytest.approx(getattr(expected, part), abs=(8 if part == "therapist" else 4) * error)


def test_the_parts_of_directiveness_have_the_stated_variances(truth):
    p = CohortParameters(clients=30_000, therapists=10_000)
    sessions = simulate_cohort(p, seed=2).latent.sessions.filter(pl.col("attended_number") == 1)
    for part in PARTS:
        # 30,000 draws: relative error of a variance 0.008, twice that for the therapists' part.
        assert sessions[f"{part}_part"].var() == pytest.approx(getattr(truth, f"{part}_variance"), rel=0.06)


def test_many_sessions_and_clients_leave_the_slopes_unattenuated(truth):
    many = np.full(10, 1e9)
    slopes = attenuated_slopes(truth, many, many)
    for part in PARTS:
        assert getattr(slopes, part) == pytest.approx(getattr(truth.observed, part), rel=1e-6)


def test_attenuation_draws_the_client_slope_towards_the_within_slope():
    truth = SlopeTruth(Slopes(1, 3, 5), Slopes(1.0, 3.0, 5.0), 1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    slopes = attenuated_slopes(truth, np.full(3, 4.0), np.full(2, 2.0))
    # Reliability of a client's mean 1 / (1 + 4/4) = 1/2: half of the way from 3 to 1.
    # Therapist: (5 x 1 + 2 x 1/2 x 2) / (1 + 1/2 x 2) = 3.5.
    assert slopes == Slopes(1.0, 2.0, 3.5)


def test_clients_with_many_sessions_count_more_in_the_attenuated_slope():
    truth = SlopeTruth(Slopes(1, 3, 5), Slopes(1.0, 3.0, 5.0), 1.0, 4.0, 1.0, 1.0, 1.0, 0.0, 1.0)
    slopes = attenuated_slopes(truth, np.array([1.0, 4.0]), np.full(2, 1e9))
    # Without differences between clients they count by their sessions: mean of 1/n = (1 x 1 + 4 x 1/4) / 5 = 0.4, so
    # the noise has variance 1.6 and the slope is (3 x 1 + 1 x 1.6) / 2.6.
    assert slopes.client == pytest.approx(4.6 / 2.6)


@pytest.mark.parametrize("world", WorldName)
def test_no_world_changes_what_guidance_does(world):
    truth = slope_truth(with_worlds([world], with_truth(Truth.MONOTONE, CohortParameters())))
    for part in PARTS:
        assert getattr(truth.latent, part) == pytest.approx(0.4, abs=0.002)


def test_where_therapists_respond_guidance_varies_more_from_session_to_session():
    plain, responsive = (
        slope_truth(with_worlds([world], with_truth(Truth.NO_EFFECT, CohortParameters())))
        for world in (WorldName.PLAIN, WorldName.RESPONSIVE)
    )
    noise = plain.residual_noise + plain.client_noise + plain.therapist_noise
    # The scale's ends take up to 3 hundredths of what is added.
    added = responsive.within_variance - plain.within_variance
    assert added == pytest.approx(0.35**2 * noise, rel=0.06)


def test_the_slope_of_coarse_ratings_is_what_a_regression_of_unselected_sessions_finds():
    base = CohortParameters(clients=60_000, therapists=30_000)
    p = with_worlds([WorldName.COARSE], with_truth(Truth.MONOTONE, base))
    p = replace(p, endings=replace(p.endings, horizon=1))
    p = replace(p, records=replace(p.records, form_missing_prob=0.0, cell_missing_prob=0.0, data_cut=date(2034, 1, 1)))
    truth, cohort = slope_truth(p), simulate_cohort(p, seed=12)
    first = cohort.latent.sessions.join(cohort.sessions, on=["episode_id", "session_number"])
    parts = np.column_stack([np.ones(first.height), *(first[f"{part}_part"] for part in PARTS)])
    slopes, residuals, *_ = np.linalg.lstsq(parts, first["satisfaction"].to_numpy(), rcond=None)
    errors = np.sqrt(residuals[0] / first.height * np.diag(np.linalg.inv(parts.T @ parts)))
    for slope, error, part in zip(slopes[1:], errors[1:], PARTS, strict=True):
        # Two clients of a therapist share its effect: less than 1.5 times the ordinary error.
        assert slope == pytest.approx(getattr(truth.observed, part), abs=(6 if part == "therapist" else 4) * error)
