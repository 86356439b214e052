"""What the parameters imply for the slopes that an analysis can see.

Satisfaction is a latent normal, cut at floor and ceiling. For normal predictors the slope of the cut outcome is the
latent slope times the probability that a rating is not cut (Goldberger 1981, doi 10.1016/0304-4076(81)90085-6;
Greene 1981, doi 10.2307/1911523); misfit, overwhelm and reactance bend the latent outcome, so that the exact linear
projection is worked out numerically here and the product is given beside it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import norm

from outcomes.simulate.world.cohort import Cohort
from outcomes.simulate.world.guidance import (
    direct_satisfaction,
    dropout_logit,
    excess,
    planned_hazard,
    usual_directiveness,
)
from outcomes.simulate.world.parameters import RATING_MAXIMUM, RATING_MINIMUM, CohortParameters, Slopes
from outcomes.simulate.world.people import Floats, draw_clients, draw_therapists
from outcomes.simulate.world.scale import answer, cuts, rate

_REFERENCE_CLIENTS = 400_000  # each with a therapist of its own: Monte-Carlo error of a slope below 0.002
_REFERENCE_SEED = 20_240_101


@dataclass(frozen=True)
class SlopeTruth:
    """True slopes of satisfaction on the true parts of directiveness, in a population that nobody has left yet.

    Attributes
    ----------
    latent : Slopes
        Linear projection of latent satisfaction: all paths together (direct, alliance, overwhelm, misfit).
    observed : Slopes
        Linear projection of satisfaction as rated, with floor and ceiling. This is what a perfect analysis would find.
    uncut_prob : float
        Probability that a rating lies between floor and ceiling; `latent` times this is Goldberger's approximation.
    within_variance, client_variance, therapist_variance : float
        Of the three parts of directiveness, points squared.
    residual_noise, client_noise, therapist_noise : float
        Variance of latent satisfaction by session, client and therapist (practice included) that guidance does not
        explain, points squared. They decide how a mixed model weighs short and long courses.
    """

    latent: Slopes
    observed: Slopes
    uncut_prob: float
    within_variance: float
    client_variance: float
    therapist_variance: float
    residual_noise: float
    client_noise: float
    therapist_noise: float


def slope_truth(parameters: CohortParameters) -> SlopeTruth:
    """Work out the true slopes by simulating one session of many unselected clients, without any outcome noise.

    The noise of the outcome is integrated out in closed form (the mean of a normal cut at floor and ceiling), so that
    only the predictors are drawn. Sessions are those that a course with the baseline hazards has.
    """
    p = _one_client_a_therapist(parameters)
    rng = np.random.default_rng(_REFERENCE_SEED)
    therapists = draw_therapists(p, rng)
    clients = draw_clients(p, therapists, rng)
    preferred, asks = clients.preferred, therapists.asks[clients.therapist]
    habit = therapists.habit[clients.therapist]
    usual = usual_directiveness(p, clients.habit, habit, asks, preferred)
    asked = rng.random(p.clients) < asks
    level = p.directiveness.mean + habit + clients.habit
    aimed = level - p.directiveness.asked_pull * asked * (level - preferred)
    directiveness = rate(aimed + rng.normal(0, p.directiveness.session_sd, p.clients))
    session = rng.choice(np.arange(1, p.endings.horizon + 1), size=p.clients, p=_session_probs(p))
    within = directiveness - usual.level
    s, x = p.satisfaction, p.experience
    mean = (
        direct_satisfaction(p, directiveness, usual, preferred, clients.reactance, clients.severity, session)
        + s.alliance * x.alliance_within * within
        + s.overwhelmed * excess(p, directiveness, preferred)
        + clients.slope * within
    )
    noise = _noise_variances(p)
    observed, uncut = _cut_mean(mean, float(np.sqrt(sum(noise))))
    parts = np.column_stack([np.ones(p.clients), within, usual.client, usual.therapist])
    outcomes = np.column_stack([mean, observed])
    latent_slopes, observed_slopes = np.linalg.lstsq(parts, outcomes, rcond=None)[0][1:].T
    return SlopeTruth(
        latent=Slopes(*(float(slope) for slope in latent_slopes)),
        observed=Slopes(*(float(slope) for slope in observed_slopes)),
        uncut_prob=float(uncut.mean()),
        within_variance=float(within.var()),
        client_variance=float(usual.client.var()),
        therapist_variance=float(usual.therapist.var()),
        residual_noise=noise[0],
        client_noise=noise[1],
        therapist_noise=noise[2],
    )


def _one_client_a_therapist(p: CohortParameters) -> CohortParameters:
    """Return the same world with as many therapists as clients, so that therapists' draws are as many as clients'."""
    return replace(p, clients=_REFERENCE_CLIENTS, therapists=_REFERENCE_CLIENTS)


def _session_probs(p: CohortParameters) -> Floats:
    """Return the share of each session number among the attended sessions of courses with baseline hazards."""
    alive, share = 1.0, []
    for number in range(1, p.endings.horizon + 1):
        share.append(alive)
        dropout = 1 / (1 + np.exp(-dropout_logit(p, number)))
        alive *= (1 - dropout) * (1 - planned_hazard(p, number)) * (1 - p.endings.other_hazard)
    return np.array(share) / sum(share)


def _noise_variances(p: CohortParameters) -> tuple[float, float, float]:
    """Variances of latent satisfaction around its systematic part: by session, client and therapist (with practice)."""
    s, x = p.satisfaction, p.experience
    paths = (s.alliance**2, s.overwhelmed**2)
    by_session = zip(paths, (x.alliance_residual_sd, x.overwhelmed_residual_sd), strict=True)
    by_client = zip(paths, (x.alliance_client_sd, x.overwhelmed_client_sd), strict=True)
    return (
        s.residual_sd**2 + sum(path * sd**2 for path, sd in by_session),
        s.client_sd**2 + sum(path * sd**2 for path, sd in by_client),
        s.therapist_sd**2 + s.practice_sd**2,
    )


def _cut_mean(mean: Floats, sd: float) -> tuple[Floats, Floats]:
    """Return mean and probability of being uncut of normals that are cut at the scale's floor and ceiling."""
    low, high = (RATING_MINIMUM - mean) / sd, (RATING_MAXIMUM - mean) / sd
    uncut = norm.cdf(high) - norm.cdf(low)
    inside = mean * uncut - sd * (norm.pdf(high) - norm.pdf(low))
    return inside + RATING_MINIMUM * norm.cdf(low) + RATING_MAXIMUM * norm.sf(high), uncut


