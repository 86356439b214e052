"""The systematic part of the model: what guidance does to each rating, without any noise.

Kept apart from the random draws, because the truth (`outcomes.simulate.world.truth`) is worked out from the same
equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import norm

from outcomes.simulate.world.parameters import CohortParameters
from outcomes.simulate.world.people import REACTANCE_MEAN, SEVERITY_MEAN, Floats
from outcomes.simulate.world.worlds import TREND_CENTRE

LOG_OFFSET = 0.1  # points, one step of the scale: the logarithm of a rating of 0 stays finite


@dataclass(frozen=True)
class Usual:
    """The usual level of directiveness, split: `level` = mean + `therapist` + `client` (deviations in points)."""

    level: Floats
    client: Floats
    therapist: Floats


def usual_directiveness(
    p: CohortParameters, client_habit: Floats, therapist_habit: Floats, asks: Floats, preferred: Floats
) -> Usual:
    """Return the long-run mean of a client's sessions: the habit, drawn towards the preference by asking.

    After a session with asking, the gap between habit and preference shrinks by `asked_pull`; a share `asks` of all
    sessions follows such a session.
    """
    d = p.directiveness
    drawn = d.asked_pull * asks
    therapist = therapist_habit - drawn * (d.mean + therapist_habit - d.preferred_mean)
    client = client_habit - drawn * (client_habit - (preferred - d.preferred_mean))
    return Usual(d.mean + therapist + client, client, therapist)


def excess(p: CohortParameters, directiveness: Floats, preferred: Floats) -> Floats:
    """Return the points of overwhelm that come from more guidance than the client wants."""
    return p.experience.overwhelmed_excess * np.maximum(directiveness - preferred, 0.0)


def direct_satisfaction(
    p: CohortParameters,
    directiveness: Floats,
    usual: Usual,
    preferred: Floats,
    reactance: Floats,
    severity: Floats,
    session: Floats,
) -> Floats:
    """Return latent satisfaction without the paths through alliance and overwhelm and without any random effect."""
    s, d = p.satisfaction, p.directiveness
    return (
        s.mean
        + s.log_session * np.log(session)
        + s.slopes.within * (directiveness - usual.level)
        + s.slopes.client * usual.client
        + s.slopes.therapist * usual.therapist
        - s.misfit_cost * ((directiveness - preferred) ** 2 - mean_squared_misfit(p))
        - s.level_cost * ((directiveness - s.best_level) ** 2 - mean_squared_distance(p, s.best_level))
        - s.unusual_cost * ((directiveness - usual.level) ** 2 - d.session_sd**2)
        + s.log_gain * np.log((directiveness + LOG_OFFSET) / (d.mean + LOG_OFFSET))
        + s.reactance * (reactance - REACTANCE_MEAN) * (directiveness - d.mean)
        + s.severity * (severity - SEVERITY_MEAN)
        + p.world.satisfaction_trend * (session - TREND_CENTRE)
    )


def guided_dropout(p: CohortParameters, directiveness: Floats, usual: Usual, preferred: Floats) -> Floats:
    """Return what guidance adds to the logit of dropping out, about its mean, without the way through alliance."""
    e, d = p.endings, p.directiveness
    return (
        e.slopes.within * (directiveness - usual.level)
        + e.slopes.client * usual.client
        + e.slopes.therapist * usual.therapist
        + e.misfit * (np.abs(directiveness - preferred) - mean_absolute_misfit(p))
        + e.level_cost * ((directiveness - e.best_level) ** 2 - mean_squared_distance(p, e.best_level))
        + e.unusual_cost * ((directiveness - usual.level) ** 2 - d.session_sd**2)
    )


def misfit_variance(p: CohortParameters) -> float:
    """Variance of directiveness - preferred over sessions, before any asking."""
    d = p.directiveness
    shared = d.client_sd**2 + d.preferred_sd**2 - 2 * d.accommodation * d.client_sd * d.preferred_sd
    sorted_ = 2 * p.world.sorting * d.therapist_sd * (d.preferred_sd - d.accommodation * d.client_sd)
    return shared + d.therapist_sd**2 + d.session_sd**2 - sorted_


def mean_squared_misfit(p: CohortParameters) -> float:
    """Mean of (directiveness - preferred)^2, before any asking: the constant that keeps the outcome's mean in place."""
    return misfit_variance(p) + (p.directiveness.mean - p.directiveness.preferred_mean) ** 2


def mean_squared_distance(p: CohortParameters, best_level: float) -> float:
    """Mean of (directiveness - best level)^2 over sessions, before any asking."""
    d = p.directiveness
    sorted_ = 2 * p.world.sorting * d.therapist_sd * d.accommodation * d.client_sd
    return d.client_sd**2 + d.therapist_sd**2 + d.session_sd**2 + sorted_ + (d.mean - best_level) ** 2


@lru_cache(maxsize=16)
def mean_absolute_misfit(p: CohortParameters) -> float:
    """Mean of |directiveness - preferred| (folded normal), before any asking; the same after every session."""
    gap, sd = p.directiveness.mean - p.directiveness.preferred_mean, float(np.sqrt(misfit_variance(p)))
    return float(2 * sd * norm.pdf(gap / sd) + gap * (1 - 2 * norm.cdf(-gap / sd)))


def dropout_logit(p: CohortParameters, session: int) -> float:
    """Return the logit of the baseline hazard of dropping out after attended session `session` (1-based)."""
    e = p.endings
    hazard = e.dropout_hazard * (e.early_factor if session <= 3 else 1.0) * np.exp(-e.decay * (session - 1))
    return float(np.log(hazard / (1 - hazard)) + e.dropout_offset)


def planned_hazard(p: CohortParameters, session: int) -> float:
    """Return the hazard of a planned ending after attended session `session`; 1 at the horizon."""
    e = p.endings
    if session >= e.horizon:
        return 1.0
    return e.planned_early if session < 4 else min(1.0, e.planned_base + e.planned_step * (session - 4))
