"""The contrasts of `truth.json` against closed forms and against cohorts in which guidance is so for everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from outcomes.simulate import (
    CohortParameters,
    Contrast,
    DropoutTruth,
    Truth,
    WorldName,
    contrasts,
    simulate_cohort,
    with_dropout_truth,
    with_truth,
    with_worlds,
)

BASE = CohortParameters(clients=20_000, therapists=2_000)


def all_alike(p: CohortParameters, distance: float) -> CohortParameters:
    """All clients prefer 5; therapists do exactly so much more in every session; the record ends late."""
    guidance = replace(
        p.directiveness, mean=5.0 + distance, therapist_sd=0.0, client_sd=0.0, session_sd=0.01, preferred_sd=0.0,
        asked_pull=0.0,
    )  # fmt: skip
    return replace(p, directiveness=guidance, records=replace(p.records, data_cut=date(2034, 12, 31)))


def at(found: tuple[Contrast, ...], by: str) -> dict[float, Contrast]:
    return {one.points: one for one in found if one.by == by}


def test_where_guidance_does_nothing_all_contrasts_are_the_same():
    p = with_dropout_truth(DropoutTruth.NONE, with_truth(Truth.NO_EFFECT, BASE))
    found = contrasts(p)
    assert len(found) == 10
    for one in found:
        assert one.satisfaction == pytest.approx(found[0].satisfaction, abs=1e-9)
        assert one.dropout_risk == pytest.approx(found[0].dropout_risk, abs=1e-9)


@pytest.mark.parametrize("world", [WorldName.PLAIN, WorldName.RESPONSIVE, WorldName.TRENDS, WorldName.SORTING])
def test_latent_satisfaction_falls_with_the_square_of_the_distance_from_the_preference(world):
    p = with_worlds([world], with_truth(Truth.FIT, BASE))
    p = replace(p, directiveness=replace(p.directiveness, preferred_sd=0.2))  # nobody near the ends of the scale
    found = at(contrasts(p), "distance")
    for points, one in found.items():
        assert one.cut_prop == 0.0
        fall = found[0.0].satisfaction_latent - one.satisfaction_latent
        assert fall == pytest.approx(0.15 * points**2, abs=1e-9)


def test_latent_satisfaction_rises_with_the_amount_where_more_is_better():
    found = at(contrasts(with_truth(Truth.MONOTONE, BASE)), "amount")
    for points, one in found.items():
        rise = one.satisfaction_latent - found[5.0].satisfaction_latent
        assert rise == pytest.approx(0.4 * (points - 5), abs=1e-9)


def test_guidance_beyond_the_scale_is_at_its_end_and_the_share_says_so():
    found = at(contrasts(with_truth(Truth.FIT, BASE)), "distance")
    # P(N(5, 1.5) > 6) = .2525, error .0043 at 10,000 clients.
    assert found[4.0].cut_prop == pytest.approx(0.2525, abs=0.018)
    assert found[0.0].satisfaction_latent - found[4.0].satisfaction_latent < 0.15 * 16


@pytest.mark.parametrize("distance", [0.0, 2.0, -4.0])
@pytest.mark.parametrize("hazard", [DropoutTruth.FIT, DropoutTruth.FIT_PLUS_MAIN, DropoutTruth.BEST_LEVEL])
def test_risk_and_satisfaction_are_those_of_a_cohort_with_that_guidance(hazard, distance):
    p = all_alike(with_dropout_truth(hazard, with_truth(Truth.FIT, BASE)), distance)
    truth = at(contrasts(p), "distance")[distance]
    cohort = simulate_cohort(p, seed=8)
    episodes = cohort.latent.episodes
    for session, risk in truth.dropout_risk.items():
        found = ((episodes["cause"] == "dropout") & (episodes["n_attended"] <= int(session))).mean()
        # Clients share therapists (10 each, logit SD .56): 1.3 times the binomial error; and the reference's .002.
        error = np.hypot(1.3 * np.sqrt(risk * (1 - risk) / episodes.height), 0.002)
        assert found == pytest.approx(risk, abs=4 * error)
    latent = cohort.latent.sessions["satisfaction_latent"]
    # Variance 1.28 between people, in the cohort and in the reference; courses of unequal length count unequally.
    error = 1.2 * np.sqrt(1.28 / 20_000 + 1.28 / 10_000)
    assert latent.mean() == pytest.approx(truth.satisfaction_latent, abs=4 * error)
    assert latent.clip(0, 10).mean() == pytest.approx(truth.satisfaction, abs=4 * error)


def test_less_guidance_than_any_client_wants_drives_out_more_clients_where_guidance_keeps_them():
    p = with_dropout_truth(DropoutTruth.MONOTONE, with_truth(Truth.NO_EFFECT, BASE))
    for horizon in ("3", "8", "12"):
        risks = [one.dropout_risk[horizon] for one in at(contrasts(p), "amount").values()]
        assert risks == sorted(risks, reverse=True)
        assert risks[0] > 3 * risks[-1]


def test_coarse_ratings_have_their_own_contrasts():
    p = with_truth(Truth.FIT, BASE)
    fine, coarse = (at(contrasts(with_worlds([world], p)), "distance") for world in (WorldName.PLAIN, WorldName.COARSE))
    for points in fine:
        assert coarse[points].satisfaction_latent == fine[points].satisfaction_latent
        assert coarse[points].dropout_risk == fine[points].dropout_risk
    assert coarse[4.0].satisfaction < fine[4.0].satisfaction  # the lower answers are far below a latent rating of 6