def attenuated_slopes(truth: SlopeTruth, sessions_per_client: Floats, clients_per_therapist: Floats) -> Slopes:
    """Say what a mixed model of the observed means estimates when the true slopes are `truth.observed`.

    The mean of n sessions is the usual level plus noise of variance within / n that acts on the outcome by the within
    slope; the mean of m clients is the therapist's level plus noise that acts by the client and within slopes. Clients
    and therapists count by the precision of their mean outcome, as in generalised least squares.

    Parameters
    ----------
    truth : SlopeTruth
    sessions_per_client, clients_per_therapist : array
        Counts, each at least 1.
    """
    b = truth.observed
    of_client = truth.within_variance * _weighted_share(truth.client_noise, truth.residual_noise, sessions_per_client)
    client = (b.client * truth.client_variance + b.within * of_client) / (truth.client_variance + of_client)
    of_outcome = truth.client_noise + truth.residual_noise * float(np.mean(1 / sessions_per_client))
    of_therapist = (truth.client_variance + of_client) * _weighted_share(
        truth.therapist_noise, of_outcome, clients_per_therapist
    )
    therapist = (b.therapist * truth.therapist_variance + client * of_therapist) / (
        truth.therapist_variance + of_therapist
    )
    return Slopes(within=b.within, client=client, therapist=therapist)


def _weighted_share(between: float, within: float, sizes: Floats) -> float:
    """Mean of 1 / size over groups that are weighted by the precision of their mean, 1 / (between + within / size)."""
    return float(np.average(1 / sizes, weights=1 / (between + within / sizes)))


def truth_record(cohort: Cohort) -> dict[str, Any]:
    """Return what `truth.json` says of a cohort beyond its parameters."""
    truth = slope_truth(cohort.parameters)
    causes = cohort.latent.episodes["cause"]
    return {
        "satisfaction_slopes": {
            "unit": "points of satisfaction per point of directiveness",
            "note": "latent: before floor and ceiling, all paths together; observed: as rated, what an analysis of the "
            "true levels would find; an analysis of observed means is attenuated further, see docs/simulation.md",
            **asdict(truth),
        },
        "endings": {
            "note": "causes of all courses, also those that the data cut hides",
            **{f"{cause}_prop": float((causes == cause).mean()) for cause in ("dropout", "planned", "other")},
        },
    }
