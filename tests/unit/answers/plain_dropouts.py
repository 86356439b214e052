"""Courses of therapy drawn by numpy alone, for the verdict on dropout: written apart from the simulator."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import polars as pl
from scipy.special import expit

Array = np.ndarray
Effect = Callable[[Array, Array, Array], Array]
"""Of guidance d, preference p and the client's usual guidance on the logit of leaving; arrays of clients."""

BASE = -3.9
EFFECTS: dict[str, Effect] = {
    "none": lambda d, p, usual: np.zeros_like(d),
    "monotone": lambda d, p, usual: -0.35 * (d - 5.5),
    "fit": lambda d, p, usual: 0.42 * np.abs(d - p),
    "fit, squared": lambda d, p, usual: 0.11 * (d - p) ** 2,
    "best_level": lambda d, p, usual: 0.14 * (d - 6.5) ** 2,
    "relative": lambda d, p, usual: 0.16 * (d - usual) ** 2,
    "fit, and guidance keeps clients": lambda d, p, usual: 0.38 * np.abs(d - p) - 0.30 * (d - 5.5),
    "weak fit": lambda d, p, usual: 0.15 * np.abs(d - p),
}
TRUE = {"none": "no_effect", "monotone": "monotone", "best_level": "best_level", "relative": "relative",
        "fit, and guidance keeps clients": "fit_plus_main"}  # fmt: skip
"""The verdict that is true; fit for the others."""


def courses(effect: Effect, clients: int, therapists: int, seed: int) -> pl.DataFrame:
    """One attended session a row, up to 16 a client.

    Therapists differ in guidance and in how often clients leave; guidance wanders slowly within a course (an
    autoregression of .4); preferences are uniform and unrelated to what therapists do; courses also end as planned.
    """
    rng = np.random.default_rng(seed)
    therapist = rng.integers(0, therapists, clients)
    style, leaving = rng.normal(0, 0.7, therapists), rng.normal(0, 0.4, therapists)
    usual = 5.5 + style[therapist] + rng.normal(0, 0.9, clients)
    p = rng.uniform(2.5, 8.5, clients)
    active, drift, parts = np.arange(clients), np.zeros(clients), []
    for t in range(1, 17):
        drift = 0.4 * drift + rng.normal(0, 1.2, clients)
        d = np.clip(usual + drift, 0, 10).round(1)[active]
        logit = BASE + effect(d, p[active], usual[active]) + leaving[therapist[active]] - 0.05 * t
        drops = rng.random(active.size) < expit(logit)
        ends = ~drops & (rng.random(active.size) < min(0.015 * t, 0.2))
        parts.append(
            pl.DataFrame(
                {"client": active, "therapist": therapist[active], "d": d, "p": p[active].round(1)}
            ).with_columns(t=pl.lit(t), drops=pl.Series(drops), ends=pl.Series(ends))
        )
        active = active[~drops & ~ends]
    return pl.concat(parts)


def risk_table(con: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
    """Make mart_person_session of it, as far as the verdict on dropout reads it."""
    con.register("drawn", rows.to_arrow())
    con.execute(
        """create table mart_person_session as
        select
            'c' || client as client_id, 'c' || client as episode_id, 't' || therapist as therapist_id,
            t::bigint as attended_number,
            d as directiveness_score, p as directiveness_preferred_score, drops::integer as is_dropout,
            t = max(t) over (partition by client) as is_last,
            d - coalesce(avg(d) over before, d) as directiveness_change,
            (t = 1)::integer as session_1, (t = 2)::integer as session_2, (t = 3)::integer as session_3,
            case when t >= 4 then ln(t) else 0 end as log_session
        from drawn
        window before as (partition by client order by t rows between unbounded preceding and 1 preceding)
        order by client, t"""
    )
