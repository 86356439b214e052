"""Cohorts by other code than the simulator's, numpy only: worlds in which guidance and satisfaction go together without
any effect of guidance (field guide, section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import polars as pl

LONGEST = 25
MIDDLE = 5.0

EFFECTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "no_effect": lambda d, p: np.zeros_like(d),
    "monotone": lambda d, p: 0.4 * (d - MIDDLE),
    "best_level": lambda d, p: -0.15 * (d - MIDDLE) ** 2,
    "fit": lambda d, p: -0.15 * (d - p) ** 2,
}


def sessions(
    seed: int,
    effect: str,
    *,
    clients: int = 800,
    therapists: int = 50,
    respond: float = 0.0,
    serial: float = 0.0,
    guidance_trend: float = 0.0,
    satisfaction_trend: float = 0.0,
    liked: float = 0.0,
    sorted_by: float = 0.0,
    longest: int = LONGEST,
) -> pl.DataFrame:
    """One attended session a row, with the columns of the mart that the verdicts read.

    `respond`: points of guidance per point of the latent satisfaction of the session before, above the mean of all;
    `serial`: correlation of a session's residual with the one before; trends in points per session about session 5;
    `liked`: points of satisfaction per point of a therapist's own usual guidance; `sorted_by`: correlation of clients'
    preference with it.
    """
    rng = np.random.default_rng(seed)
    style, talent = rng.normal(0, 0.7, therapists), rng.normal(0, 0.3, therapists)
    who = rng.integers(0, therapists, clients)
    preferred = MIDDLE + 1.5 * (sorted_by * style[who] / 0.7 + np.sqrt(1 - sorted_by**2) * rng.normal(size=clients))
    usual = MIDDLE + style[who] + 0.3 * (preferred - MIDDLE) + rng.normal(0, 0.7, clients)
    content = 7 + liked * style[who] + talent[who] + rng.normal(0, 0.8, clients)
    stays = np.minimum(1 + rng.geometric(0.1, clients), longest)
    mood = rng.normal(size=clients)
    before = np.zeros(clients)
    parts = []
    for t in range(1, longest + 1):
        d = usual + respond * before + guidance_trend * (t - 5) + rng.normal(0, 1.2, clients)
        d = np.clip(np.round(d, 1), 0, 10)
        latent = content + EFFECTS[effect](d, preferred) + satisfaction_trend * (t - 5) + mood
        before = latent - latent.mean()
        mood = serial * mood + np.sqrt(1 - serial**2) * rng.normal(size=clients)
        here = np.flatnonzero(stays >= t)
        parts.append(
            pl.DataFrame(
                {
                    "client_id": [f"c{i:05d}" for i in here],
                    "therapist_id": [f"t{j:03d}" for j in who[here]],
                    "attended_number": np.full(here.size, t),
                    "directiveness_score": d[here],
                    "directiveness_preferred_score": np.clip(np.round(preferred[here], 1), 0, 10),
                    "satisfaction_score": np.clip(np.round(latent[here], 1), 0, 10),
                }
            )
        )
    return pl.concat(parts).with_columns(episode_id="client_id", log_session=pl.col("attended_number").log())


@contextmanager
def mart(rows: pl.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    """The rows as the mart of a release."""
    with duckdb.connect() as con:
        con.register("rows", rows.to_arrow())
        con.execute("create table mart_session_directiveness as select * from rows")
        yield con
