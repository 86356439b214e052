"""The attended sessions of all episodes: one step per session number, all clients at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from outcomes.simulate.world.guidance import (
    direct_satisfaction,
    dropout_logit,
    excess,
    mean_absolute_misfit,
    planned_hazard,
    usual_directiveness,
)
from outcomes.simulate.world.parameters import RATING_MAXIMUM, RATING_MINIMUM, CohortParameters
from outcomes.simulate.world.people import Clients, Flags, Floats, Integers, Therapists

PLANNED, DROPOUT, OTHER = 0, 1, 2


@dataclass(frozen=True)
class Sessions:
    """One entry per attended session, in the order of episodes and, in them, of sessions.

    Ratings are latent (before floor, ceiling and rounding), except `directiveness`, which is as rated: it is the
    guidance that the client experienced that acts on the rest. The three parts of it are deviations in points.
    """

    episode: Integers
    number: Integers
    therapist: Integers
    directiveness: Floats
    within_part: Floats
    client_part: Floats
    therapist_part: Floats
    asked: Flags
    satisfaction: Floats
    alliance: Floats
    overwhelmed: Floats
    autonomy: Floats
    empowerment: Floats


def draw_courses(
    p: CohortParameters, clients: Clients, therapists: Therapists, client_of: Integers, rng: np.random.Generator
) -> tuple[Sessions, Integers]:
    """Draw every attended session of episodes (of clients `client_of`) and how each episode ends.

    Returns
    -------
    sessions : Sessions
    endings : array of shape (episodes,)
        PLANNED, DROPOUT or OTHER.
    """
    endings = np.full(len(client_of), PLANNED)
    active = np.arange(len(client_of))
    # A client who changes therapist does so before one of the sessions 3 to 8 (or leaves before it comes to that).
    change_at = rng.integers(3, 9, len(client_of))
    # Session 1 follows the intake, where a therapist asks as often as later: the usual level holds from the start.
    asked_before = rng.random(len(client_of)) < therapists.asks[clients.therapist[client_of]]
    steps = []
    for number in range(1, p.endings.horizon + 1):
        step = _draw_step(p, clients, therapists, client_of, active, number, change_at, asked_before, rng)
        steps.append(step)
        outcome = _draw_ending(p, clients, therapists, client_of[active], step, number, rng)
        over = outcome >= 0
        endings[active[over]] = outcome[over]
        active, asked_before = active[~over], step.asked[~over]
    together = {f.name: np.concatenate([getattr(step, f.name) for step in steps]) for f in fields(Sessions)}
    order = np.argsort(together["episode"], kind="stable")
    return Sessions(**{name: values[order] for name, values in together.items()}), endings


def _draw_step(p, clients, therapists, client_of, active, number, change_at, asked_before, rng) -> Sessions:
    """Draw session `number` of the active episodes."""
    d, s, x = p.directiveness, p.satisfaction, p.experience
    c, n = client_of[active], len(active)
    therapist = np.where(number >= change_at[active], clients.next_therapist[c], clients.therapist[c])
    preferred, asks = clients.preferred[c], therapists.asks[therapist]
    usual = usual_directiveness(p, clients.habit[c], therapists.habit[therapist], asks, preferred)
    habit = d.mean + therapists.habit[therapist] + clients.habit[c]
    aimed = habit - d.asked_pull * asked_before * (habit - preferred)
    directiveness = rate(aimed + rng.normal(0, d.session_sd, n))
    within = directiveness - usual.level
    alliance = (
        x.alliance_mean + clients.alliance[c] + x.alliance_within * within + rng.normal(0, x.alliance_residual_sd, n)
    )
    overwhelmed = (
        x.overwhelmed_mean
        + excess(p, directiveness, preferred)
        + clients.overwhelmed[c]
        + rng.normal(0, x.overwhelmed_residual_sd, n)
    )
    autonomy = (
        x.autonomy_mean
        + x.autonomy_directiveness * (directiveness - d.mean)
        + clients.autonomy[c]
        + rng.normal(0, x.autonomy_residual_sd, n)
    )
    satisfaction = (
        direct_satisfaction(p, directiveness, usual, preferred, clients.reactance[c], clients.severity[c], number)
        + s.alliance * (alliance - x.alliance_mean)
        + s.overwhelmed * (overwhelmed - x.overwhelmed_mean)
        + clients.satisfaction[c]
        + clients.slope[c] * within
        + therapists.satisfaction[therapist]
        + rng.normal(0, s.residual_sd, n)
    )
    empowerment = (
        x.empowerment_mean
        + x.empowerment_autonomy * (autonomy - x.autonomy_mean)
        + x.empowerment_satisfaction * (satisfaction - s.mean)
        + x.empowerment_log_session * np.log(number)
        + clients.empowerment[c]
        + rng.normal(0, x.empowerment_residual_sd, n)
    )
    return Sessions(
        episode=active,
        number=np.full(n, number),
        therapist=therapist,
        directiveness=directiveness,
        within_part=within,
        client_part=usual.client,
        therapist_part=usual.therapist,
        asked=rng.random(n) < asks,
        satisfaction=satisfaction,
        alliance=alliance,
        overwhelmed=overwhelmed,
        autonomy=autonomy,
        empowerment=empowerment,
    )


def _draw_ending(p, clients, therapists, c, step: Sessions, number, rng) -> Integers:
    """Draw what follows this session: -1 another one, else the cause of the ending (competing risks of one draw)."""
    e = p.endings
    logit = (
        dropout_logit(p, number)
        + therapists.dropout[step.therapist]
        + e.slopes.within * step.within_part
        + e.slopes.client * step.client_part
        + e.slopes.therapist * step.therapist_part
        + e.misfit * (np.abs(step.directiveness - clients.preferred[c]) - mean_absolute_misfit(p))
        + e.alliance * (step.alliance - p.experience.alliance_mean)
        + e.client_satisfaction * clients.satisfaction[c]
    )
    dropout = 1 / (1 + np.exp(-logit))
    if number == e.horizon:
        dropout = np.zeros_like(dropout)
    planned = (1 - dropout) * planned_hazard(p, number)
    other = (1 - dropout - planned) * e.other_hazard
    draw = rng.random(len(c))
    outcome = np.full(len(c), -1)
    outcome[draw < dropout + planned + other] = OTHER
    outcome[draw < dropout + planned] = PLANNED
    outcome[draw < dropout] = DROPOUT
    return outcome


def rate(latent: Floats) -> Floats:
    """Turn a latent 0-10 rating into the recorded one: floor, ceiling, steps of 0.1."""
    return np.round(np.clip(latent, RATING_MINIMUM, RATING_MAXIMUM), 1)
