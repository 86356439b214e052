"""What a session of given guidance is like for a client: every rating before floor, ceiling and rounding."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from outcomes.simulate.world.guidance import Usual, direct_satisfaction, excess, usual_directiveness
from outcomes.simulate.world.parameters import CohortParameters
from outcomes.simulate.world.people import Clients, Flags, Floats, Integers, Therapists


@dataclass(frozen=True)
class Residuals:
    """What chance adds to each rating of one session; one entry per client. Points."""

    alliance: Floats
    overwhelmed: Floats
    autonomy: Floats
    satisfaction: Floats
    empowerment: Floats

    def of(self, rows: Flags) -> Residuals:
        """Return those of some of the clients."""
        return Residuals(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True)
class Ratings:
    """Latent ratings of one session, one entry per client, beside directiveness."""

    alliance: Floats
    overwhelmed: Floats
    autonomy: Floats
    satisfaction: Floats
    empowerment: Floats


@dataclass(frozen=True)
class Seats:
    """Who sits where in one session, one entry per client.

    `client` and `therapist` index the people; `usual` is the guidance that the client usually gets there.
    """

    client: Integers
    therapist: Integers
    usual: Usual


def seat(p: CohortParameters, clients: Clients, therapists: Therapists, client: Integers, therapist: Integers) -> Seats:
    """Put clients before therapists."""
    usual = usual_directiveness(
        p, clients.habit[client], therapists.habit[therapist], therapists.asks[therapist], clients.preferred[client]
    )
    return Seats(client, therapist, usual)


def draw_residuals(p: CohortParameters, n: int, before: Residuals | None, rng: np.random.Generator) -> Residuals:
    """Draw the residuals of a session; those of the session before (None: there was none) last as the world says.

    r_t = c r_(t-1) + sqrt(1 - c^2) e_t with c = `carry_over`: the variance is the same in every session.
    """
    x = p.experience
    sds = (
        x.alliance_residual_sd,
        x.overwhelmed_residual_sd,
        x.autonomy_residual_sd,
        p.satisfaction.residual_sd,
        x.empowerment_residual_sd,
    )
    fresh = [rng.normal(0, sd, n) for sd in sds]
    if before is None:
        return Residuals(*fresh)
    carried = p.world.carry_over
    last = (getattr(before, f.name) for f in fields(Residuals))
    return Residuals(*(carried * old + np.sqrt(1 - carried**2) * new for old, new in zip(last, fresh, strict=True)))


def satisfaction_residual(p: CohortParameters, residuals: Residuals) -> Floats:
    """Return all that chance adds to latent satisfaction in a session, by whatever path."""
    s = p.satisfaction
    return residuals.satisfaction + s.alliance * residuals.alliance + s.overwhelmed * residuals.overwhelmed


def experienced(
    p: CohortParameters,
    clients: Clients,
    therapists: Therapists,
    seats: Seats,
    number: int,
    directiveness: Floats,
    residuals: Residuals,
) -> Ratings:
    """Return how session `number` (1-based, attended ones) is, given its guidance and its residuals."""
    d, s, x, c = p.directiveness, p.satisfaction, p.experience, seats.client
    preferred, within = clients.preferred[c], directiveness - seats.usual.level
    alliance = x.alliance_mean + clients.alliance[c] + x.alliance_within * within + residuals.alliance
    overwhelmed = (
        x.overwhelmed_mean + excess(p, directiveness, preferred) + clients.overwhelmed[c] + residuals.overwhelmed
    )
    autonomy = (
        x.autonomy_mean + x.autonomy_directiveness * (directiveness - d.mean) + clients.autonomy[c] + residuals.autonomy
    )
    satisfaction = (
        direct_satisfaction(p, directiveness, seats.usual, preferred, clients.reactance[c], clients.severity[c], number)
        + s.alliance * (alliance - x.alliance_mean)
        + s.overwhelmed * (overwhelmed - x.overwhelmed_mean)
        + clients.satisfaction[c]
        + clients.slope[c] * within
        + therapists.satisfaction[seats.therapist]
        + residuals.satisfaction
    )
    empowerment = (
        x.empowerment_mean
        + x.empowerment_autonomy * (autonomy - x.autonomy_mean)
        + x.empowerment_satisfaction * (satisfaction - s.mean)
        + x.empowerment_log_session * np.log(number)
        + clients.empowerment[c]
        + residuals.empowerment
    )
    return Ratings(alliance, overwhelmed, autonomy, satisfaction, empowerment)
