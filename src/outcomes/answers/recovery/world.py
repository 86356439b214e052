"""A simulated world of a study's size: as many clients and therapists, courses as long, dropout as frequent."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import duckdb
import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit

from outcomes.answers.common.simulated import built
from outcomes.simulate import CohortParameters, simulate_cohort
from outcomes.simulate.world.guidance import dropout_logit, planned_hazard
from outcomes.study import StudySettings

MAX_CLIENTS = 3_000
"""Larger studies are simulated with so many: they do at least as well, and the simulation stays short."""
LONGEST = 3.0  # horizon of a course, as a multiple of the mean length
PROBE_CLIENTS, PROBE_SEED, PROBES = 1_000, 1, 3
STEP = (0.2, 5.0)  # furthest correction at once


@dataclass(frozen=True)
class StudySize:
    """What decides how much a study can tell.

    Attributes
    ----------
    clients, therapists : int
    sessions_per_client : float
        Attended sessions with a rating of guidance.
    dropout_prop : float
        Share (0-1) of the episodes with a known ending that are dropouts; NaN where none is known.
    """

    clients: int
    therapists: int
    sessions_per_client: float
    dropout_prop: float

    @property
    def rounded(self) -> StudySize:
        """To two significant digits, so that a study that grows a little asks the same of the simulation again."""
        return StudySize(*(_two_digits(value) for value in (self.clients, self.therapists)),
                         _two_digits(self.sessions_per_client), _two_digits(self.dropout_prop))  # fmt: skip

    @property
    def capped(self) -> StudySize:
        """With at most `MAX_CLIENTS`, and therapists in proportion."""
        if self.clients <= MAX_CLIENTS:
            return self
        return replace(
            self, clients=MAX_CLIENTS, therapists=max(round(self.therapists * MAX_CLIENTS / self.clients), 2)
        )


READ = ("mart_session_directiveness", "core_dropout_labels")
"""Tables of a release that its size is measured from."""


def measure(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> StudySize:
    """Measure the size of a database with core tables and marts."""
    ((clients, therapists, sessions),) = con.execute(
        "select count(distinct client_id), count(distinct therapist_id), count(*) from mart_session_directiveness"
    ).fetchall()
    ((dropouts, known),) = con.execute(
        "select count(*) filter (state = 'dropout'), count(*) from core_dropout_labels "
        "where definition = ? and state <> 'undetermined'",
        [settings.dropout.definition.value],
    ).fetchall()
    return StudySize(clients, therapists, sessions / max(clients, 1), dropouts / known if known else math.nan)


def world_of(size: StudySize, settings: StudySettings) -> CohortParameters:
    """Return the calibrated world with this size.

    Two parameters are moved: a factor on the hazards of planned endings (course length) and the level of the dropout
    hazard. They are set on the baseline hazards, then corrected by what a cohort of that world shows.
    """
    base = CohortParameters(clients=PROBE_CLIENTS, therapists=PROBE_CLIENTS // 20)
    wanted, world = np.log(_course(base)), base
    for _ in range(PROBES):
        with built(simulate_cohort(world, PROBE_SEED), settings, READ) as con:
            found = measure(con, settings)
        steps = [size.sessions_per_client / found.sessions_per_client, size.dropout_prop / found.dropout_prop]
        wanted = wanted + np.nan_to_num(np.log(np.clip(steps, *STEP)))  # an unknown share of dropout stays
        world = _moved(base, wanted)
    return replace(world, clients=size.clients, therapists=size.therapists)


def _moved(base: CohortParameters, wanted: np.ndarray) -> CohortParameters:
    """The world whose baseline course has the wanted length and share of dropout (logarithms)."""
    e, longest = base.endings, math.ceil(LONGEST * np.exp(wanted[0]))

    def at(x: np.ndarray) -> CohortParameters:
        factor = float(np.exp(x[0]))
        endings = replace(
            e,
            horizon=max(e.horizon, longest),
            planned_early=min(e.planned_early * factor, 0.9),
            planned_base=min(e.planned_base * factor, 0.9),
            planned_step=e.planned_step * factor,
            dropout_offset=e.dropout_offset + float(x[1]),
        )
        return replace(base, endings=endings)

    nearest = least_squares(lambda x: np.log(_course(at(x))) - wanted, np.zeros(2), bounds=([-5, -5], [5, 5]))
    return at(nearest.x)


def _course(p: CohortParameters) -> tuple[float, float]:
    """Mean length and share of dropout of courses with the baseline hazards."""
    alive, length, dropped = 1.0, 0.0, 0.0
    for number in range(1, p.endings.horizon + 1):
        length += alive
        dropout = float(expit(dropout_logit(p, number))) if number < p.endings.horizon else 0.0
        dropped += alive * dropout
        alive *= (1 - dropout) * (1 - min(planned_hazard(p, number), 1.0)) * (1 - p.endings.other_hazard)
    return length, dropped


def _two_digits(value: float) -> float:
    if math.isnan(value) or value == 0:
        return value
    digits = 1 - math.floor(math.log10(abs(value)))
    return type(value)(round(value, digits))
