"""Satisfaction after sessions drawn by numpy alone, with what is true at each distance from the preference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from scipy.special import expit

Array = np.ndarray
LONGEST = 16


@dataclass(frozen=True)
class Drawn:
    """Rated sessions, and by distance (points above the preference) the mean had their guidance been there."""

    rows: pl.DataFrame
    means: dict[float, float]


def usual_fit(d: Array, p: Array, usual: Array) -> Array:
    """Fit to the preference, more than usual is better, and too much costs more; the mean is near the scale's end."""
    return 8.0 + 0.35 * (d - usual) - 0.07 * (d - p) ** 2 - 0.25 * np.maximum(d - p, 0)


def keen_on_guidance(d: Array, p: Array, usual: Array) -> Array:
    """Too little costs those more who prefer much guidance; too much costs all the same; nowhere near the ends."""
    return 6.0 - 0.3 * np.maximum(p - d, 0) * (1 + 0.3 * (p - 5)) - 0.2 * np.maximum(d - p, 0) + 0 * usual


def sessions(
    effect: Callable[[Array, Array, Array], Array],
    clients: int,
    therapists: int,
    distances: tuple[float, ...],
    seed: int,
) -> Drawn:
    """Draw courses in which the content stay longer, and ratings stop at the ends of the scale.

    satisfaction = effect(guidance, preference, usual guidance) + client + therapist + chance, between 0 and 10.

    The mean at a distance is worked out on the same clients and the same chance, with only that session's guidance set.
    """
    rng = np.random.default_rng(seed)
    therapist = rng.permutation(np.arange(clients) % therapists)
    style, liked = rng.normal(0, 0.6, therapists), rng.normal(0, 0.4, therapists)
    p = np.clip(rng.normal(5, 1.5, clients), 0, 10)
    usual = 5 + style[therapist] + 0.25 * (p - 5) + rng.normal(0, 0.8, clients)
    content = rng.normal(0, 1.0, clients)

    def rated(who: Array, d: Array, chance: Array) -> Array:
        latent = effect(d, p[who], usual[who]) + content[who] + liked[therapist[who]] + chance
        return latent.clip(0, 10)

    here, parts, sums, n = np.arange(clients), [], dict.fromkeys(distances, 0.0), 0
    for t in range(1, LONGEST + 1):
        d = np.clip(usual[here] + rng.normal(0, 1.3, here.size), 0, 10)
        chance = rng.normal(0, 1.2, here.size)
        drawn = {"client": here, "therapist": therapist[here], "d": d, "p": p[here], "y": rated(here, d, chance)}
        parts.append(pl.DataFrame(drawn).with_columns(t=pl.lit(t)))
        for distance in distances:
            sums[distance] += rated(here, np.clip(p[here] + distance, 0, 10), chance).sum()
        n += here.size
        here = here[rng.random(here.size) > expit(-1.6 - 0.9 * content[here])]
    return Drawn(pl.concat(parts), {distance: total / n for distance, total in sums.items()})


def session_table(con: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
    """Make mart_session_directiveness of it, as far as the contrasts of satisfaction read it."""
    con.register("drawn", rows.to_arrow())
    con.execute(
        """create table mart_session_directiveness as
        select
            'c' || client as client_id, 'c' || client as episode_id, 't' || therapist as therapist_id,
            y as satisfaction_score, d as directiveness_score, p as directiveness_preferred_score,
            t::bigint as attended_number, ln(t) as log_session
        from drawn
        order by client, t"""
    )
