"""Time each step of the pipeline as a multiple of a bare read of the same file by DuckDB.

Run: python benchmarks/pipeline.py [SESSIONS ...]      (default: 100000 1000000)

Every size runs in a process of its own, so that peak memory is that size's. Imports are done before the clock starts;
Prefect is left out (it adds a start-up of some seconds, whatever the size).
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SESSIONS_PER_CLIENT = 9.6  # of the default simulated cohort, appointments included
CLIENTS_PER_THERAPIST = 25
REPEATS = {100_000: 3}


def simulate(root: str, n_sessions: int) -> None:
    from outcomes.simulate import simulate_study
    from outcomes.study import create_study

    clients = round(n_sessions / SESSIONS_PER_CLIENT)
    simulate_study(
        create_study(root).root, clients=clients, therapists=clients // CLIENTS_PER_THERAPIST, seed=1, session_files=1
    )


def bare_read(root: Path) -> float:
    import duckdb

    (source,) = (root / "inbox").glob("*sessions*")
    target = root / "bare.duckdb"
    with duckdb.connect(str(target)) as con:
        started = time.perf_counter()
        con.execute("create table bare as select * from read_csv(?)", [str(source)])
        seconds = time.perf_counter() - started
    target.unlink()
    return seconds


def run_steps(root: str, results) -> None:
    import altair  # noqa: F401
    import great_expectations  # noqa: F401
    import vl_convert  # noqa: F401

    from outcomes import audit, landing, models, release, report
    from outcomes.study import StudyFolder

    study, seconds = StudyFolder.open(root), {}

    def timed(name: str, step: Callable[[], object]) -> None:
        started = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - started

    bare = sorted(bare_read(study.root) for _ in range(5))[2]
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timed("land", lambda: landing.land_inbox(study))
    release_id = release.candidate_id(study)
    folder = release.candidate_folder(study, release_id)
    timed("build", lambda: release.build(study, release_id))
    timed("audit", lambda: audit.audit(folder, study))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timed("fit", lambda: models.fit_models(folder, study))
    timed("report", lambda: report.write_report(folder, study))
    timed("publish", lambda: release.publish(study, release_id))
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    results.put((bare, seconds, idle / 1e6, peak / 1e6, whole / 1e6))


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main(sizes: list[int]) -> None:
    context = multiprocessing.get_context("spawn")
    print("| sessions | step | seconds | multiple of the bare read |\n|---:|---|---:|---:|")
    for n_sessions in sizes:
        runs = []
        for _ in range(REPEATS.get(n_sessions, 1)):
            with tempfile.TemporaryDirectory() as scratch:
                root, results = str(Path(scratch) / "study"), context.Queue()
                for target, arguments in ((simulate, (root, n_sessions)), (run_steps, (root, results))):
                    process = context.Process(target=target, args=arguments)
                    process.start()
                    if target is run_steps:
                        runs.append(results.get())
                    process.join()
        bare = median([run[0] for run in runs])
        print(f"| {n_sessions:,} | bare read | {bare:.2f} | 1.0 |")
        steps = {name: median([run[1][name] for run in runs]) for name in runs[0][1]}
        for name, seconds in steps.items():
            print(f"| {n_sessions:,} | {name} | {seconds:.2f} | {seconds / bare:.1f} |")
        data_steps = sum(steps[name] for name in ("land", "build", "audit", "publish"))
        print(
            f"| {n_sessions:,} | **land + build + audit + publish** | {data_steps:.2f} | **{data_steps / bare:.1f}** |"
        )
        idle, peak, whole = runs[0][2:]
        memory = f"imports {idle:.2f} GB, up to the audit {peak:.2f} GB, whole {whole:.2f} GB"
        print(f"| {n_sessions:,} | peak memory: {memory} | | |")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100_000, 1_000_000])
