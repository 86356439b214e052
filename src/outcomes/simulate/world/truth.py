"""What the parameters imply for the slopes that an analysis can see.

Satisfaction is a latent normal, cut at floor and ceiling. For normal predictors the slope of the cut outcome is the
latent slope times the probability that a rating is not cut (Goldberger 1981, doi 10.1016/0304-4076(81)90085-6;
Greene 1981, doi 10.2307/1911523); misfit, overwhelm and reactance bend the latent outcome, so that the exact linear
projection is worked out numerically here and the product is given beside it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.stats import norm

from outcomes.simulate.world.cohort import Cohort
from outcomes.simulate.world.contrasts import contrasts_record
from outcomes.simulate.world.guidance import (
    direct_satisfaction,
    dropout_logit,
    excess,
    planned_hazard,
    usual_directiveness,
)
from outcomes.simulate.world.parameters import RATING_MAXIMUM, RATING_MINIMUM, CohortParameters, Slopes
from outcomes.simulate.world.people import Floats, draw_clients, draw_therapists
from outcomes.simulate.world.scale import cuts, rate
from outcomes.simulate.world.worlds import TREND_CENTRE

_REFERENCE_CLIENTS = 400_000  # each with a therapist of its own: Monte-Carlo error of a slope below 0.002
_REFERENCE_SEED = 20_240_101
NEXT_SESSION_SLOPE = 0.0
"""In no world does guidance act on a later session but through what the therapist does next."""


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
        Probability that a rating lies between floor and ceiling (the lowest and the highest answer); `latent` times
        this is Goldberger's approximation.
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

    What a world adds to the spread of guidance is in; what it adds to the link of guidance and satisfaction is not:
    these are slopes of what guidance does. Where therapists respond, the spread that this adds is worked out from the
    noise of satisfaction alone; with a trend in guidance, slopes are at equal session number.
    """
    return _slope_truth(_one_client_a_therapist(parameters))


@lru_cache(maxsize=8)
def _slope_truth(p: CohortParameters) -> SlopeTruth:
    """Work them out once for cohorts of any size."""
    rng = np.random.default_rng(_REFERENCE_SEED)
    therapists = draw_therapists(p, rng)
    clients = draw_clients(p, therapists, rng)
    preferred, asks = clients.preferred, therapists.asks[clients.therapist]
    habit = therapists.habit[clients.therapist]
    usual = usual_directiveness(p, clients.habit, habit, asks, preferred)
    asked = rng.random(p.clients) < asks
    level = p.directiveness.mean + habit + clients.habit
    aimed = level - p.directiveness.asked_pull * asked * (level - preferred)
    noise = _noise_variances(p)
    departure = rng.normal(0, _session_sd(p, noise), p.clients)
    session = rng.choice(np.arange(1, p.endings.horizon + 1), size=p.clients, p=_session_probs(p))
    directiveness = rate(aimed + departure + p.world.guidance_trend * (session - TREND_CENTRE))
    within = directiveness - usual.level
    s, x = p.satisfaction, p.experience
    mean = (
        direct_satisfaction(p, directiveness, usual, preferred, clients.reactance, clients.severity, session)
        + s.alliance * x.alliance_within * within
        + s.overwhelmed * excess(p, directiveness, preferred)
        + clients.slope * within
    )
    observed, uncut = _recorded_mean(p, mean, float(np.sqrt(sum(noise))), rng)
    parts = [np.ones(p.clients), within, usual.client, usual.therapist]
    if p.world.guidance_trend:
        parts += [session, np.log(session)]
    outcomes = np.column_stack([mean, observed])
    latent_slopes, observed_slopes = np.linalg.lstsq(np.column_stack(parts), outcomes, rcond=None)[0][1:4].T
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


def _session_sd(p: CohortParameters, noise: tuple[float, float, float]) -> float:
    """Spread of guidance over sessions around what was aimed at, with what therapists do in response to noise."""
    of_response = p.world.response**2 * sum(noise) + p.world.response_within**2 * noise[0]
    of_both = 2 * p.world.response * p.world.response_within * noise[0]
    return float(np.sqrt(p.directiveness.session_sd**2 + of_response + of_both))


def _recorded_mean(p: CohortParameters, mean: Floats, sd: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return mean and probability of being uncut of normals as the world's scale records them."""
    if not p.world.satisfaction_shares:
        return _cut_mean(mean, sd)
    at = cuts(mean + rng.normal(0, sd, len(mean)), p.world.satisfaction_shares)
    above = norm.sf((at - mean[:, None]) / sd)
    step = (RATING_MAXIMUM - RATING_MINIMUM) / len(at)
    return RATING_MINIMUM + step * above.sum(axis=1), above[:, 0] - above[:, -1]


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
    p = cohort.parameters
    causes = cohort.latent.episodes["cause"]
    by_guidance = ("slopes", "misfit", "best_level", "level_cost", "unusual_cost")
    return {
        "satisfaction_slopes": {
            "unit": "points of satisfaction per point of directiveness",
            "note": "latent: before floor and ceiling, all paths together; observed: as rated, what an analysis of the "
            "true levels would find; an analysis of observed means is attenuated further, see docs/simulation.md",
            **asdict(slope_truth(p)),
        },
        "dropout_slopes": {
            "unit": "logit of the hazard of dropping out after a session: per point of directiveness (slopes) and of "
            "distance from the preference (misfit), per squared point of distance from the best level (level_cost) and "
            "from the client's usual level (unusual_cost)",
            **{name: asdict(p.endings)[name] for name in by_guidance},
        },
        "dynamics": _dynamics(p),
        "contrasts": contrasts_record(p),
        "endings": {
            "note": "causes of all courses, also those that the data cut hides",
            **{f"{cause}_prop": float((causes == cause).mean()) for cause in ("dropout", "planned", "other")},
        },
    }


def _dynamics(p: CohortParameters) -> dict[str, Any]:
    """Say what passes from one session to the next, and what differs between therapists beside guidance."""
    world = p.world
    return {
        "note": "responsiveness: points of guidance per point of satisfaction's residual in the session before; "
        "responsiveness_to_level: per point of what else made latent satisfaction differ from the mean of all clients; "
        "carry_over: autocorrelation of the residual from session to session; next_session_slope: points of "
        "satisfaction per point of guidance in the session before, at equal guidance now; trends: points per session; "
        "liking: points of satisfaction per point by which a therapist is more directive, no effect of guidance",
        "responsiveness": world.response + world.response_within,
        "responsiveness_to_level": world.response,
        "carry_over": world.carry_over,
        "next_session_slope": NEXT_SESSION_SLOPE,
        "guidance_trend": world.guidance_trend,
        "satisfaction_trend": world.satisfaction_trend,
        "liking": world.liking,
    }
