"""The attended sessions of all episodes: one step per session number, all clients at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from outcomes.simulate.world.experience import (
    Residuals,
    Seats,
    draw_residuals,
    experienced,
    satisfaction_residual,
    seat,
)
from outcomes.simulate.world.guidance import dropout_logit, guided_dropout, planned_hazard
from outcomes.simulate.world.parameters import CohortParameters
from outcomes.simulate.world.people import Clients, Flags, Floats, Integers, Therapists
from outcomes.simulate.world.scale import rate
from outcomes.simulate.world.worlds import TREND_CENTRE

PLANNED, DROPOUT, OTHER = 0, 1, 2
CHANGES = (3, 9)  # attended sessions (the last one exclusive) before which a client who changes therapist does so


@dataclass(frozen=True)
class Sessions:
    """One entry per attended session, in the order of episodes and, in them, of sessions.

    Ratings are latent (before floor, ceiling and rounding), except `directiveness`, which is as rated: it is the
    guidance that the client experienced that acts on the rest. The three parts of it are deviations in points.
    `residual` is what chance added to satisfaction.
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
    residual: Floats
    alliance: Floats
    overwhelmed: Floats
    autonomy: Floats
    empowerment: Floats


@dataclass(frozen=True)
class Before:
    """What the session before left behind, one entry per active episode.

    `asked`: the therapist asked how the guidance felt; `pushed`: points by which the therapist will move guidance in
    response to how it went; `residuals`: None before the first session.
    """

    asked: Flags
    pushed: Floats
    residuals: Residuals | None

    def of(self, rows: Flags) -> Before:
        """Return that of some of the episodes."""
        return Before(self.asked[rows], self.pushed[rows], self.residuals and self.residuals.of(rows))


@dataclass(frozen=True)
class Step:
    """One session number of the active episodes: what happened, who sat where, and what it leaves behind."""

    sessions: Sessions
    seats: Seats
    left: Before


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
    change_at = rng.integers(*CHANGES, len(client_of))
    before = before_the_first(therapists, clients.therapist[client_of], rng)
    steps = []
    for number in range(1, p.endings.horizon + 1):
        c = client_of[active]
        therapist = np.where(number >= change_at[active], clients.next_therapist[c], clients.therapist[c])
        step = draw_step(p, clients, therapists, active, c, therapist, number, before, rng)
        steps.append(step.sessions)
        outcome = _draw_ending(p, clients, therapists, step, number, rng)
        over = outcome >= 0
        endings[active[over]] = outcome[over]
        active, before = active[~over], step.left.of(~over)
    together = {f.name: np.concatenate([getattr(step, f.name) for step in steps]) for f in fields(Sessions)}
    order = np.argsort(together["episode"], kind="stable")
    return Sessions(**{name: values[order] for name, values in together.items()}), endings


def before_the_first(therapists: Therapists, therapist: Integers, rng: np.random.Generator) -> Before:
    """Return what the first session of clients of these therapists finds.

    It follows the intake, where a therapist asks as often as later: the usual level holds from the start.
    """
    return Before(rng.random(len(therapist)) < therapists.asks[therapist], np.zeros(len(therapist)), None)


def draw_step(
    p: CohortParameters,
    clients: Clients,
    therapists: Therapists,
    episode: Integers,
    client: Integers,
    therapist: Integers,
    number: int,
    before: Before,
    rng: np.random.Generator,
    guidance: Floats | None = None,
) -> Step:
    """Draw session `number` of episodes.

    Parameters
    ----------
    guidance : array, optional
        Sets the guidance of this session, whatever the therapist would have done. Chance draws the same numbers with
        it and without.
    """
    d, s, n = p.directiveness, p.satisfaction, len(client)
    seats = seat(p, clients, therapists, client, therapist)
    preferred = clients.preferred[client]
    habit = d.mean + therapists.habit[therapist] + clients.habit[client]
    aimed = habit - d.asked_pull * before.asked * (habit - preferred)
    aimed = aimed + before.pushed + p.world.guidance_trend * (number - TREND_CENTRE)
    drawn = rate(aimed + rng.normal(0, d.session_sd, n))
    directiveness = drawn if guidance is None else guidance
    residuals = draw_residuals(p, n, before.residuals, rng)
    ratings = experienced(p, clients, therapists, seats, number, directiveness, residuals)
    asked = rng.random(n) < therapists.asks[therapist]
    residual = satisfaction_residual(p, residuals)
    pushed = p.world.response * (ratings.satisfaction - s.mean) + p.world.response_within * residual
    sessions = Sessions(
        episode=episode,
        number=np.full(n, number),
        therapist=therapist,
        directiveness=directiveness,
        within_part=directiveness - seats.usual.level,
        client_part=seats.usual.client,
        therapist_part=seats.usual.therapist,
        asked=asked,
        satisfaction=ratings.satisfaction,
        residual=residual,
        alliance=ratings.alliance,
        overwhelmed=ratings.overwhelmed,
        autonomy=ratings.autonomy,
        empowerment=ratings.empowerment,
    )
    return Step(sessions, seats, Before(asked, pushed, residuals))


def hazards(
    p: CohortParameters, clients: Clients, therapists: Therapists, step: Step, number: int
) -> tuple[Floats, Floats, Floats]:
    """Return the probabilities that a course ends after this session, by dropout, as planned, for another reason."""
    e, sessions, c = p.endings, step.sessions, step.seats.client
    logit = (
        dropout_logit(p, number)
        + therapists.dropout[sessions.therapist]
        + guided_dropout(p, sessions.directiveness, step.seats.usual, clients.preferred[c])
        + e.alliance * (sessions.alliance - p.experience.alliance_mean)
        + e.client_satisfaction * clients.satisfaction[c]
    )
    dropout = np.zeros_like(logit) if number == e.horizon else 1 / (1 + np.exp(-logit))
    planned = (1 - dropout) * planned_hazard(p, number)
    return dropout, planned, (1 - dropout - planned) * e.other_hazard


def _draw_ending(
    p: CohortParameters, clients: Clients, therapists: Therapists, step: Step, number: int, rng: np.random.Generator
) -> Integers:
    """Draw what follows this session: -1 another one, else the cause of the ending (competing risks of one draw)."""
    dropout, planned, other = hazards(p, clients, therapists, step, number)
    draw = rng.random(len(dropout))
    outcome = np.full(len(dropout), -1)
    outcome[draw < dropout + planned + other] = OTHER
    outcome[draw < dropout + planned] = PLANNED
    outcome[draw < dropout] = DROPOUT
    return outcome
