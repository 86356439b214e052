"""What is true at given distances from the client's preference, worked out by the generator itself.

The same clients, with the same chance, are followed again and again with guidance set where a contrast asks for it;
endings are not drawn but weighed by their probabilities, which leaves little chance in the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import numpy as np

from outcomes.simulate.world.courses import CHANGES, Step, before_the_first, draw_step, hazards
from outcomes.simulate.world.experience import experienced
from outcomes.simulate.world.parameters import RATING_MAXIMUM, RATING_MINIMUM, CohortParameters
from outcomes.simulate.world.people import Clients, Floats, Therapists, draw_clients, draw_therapists
from outcomes.simulate.world.scale import answer, cuts, rate

DISTANCES = (-4.0, -2.0, 0.0, 2.0, 4.0)
"""Points of guidance above the client's preference; below 0 it is too little."""
AMOUNTS = (1.0, 3.0, 5.0, 7.0, 9.0)
"""Points of guidance, whatever the client prefers."""
HORIZONS = (3, 8, 12)
"""Attended sessions by which dropout is counted."""
_REFERENCE_CLIENTS = 10_000  # each with a therapist of its own: standard error of a risk 0.002, of a mean 0.015
_REFERENCE_SEED = 20_240_102


@dataclass(frozen=True)
class Contrast:
    """What is true where guidance is so.

    Attributes
    ----------
    by : str
        `distance` from the client's preference or `amount` of guidance.
    points : float
        Guidance above the preference (below 0: too little), or guidance itself.
    cut_prop : float
        Share (0 to 1) of clients for whom the scale ends before that distance: theirs is at the scale's end.
    satisfaction, satisfaction_latent : float
        Mean over the sessions that take place where nobody sets guidance, each with only its own guidance set; as rated
        (all forms returned) and before floor and ceiling. Points.
    dropout_risk : dict
        By session number: probability of having dropped out after at most so many attended sessions, other endings
        competing, where guidance is so in every session.
    """

    by: str
    points: float
    cut_prop: float
    satisfaction: float
    satisfaction_latent: float
    dropout_risk: dict[str, float]


@dataclass(frozen=True)
class _People:
    parameters: CohortParameters
    clients: Clients
    therapists: Therapists


def contrasts(parameters: CohortParameters) -> tuple[Contrast, ...]:
    """Work out satisfaction and dropout at `DISTANCES` from the preference and at `AMOUNTS` of guidance.

    They are standardised over the population that the cohort is drawn from: its clients, therapists and worlds.

    Returns
    -------
    tuple of Contrast
        Distances first, in order.
    """
    return _contrasts(replace(parameters, clients=_REFERENCE_CLIENTS, therapists=_REFERENCE_CLIENTS))


@lru_cache(maxsize=8)
def _contrasts(parameters: CohortParameters) -> tuple[Contrast, ...]:
    """Work them out once for cohorts of any size."""
    people = _reference_people(parameters)
    natural = _follow(people, parameters.endings.horizon, None)
    preferred = people.clients.preferred
    asked = [("distance", points, preferred + points) for points in DISTANCES]
    asked += [("amount", points, np.full(len(preferred), points)) for points in AMOUNTS]
    rated = _scale(parameters, natural)
    return tuple(_contrast(people, natural, rated, *one) for one in asked)


def contrasts_record(parameters: CohortParameters) -> dict[str, object]:
    """Return what `truth.json` says of contrasts."""
    return {
        "unit": "satisfaction in points; dropout_risk is a probability by attended session",
        "note": "distance: guidance above the client's preference in points; satisfaction with one session's guidance "
        "set, over the sessions that take place; dropout with every session's guidance set; over the population that "
        "the cohort is drawn from; where the scale ends before (cut_prop), guidance is at its end",
        "rows": [asdict(one) for one in contrasts(parameters)],
    }


def _reference_people(p: CohortParameters) -> _People:
    """Draw clients and therapists, as many of these as of those: the means then hold over therapists too."""
    rng = np.random.default_rng(_REFERENCE_SEED)
    therapists = draw_therapists(p, rng)
    return _People(p, draw_clients(p, therapists, rng), therapists)


@dataclass(frozen=True)
class _Followed:
    """One session number of all clients; `weight` is the probability that it takes place."""

    step: Step
    weight: Floats
    dropout: Floats


def _follow(people: _People, sessions: int, guidance: Floats | None) -> list[_Followed]:
    """Follow all clients through a number of sessions, whoever would have left."""
    p, clients, therapists = people.parameters, people.clients, people.therapists
    rng = np.random.default_rng(_REFERENCE_SEED + 1)  # the same chance whatever guidance is set
    everybody = np.arange(p.clients)
    change_at = rng.integers(*CHANGES, p.clients)
    before = before_the_first(therapists, clients.therapist, rng)
    weight, followed = np.ones(p.clients), []
    for number in range(1, sessions + 1):
        therapist = np.where(number >= change_at, clients.next_therapist, clients.therapist)
        step = draw_step(p, clients, therapists, everybody, everybody, therapist, number, before, rng, guidance)
        dropout, planned, other = hazards(p, clients, therapists, step, number)
        followed.append(_Followed(step, weight, dropout))
        weight, before = weight * (1 - dropout - planned - other), step.left
    return followed


def _scale(p: CohortParameters, natural: list[_Followed]) -> Callable[[Floats], Floats]:
    """Return how satisfaction is recorded in this world."""
    if not p.world.satisfaction_shares:
        return rate
    latent = np.concatenate([session.step.sessions.satisfaction for session in natural])
    at = cuts(latent, p.world.satisfaction_shares, np.concatenate([session.weight for session in natural]))
    return lambda values: answer(values, at)


def _contrast(
    people: _People,
    natural: list[_Followed],
    rated: Callable[[Floats], Floats],
    by: str,
    points: float,
    guidance: Floats,
) -> Contrast:
    """Set guidance and see what follows."""
    within_scale = np.clip(guidance, RATING_MINIMUM, RATING_MAXIMUM)
    risk, by_session = 0.0, {}
    for number, session in enumerate(_follow(people, max(HORIZONS), within_scale), start=1):
        risk += float(np.mean(session.weight * session.dropout))
        by_session[number] = risk
    latent = [_satisfaction(people, number, session.step, within_scale) for number, session in enumerate(natural, 1)]
    weights = [session.weight for session in natural]
    return Contrast(
        by=by,
        points=points,
        cut_prop=float(np.mean(guidance != within_scale)),
        satisfaction=float(np.average([rated(values) for values in latent], weights=weights)),
        satisfaction_latent=float(np.average(latent, weights=weights)),
        dropout_risk={str(number): by_session[number] for number in HORIZONS},
    )


def _satisfaction(people: _People, number: int, step: Step, guidance: Floats) -> Floats:
    """Return latent satisfaction with a session that took place, had its guidance been another."""
    residuals = step.left.residuals
    assert residuals is not None  # every session leaves its residuals behind
    return experienced(
        people.parameters, people.clients, people.therapists, step.seats, number, guidance, residuals
    ).satisfaction
