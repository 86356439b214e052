"""The dynamic model: seconds and memory by size, and how often its intervals cover the truth.

    python benchmarks/dynamic.py time --clients 1500 100000 --therapists 100 --unrated 0 0.2
    python benchmarks/dynamic.py cover --cohorts 500 --clients 600 --keep slopes.jsonl --seconds 450

`time` prints a line a cohort: wall clock and processor seconds of the whole call (the table is in memory), evaluations,
peak memory of the process so far. `cover` fits each cohort of two worlds by the dynamic and by the mixed model; truth
is no effect of guidance. Plain world: nobody responds, nothing lasts. Responsive: satisfaction is serially correlated
by .4, and guidance moves by .35 of what is left of the satisfaction of the session before.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from math import inf
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.mixed import FitStatus, fit_dynamic, fit_linear

FORMULA = "satisfaction ~ directiveness"
SURFACE = f"{FORMULA} + I(directiveness**2) + preferred + preferred:directiveness"
ROLES = {"guidance": "directiveness", "client": "client_id", "therapist": "therapist_id", "time": "attended_number"}
WORLDS = {"plain": (0.0, 0.0), "responsive": (0.35, 0.4)}
"""Response of guidance, and serial correlation of satisfaction."""
PRACTICE = 10
"""Therapists a practice; clients change therapist inside it."""


def simulate(
    seed: int, clients: int, therapists: int, respond: float, serial: float, *, slope: float = 0.0, unrated: float = 0.0
) -> pl.DataFrame:
    """A cohort, session by session for all clients at once; 5% of the clients change therapist."""
    rng = np.random.default_rng([20261126, seed])
    n = np.clip(rng.poisson(9, clients), 1, 30)
    client = np.repeat(np.arange(clients), n)
    t = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    first = rng.integers(0, therapists, clients)
    other = np.minimum(first // PRACTICE * PRACTICE + rng.integers(0, PRACTICE, clients), therapists - 1)
    change = np.where(rng.random(clients) < 0.05, rng.integers(2, 8, clients), n)
    therapist = np.where(t >= change[client], other[client], first[client])
    usual, content = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 0.64]], clients).T
    style, liking = rng.normal(0, 0.7, therapists), rng.normal(0, 0.3, therapists)
    d, y = np.empty((2, len(client)))
    mood = np.zeros(clients)
    for session in range(n.max()):
        rows = np.flatnonzero(t == session)
        who, by = client[rows], therapist[rows]
        d[rows] = usual[who] + style[by] + respond * mood[who] + rng.normal(0, 1.2, len(rows))
        shock = rng.normal(0, 1.0 if session else 1 / np.sqrt(1 - serial**2), len(rows))
        mood[who] = serial * mood[who] + shock
        y[rows] = 6 + slope * d[rows] + content[who] + liking[by] + mood[who]
    names = {"client_id": client, "therapist_id": therapist, "attended_number": t + 1, "directiveness": d}
    frame = pl.DataFrame(names | {"preferred": rng.normal(0, 1.5, clients)[client], "satisfaction": y})
    return frame.with_columns(satisfaction=pl.when(pl.Series(rng.random(len(y)) >= unrated)).then("satisfaction"))


def timing(clients: int, therapists: int, unrated: float) -> dict[str, float]:
    """Seconds and memory of one fit of the response surface."""
    data = simulate(1, clients, therapists, 0.35, 0.4, unrated=unrated)
    began, used = time.perf_counter(), time.process_time()
    fit = fit_dynamic(SURFACE, data, **ROLES)
    return {
        "clients": clients,
        "sessions": data.height,
        "therapists": therapists,
        "unrated": unrated,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - used,
        "evaluations": fit.optimizer.n_evaluations,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def slopes(seed: int, clients: int, world: str, slope: float = 0.0) -> dict[str, tuple[float, float]]:
    """Estimate and standard error of the same-session slope by both models, and of the next-session slope.

    The mixed model has guidance as the client's mean and the departure from it, as the project's own analyses do.
    """
    data = simulate(seed, clients, max(clients // 15, 10), *WORLDS[world], slope=slope)
    fit = fit_dynamic(FORMULA, data, **ROLES)
    usual = pl.col("directiveness").mean().over("client_id")
    parts = data.with_columns(usual=usual, within=pl.col("directiveness") - usual)
    mixed = fit_linear("satisfaction ~ within + usual + (1 | client_id) + (1 | therapist_id)", parts)
    if fit.status is FitStatus.NOT_CONVERGED:
        return {}
    found = {
        "dynamic, same session": (fit, "directiveness"),
        "mixed, same session": (mixed, "within"),
        "dynamic, next session": (fit, "next-session slope"),
    }
    return {name: (float(f.params[term]), float(f.bse[term])) for name, (f, term) in found.items()}


def cover(
    cohorts: int, clients: int, first_seed: int = 0, keep: Path | None = None, seconds: float = inf
) -> pl.DataFrame:
    """Bias, spread and coverage of 95% intervals by world and model; truth is 0 throughout.

    What was made before is read from `keep`, and each cohort is added to it; no cohort is begun after so many seconds.
    """
    end = time.monotonic() + seconds
    rows = [json.loads(line) for line in keep.read_text().splitlines()] if keep and keep.exists() else []
    done = {(row["world"], row["seed"], row["clients"]) for row in rows}
    for seed in range(first_seed, first_seed + cohorts):
        for world in WORLDS:
            if (world, seed, clients) in done or time.monotonic() > end:
                continue
            at = {"world": world, "seed": seed, "clients": clients}
            made = [at | {"slope": name, "estimate": value, "std_error": error}
                    for name, (value, error) in slopes(seed, clients, world).items()]  # fmt: skip
            rows += made
            if keep:
                with keep.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in made)
    covered = pl.col("estimate").abs() < 1.959964 * pl.col("std_error")
    return (
        pl.DataFrame(rows)
        .group_by("world", "slope", maintain_order=True)
        .agg(
            cohorts=pl.len(),
            bias=pl.col("estimate").mean(),
            sd=pl.col("estimate").std(),
            mean_std_error=pl.col("std_error").mean(),
            covered=covered.mean(),
            error=(covered.mean() * (1 - covered.mean()) / pl.len()).sqrt(),
        )
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    timed = commands.add_parser("time")
    timed.add_argument("--clients", type=int, nargs="+", default=[1_500, 100_000])
    timed.add_argument("--therapists", type=int, nargs="+", default=[100])
    timed.add_argument("--unrated", type=float, nargs="+", default=[0.0])
    covered = commands.add_parser("cover")
    covered.add_argument("--cohorts", type=int, default=100)
    covered.add_argument("--clients", type=int, default=1_500)
    covered.add_argument("--seed", type=int, default=0, help="of the first cohort")
    covered.add_argument("--keep", type=Path, help="file of estimates, to which a further call adds what is missing")
    covered.add_argument("--seconds", type=float, default=inf, help="no cohort is begun after so long")
    asked = parser.parse_args()
    if asked.command == "cover":
        with pl.Config(tbl_rows=-1, tbl_cols=-1, float_precision=4):
            print(cover(asked.cohorts, asked.clients, asked.seed, asked.keep, asked.seconds))
        return
    for clients in asked.clients:
        for therapists in asked.therapists:
            for unrated in asked.unrated:
                found = timing(clients, therapists, unrated)
                print("  ".join(f"{name} {value:,.4g}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
