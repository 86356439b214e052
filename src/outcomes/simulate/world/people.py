"""Practices, therapists and clients with their latent levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outcomes.simulate.world.parameters import CohortParameters

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

REACTANCE_MEAN, REACTANCE_SD = 4.0, 1.8
SEVERITY_MEAN, SEVERITY_SD = 20.0, 7.0
_CASELOAD_SHAPE = 4.0  # gamma shape of therapists' shares of the clients: caseloads differ by about a factor of 4


@dataclass(frozen=True)
class Therapists:
    """One entry per therapist.

    `habit` is the level of directiveness the therapist tends to (deviation in points), `satisfaction` includes the
    practice's effect, `dropout` is on the logit scale, `asks` the probability of asking how the guidance felt.
    """

    practice: Integers
    habit: Floats
    satisfaction: Floats
    dropout: Floats
    asks: Floats


@dataclass(frozen=True)
class Clients:
    """One entry per client; deviations in points, except `preferred`, `reactance`, `severity` (as rated)."""

    therapist: Integers
    next_therapist: Integers  # the same as `therapist` where the client does not change
    habit: Floats
    preferred: Floats
    reactance: Floats
    severity: Floats
    satisfaction: Floats
    slope: Floats
    alliance: Floats
    overwhelmed: Floats
    autonomy: Floats
    empowerment: Floats


def draw_therapists(p: CohortParameters, rng: np.random.Generator) -> Therapists:
    """Draw therapists in practices of about equal size."""
    d, s = p.directiveness, p.satisfaction
    practice = np.arange(p.therapists) % p.practices
    of_practice = rng.normal(0, s.practice_sd, p.practices)
    log_odds = np.log(d.asked_prob / (1 - d.asked_prob)) + rng.normal(0, d.asked_logit_sd, p.therapists)
    return Therapists(
        practice=practice,
        habit=rng.normal(0, d.therapist_sd, p.therapists),
        satisfaction=of_practice[practice] + rng.normal(0, s.therapist_sd, p.therapists),
        dropout=rng.normal(0, p.endings.therapist_sd, p.therapists),
        asks=1 / (1 + np.exp(-log_odds)),
    )


def draw_clients(p: CohortParameters, therapists: Therapists, rng: np.random.Generator) -> Clients:
    """Draw clients, give them to therapists, and let some change to a colleague of the same practice."""
    n, d, s, x = p.clients, p.directiveness, p.satisfaction, p.experience
    shares = rng.gamma(_CASELOAD_SHAPE, size=p.therapists)
    # Every therapist has a client where there are enough of them.
    first = rng.permutation(p.therapists)[:n]
    therapist = rng.permutation(
        np.concatenate([first, rng.choice(p.therapists, n - len(first), p=shares / shares.sum())])
    )
    # The therapists of practice k are k, k + practices, k + 2 practices ...
    size = np.bincount(therapists.practice)[therapists.practice[therapist]]
    place = (therapist // p.practices + rng.integers(1, np.maximum(size, 2))) % size
    changes = rng.random(n) < p.records.change_therapist_prop
    preference = rng.normal(size=n)
    habit = d.accommodation * preference + np.sqrt(1 - d.accommodation**2) * rng.normal(size=n)
    return Clients(
        therapist=therapist,
        next_therapist=np.where(changes, therapists.practice[therapist] + p.practices * place, therapist),
        habit=d.client_sd * habit,
        preferred=d.preferred_mean + d.preferred_sd * preference,
        reactance=rng.normal(REACTANCE_MEAN, REACTANCE_SD, n),
        severity=rng.normal(SEVERITY_MEAN, SEVERITY_SD, n),
        satisfaction=rng.normal(0, s.client_sd, n),
        slope=rng.normal(0, s.client_slope_sd, n),
        alliance=rng.normal(0, x.alliance_client_sd, n),
        overwhelmed=rng.normal(0, x.overwhelmed_client_sd, n),
        autonomy=rng.normal(0, x.autonomy_client_sd, n),
        empowerment=rng.normal(0, x.empowerment_client_sd, n),
    )
