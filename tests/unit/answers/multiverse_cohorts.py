"""Small cohorts for the multiverse, with exactly the columns that it reads, and a slope that is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import polars as pl
from answer_cohorts import SETTINGS

from outcomes.study import StudySettings
from outcomes.study.tables.multiverse import (
    Covariates,
    Detrending,
    Dimension,
    Exclusion,
    Lag,
    Multiverse,
    Responsiveness,
)

SMALL = Multiverse(
    detrending=Dimension[Detrending](type="E", choices=(Detrending.NONE, Detrending.LOG)),
    covariates=Dimension[Covariates](type="E", choices=(Covariates.NONE, Covariates.SEVERITY)),
    lag=Dimension[Lag](type="N", choices=(Lag.SAME_SESSION,)),
    exclusions=Dimension[Exclusion](type="U", choices=(Exclusion.NONE,)),
    flips=400,
    responsiveness=(Responsiveness.IGNORED,),
)
"""36 specifications of one population a covariate, in one pool."""


def settings(multiverse: Multiverse = SMALL) -> StudySettings:
    """The template's settings with another multiverse."""
    return SETTINGS.model_copy(update={"multiverse": multiverse})


def cohort(
    seed: int, *, slope: float = 0.0, slope_sd: float = 0.0, therapists: int = 30, clients: int = 8, sessions: int = 6
) -> dict[str, pl.DataFrame]:
    """Sessions whose satisfaction has a slope on this session's guidance that varies between therapists.

    Clients' and therapists' usual levels of guidance vary, and so do their levels of satisfaction, apart from guidance.
    """
    rng = np.random.default_rng(seed)
    j = np.repeat(np.arange(therapists), clients * sessions)
    i = np.repeat(np.arange(therapists * clients), sessions)
    t = np.tile(np.arange(1, sessions + 1), therapists * clients)
    usual = 5 + rng.normal(0, 0.8, therapists)[j] + rng.normal(0, 0.8, therapists * clients)[i]
    departure = rng.normal(0, 1, len(t))
    own = rng.normal(0, 0.4, therapists * clients)  # clients differ, or the models' slopes by client are singular
    slopes = slope + rng.normal(0, slope_sd, therapists) if slope_sd else np.full(therapists, slope)
    severity = rng.normal(20, 5, therapists * clients)[i]
    y = 6 + rng.normal(0, 0.5, therapists)[j] + rng.normal(0, 0.7, therapists * clients)[i] + rng.normal(0, 1, len(t))
    y += (slopes[j] + own[i]) * departure + 0.2 * np.log(t) - 0.02 * severity
    sessions_of = pl.DataFrame(
        {
            "session_id": [f"{client}-{number}" for client, number in zip(i, t, strict=True)],
            "client_id": [f"c{client}" for client in i],
            "therapist_id": [f"t{therapist}" for therapist in j],
            "episode_id": [f"e{client}" for client in i],
            "attended_number": t,
            "intake_severity_score": severity,
            "directiveness_preferred_score": np.full(len(t), None, dtype=object).tolist(),
            "satisfaction_score": y,
            "directiveness_score": usual + departure,
        },
        schema_overrides={"directiveness_preferred_score": pl.Float64},
    )
    ratings = ["session_id", "satisfaction_score", "directiveness_score"]
    return {"mart_person_session": sessions_of.drop("satisfaction_score"), "core_sessions": sessions_of.select(ratings)}


@contextmanager
def tables(frames: dict[str, pl.DataFrame]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with these tables."""
    with duckdb.connect() as con:
        for name, frame in frames.items():
            con.register("given", frame.to_arrow())
            con.execute(f"create table {name} as select * from given")
            con.unregister("given")
        yield con
