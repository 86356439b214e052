"""Measure how each step grows with the sessions, and draw it log-log with its slope.

    python benchmarks/scale.py --rows 10000 100000 1000000
    python benchmarks/scale.py --rows 10000000 --steps parts
    python benchmarks/scale.py --plot docs/benchmarks-scale.svg

Steps: `data` (land, build, audit, publish of a simulated study), `answers` (all of them, recovery included), `fit` (a
linear model of `benchmarks/engine.py` on one machine), `parts` (the same model over partitions, on two Dask worker
processes of this machine) and `dynamic` (the dynamic model of `benchmarks/dynamic.py`, on one machine and over
partitions). Every measurement is a process of its own. CPU seconds count this work only, whoever else
uses the machine; over partitions they are those of the workers. Results are added to a JSON file.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import answers
import dynamic
import engine
import numpy as np
import pipeline

from outcomes.one_thread import one_thread

OUT = Path(__file__).parent / "results" / "scale.json"
NATION = 10**8
"""Sessions of a nation: 10,000,000 clients."""
STRUCTURE = "practice"
"""Clients change therapist within their practice only."""
WORKERS, PARTS = 2, 8
SESSIONS_OF_A_CLIENT = 9
"""In the cohorts of `benchmarks/dynamic.py`, on average."""


def measure_data(n_sessions: int) -> list[dict]:
    """Land, build, audit, publish; peak memory is that up to the audit."""
    with tempfile.TemporaryDirectory() as scratch:
        root = str(Path(scratch) / "study")
        pipeline.in_own_process(pipeline.simulate, root, n_sessions)
        _, seconds, _, peak, _ = pipeline.in_own_process(pipeline.run_steps, root, True)
    rows = [{"step": step, "wall_seconds": wall, "cpu_seconds": cpu} for step, (wall, cpu) in seconds.items()]
    return [row | {"peak_gb": peak} if row["step"] == "audit" else row for row in rows]


def measure_answers(n_sessions: int) -> list[dict]:
    """All answers; peak memory is that of this process and its workers."""
    one_thread()  # as the command line computes
    with tempfile.TemporaryDirectory() as scratch:
        root = str(Path(scratch) / "study")
        pipeline.in_own_process(pipeline.simulate, root, n_sessions)
        wall, cpu, peak = pipeline.in_own_process(answers.time_answers, root)
    return [{"step": "answers", "wall_seconds": wall, "cpu_seconds": cpu, "peak_gb": peak}]


def measure_fit(n_sessions: int) -> list[dict]:
    """The linear model on one machine."""
    with tempfile.TemporaryDirectory() as scratch:
        pipeline.in_own_process(engine.simulate, STRUCTURE, n_sessions, Path(scratch))
        return [pipeline.in_own_process(fit_whole, scratch)]


def fit_whole(folder: str) -> dict:
    import duckdb

    from outcomes.mixed import fit_linear

    watch = engine.Stopwatch()
    with duckdb.connect(str(Path(folder) / "rows.duckdb"), read_only=True) as con:
        fit = fit_linear(engine.FORMULA, con.table("sessions"))
    spent = watch.read()
    return {
        "step": "fit", "wall_seconds": spent["seconds"], "cpu_seconds": spent["cpu_seconds"],
        "peak_gb": own_peak_gb(), "criterion": fit.criterion,
    }  # fmt: skip


def measure_parts(n_sessions: int) -> list[dict]:
    """The same over partitions on two worker processes; peak memory is the sum of both."""
    with tempfile.TemporaryDirectory() as scratch:
        pipeline.in_own_process(engine.simulate, STRUCTURE, n_sessions, Path(scratch))
        cut = pipeline.in_own_process(write_parts, scratch, "therapist // 10", ("client", "therapist"))
        return [cut, pipeline.in_own_process(fit_parts, scratch)]


def measure_dynamic(n_sessions: int) -> list[dict]:
    """The dynamic model on one machine, and over partitions on two worker processes."""
    with tempfile.TemporaryDirectory() as scratch:
        pipeline.in_own_process(simulate_dynamic, scratch, n_sessions)
        practice = f"therapist_id // {dynamic.PRACTICE}"
        pipeline.in_own_process(write_parts, scratch, practice, ("client_id", "therapist_id"))
        return [pipeline.in_own_process(fit, scratch) for fit in (fit_dynamic_whole, fit_dynamic_parts)]


def simulate_dynamic(folder: str, n_sessions: int) -> None:
    """Therapists who respond, a tenth of the ratings missing, 40 clients a therapist."""
    import duckdb

    clients = n_sessions // SESSIONS_OF_A_CLIENT
    rows = dynamic.simulate(1, clients, max(2 * dynamic.PRACTICE, clients // 40), 0.35, 0.4, unrated=0.1)
    with duckdb.connect(str(Path(folder) / "rows.duckdb")) as con:
        con.register("simulated", rows.to_arrow())
        con.execute("create table sessions as from simulated")


def fit_dynamic_whole(folder: str) -> dict:
    import duckdb

    from outcomes.mixed import fit_dynamic

    watch = engine.Stopwatch()
    with duckdb.connect(str(Path(folder) / "rows.duckdb"), read_only=True) as con:
        fit = fit_dynamic(dynamic.SURFACE, con.table("sessions"), **dynamic.ROLES)
    spent = watch.read()
    return {
        "step": "dynamic fit", "wall_seconds": spent["seconds"], "cpu_seconds": spent["cpu_seconds"],
        "peak_gb": own_peak_gb(), "criterion": -2 * fit.llf,
    }  # fmt: skip


def fit_dynamic_parts(folder: str) -> dict:
    from outcomes.mixed import fit_dynamic_partitions

    def fit(partitions: object, places: object) -> float:
        return -2 * fit_dynamic_partitions(dynamic.SURFACE, partitions, places, **dynamic.ROLES).llf

    return on_workers(folder, "dynamic fit in parts", fit)


def write_parts(folder: str, practice: str, groups: tuple[str, ...]) -> dict:
    import duckdb

    from outcomes.mixed import write_partitions

    watch = engine.Stopwatch()
    with duckdb.connect(str(Path(folder) / "rows.duckdb"), config={"memory_limit": "2GB"}) as con:
        con.execute(f"create view parted as select *, {practice} as practice from sessions")
        write_partitions(con, "parted", Path(folder) / "parts", PARTS, by="practice", groups=groups)
    spent = watch.read()
    return {
        "step": "cut into parts", "wall_seconds": spent["seconds"], "cpu_seconds": spent["cpu_seconds"],
        "peak_gb": own_peak_gb(),
    }  # fmt: skip


def fit_parts(folder: str) -> dict:
    from outcomes.mixed import fit_linear_partitions

    def fit(partitions: object, places: object) -> float:
        return fit_linear_partitions(engine.FORMULA, partitions, places).criterion

    return on_workers(folder, "fit in parts", fit)


def on_workers(folder: str, step: str, fit: Callable[[object, object], float]) -> dict:
    """What a fit of partitions costs the workers, and its criterion."""
    from distributed import LocalCluster

    from outcomes.mixed import read_partitions
    from outcomes.workers import on_cluster

    partitions = read_partitions(Path(folder) / "parts")
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
                     local_directory=folder, memory_limit=0) as local,
        on_cluster(local.scheduler_address) as places,
    ):  # fmt: skip
        before = places.client.run(own_cpu_seconds)
        watch = engine.Stopwatch()
        criterion = fit(partitions, places)
        wall = watch.read()["seconds"]
        after, peaks = places.client.run(own_cpu_seconds), places.client.run(own_peak_gb)
    return {
        "step": step, "wall_seconds": wall, "cpu_seconds": sum(after.values()) - sum(before.values()),
        "peak_gb": sum(peaks.values()), "criterion": criterion,
    }  # fmt: skip


def own_peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def own_cpu_seconds() -> float:
    """What this process has used, once it has loaded what a fit needs: a worker loads it once, whatever the size."""
    import outcomes.mixed.linear.places.partitioned  # noqa: F401

    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


MEASURES = {
    "data": measure_data,
    "answers": measure_answers,
    "fit": measure_fit,
    "parts": measure_parts,
    "dynamic": measure_dynamic,
}


def slope(points: list[tuple[float, float]]) -> float:
    """Slope of the straight line through points on log-log axes; NaN of one point."""
    if len(points) < 2:
        return math.nan
    x, y = np.log(np.array(points)).T
    return float(np.polyfit(x, y, 1)[0])


def straight(points: list[tuple[float, float]], at: float) -> float:
    """Value at a size on the straight line through the last two points; in proportion where there is one only."""
    (n, value), *more = points[::-1]
    if not more:
        return value * at / n
    smaller, less = more[0]
    return value + (value - less) / (n - smaller) * (at - n)


def by_step(results: list[dict], what: str) -> dict[str, list[tuple[float, float]]]:
    """Points (sessions, value) of each step, by sessions."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in sorted(results, key=lambda row: row["sessions"]):
        if row.get(what):
            found.setdefault(row["step"], []).append((row["sessions"], row[what]))
    return found


