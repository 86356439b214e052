"""Time each step of the pipeline as a multiple of a bare read of the same file by DuckDB.

Run: python benchmarks/pipeline.py [--data-only] [SESSIONS ...]      (default: 100000 1000000)

`--data-only` leaves fits, answers and report out and publishes with empty ones. On a machine that others use, go by
CPU seconds, which count the work of both sides whoever else is there. Every size runs in a process of its own, so that
peak memory is that size's, and one that fails ends the benchmark with its error. Imports are done before the clock
starts; Prefect is left out, as in a run by hand.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

SESSIONS_PER_CLIENT = 9.6  # of the default simulated cohort, appointments included
CLIENTS_PER_THERAPIST = 25
REPEATS = {100_000: 3}
DEFAULT_SIZES = (100_000, 1_000_000)


def simulate(root: str, n_sessions: int) -> None:
    from outcomes.simulate import simulate_study
    from outcomes.study import create_study

    clients = round(n_sessions / SESSIONS_PER_CLIENT)
    simulate_study(
        create_study(root).root,
        clients=clients,
        therapists=max(clients // CLIENTS_PER_THERAPIST, 1),
        seed=1,
        session_files=1,
    )


def clocks() -> tuple[float, float]:
    """Return wall and CPU seconds, the latter of all threads of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def since(started: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = clocks()
    return wall - started[0], cpu - started[1]


def bare_read(root: Path) -> tuple[float, float]:
    import duckdb

    (source,) = (root / "inbox").glob("*sessions*")
    target = root / "bare.duckdb"
    with duckdb.connect(str(target)) as con:
        started = clocks()
        con.execute("create table bare as select * from read_csv(?)", [str(source)])
        seconds = since(started)
    target.unlink()
    return seconds


def run_steps(root: str, data_only: bool) -> tuple[Any, ...]:
    import altair  # noqa: F401
    import vl_convert  # noqa: F401

    # What the packages load when it is first asked for.
    import outcomes.audit.runner
    import outcomes.landing.inbox
    import outcomes.release.building
    import outcomes.scoring.agreement
    import outcomes.scoring.reliable_change  # noqa: F401
    from outcomes import audit, landing, models, release
    from outcomes.answers import run as answers
    from outcomes.release.publishing import PARTS
    from outcomes.report import write as report
    from outcomes.study import StudyFolder

    study, seconds = StudyFolder.open(root), {}

    def timed(name: str, step: Callable[[], object]) -> None:
        started = clocks()
        step()
        seconds[name] = since(started)

    bare = medians([bare_read(study.root) for _ in range(5)])
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timed("land", lambda: landing.land_inbox(study))
    release_id = release.candidate_id(study)
    folder = release.candidate_folder(study, release_id)
    timed("build", lambda: release.build(study, release_id))
    timed("audit", lambda: audit.audit(folder, study))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if data_only:
        for name in PARTS:  # what the steps left out would have made
            if not (folder / name).exists():
                (folder / name).write_text("{}")
    else:
        timed("fit", lambda: models.fit_models(folder, study))
        timed("answer", lambda: answers.answer(folder, study))
        timed("report", lambda: report.write_report(folder, study))
    timed("publish", lambda: release.publish(study, release_id))
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return bare, seconds, idle / 1e6, peak / 1e6, whole / 1e6


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a new process; its error is raised here, and so is its death."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def medians(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    wall, cpu = (sorted(values)[len(values) // 2] for values in zip(*pairs, strict=True))
    return wall, cpu


def row(n_sessions: int, step: str, seconds: tuple[float, float], bare: tuple[float, float]) -> str:
    wall, cpu = seconds
    return f"| {n_sessions:,} | {step} | {wall:.2f} | {wall / bare[0]:.1f} | {cpu:.2f} | {cpu / bare[1]:.1f} |"


def main(sizes: list[int], *, data_only: bool) -> None:
    print("| sessions | step | wall s | multiple of the bare read | CPU s | multiple |\n|---:|---|---:|---:|---:|---:|")
    for n_sessions in sizes:
        runs = []
        for _ in range(REPEATS.get(n_sessions, 1)):
            with tempfile.TemporaryDirectory() as scratch:
                root = str(Path(scratch) / "study")
                in_own_process(simulate, root, n_sessions)
                runs.append(in_own_process(run_steps, root, data_only))
        bare = medians([run[0] for run in runs])
        print(row(n_sessions, "bare read", bare, bare))
        steps = {name: medians([run[1][name] for run in runs]) for name in runs[0][1]}
        for name, seconds in steps.items():
            print(row(n_sessions, name, seconds, bare))
        wall, cpu = (sum(steps[name][clock] for name in ("land", "build", "audit", "publish")) for clock in (0, 1))
        print(row(n_sessions, "**land + build + audit + publish**", (wall, cpu), bare))
        idle, peak, whole = runs[0][2:]
        print(f"\nPeak memory: imports {idle:.2f} GB, up to the audit {peak:.2f} GB, whole {whole:.2f} GB\n")


if __name__ == "__main__":
    asked = sys.argv[1:]
    main([int(size) for size in asked if size != "--data-only"] or [*DEFAULT_SIZES], data_only="--data-only" in asked)