def table(results: list[dict]) -> str:
    """Measured figures, the slope over the last two sizes, and what a nation costs: a fixed part and one a session."""
    lines = [
        "| step | what | measured at | slope | at 10^8 sessions |",
        "|---|---|---|--:|--:|",
    ]
    for what, unit in (("cpu_seconds", "CPU s"), ("peak_gb", "GB")):
        for step, points in by_step(results, what).items():
            grown = slope(points[-2:])
            nation = straight(points[-2:], NATION)
            shown = ", ".join(f"{sessions:,.0f}: {amount:.2f}" for sessions, amount in points)
            lines.append(f"| {step} | {unit} | {shown} | {grown:.2f} | {nation:,.0f} |")
    return "\n".join(lines)


def plot(results: list[dict], to: Path) -> None:
    """Processor seconds and memory against sessions, all axes logarithmic, the slope in each step's name."""
    import altair as alt
    import polars as pl

    panels = []
    for what, title in (("cpu_seconds", "processor seconds"), ("peak_gb", "peak memory, GB")):
        rows = [
            {"step": f"{step} (slope {slope(points[-2:]):.2f})", "sessions": sessions, "value": value}
            for step, points in by_step(results, what).items()
            for sessions, value in points
        ]
        base = alt.Chart(pl.DataFrame(rows), title=title).encode(
            x=alt.X("sessions:Q", scale=alt.Scale(type="log"), title="sessions"),
            y=alt.Y("value:Q", scale=alt.Scale(type="log"), title=title),
            color=alt.Color("step:N", title=None, scale=alt.Scale(scheme="viridis")),
        )
        points = base.mark_point(size=60, filled=True).encode(shape=alt.Shape("step:N", legend=None))
        panels.append((base.mark_line() + points).properties(width=300, height=280))
    alt.hconcat(*panels).resolve_scale(color="independent", shape="independent").save(str(to))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--steps", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--plot", type=Path, help="where to draw what is measured so far")
    options = parser.parse_args()
    stored = json.loads(options.out.read_text(encoding="utf-8"))["results"] if options.out.exists() else []
    for n_sessions in options.rows:
        for step in options.steps:
            fresh = [row | {"sessions": n_sessions} for row in MEASURES[step](n_sessions)]
            replaced = {(row["step"], row["sessions"]) for row in fresh}
            stored = [row for row in stored if (row["step"], row["sessions"]) not in replaced] + fresh
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps({"cores": os.cpu_count(), "results": stored}, indent=1), encoding="utf-8")
    print(table(stored))
    if options.plot:
        plot(stored, options.plot)


if __name__ == "__main__":
    main()
