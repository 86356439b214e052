"""Time every answer of a study, the whole refresh, and the commands that should cost nothing; peak memory beside each.

Run: python benchmarks/answers.py [--commands] [SESSIONS ...]      (default: 14000 120000)

CPU seconds count this process and its workers, whoever else uses the machine; the clock is right on an idle one only.
Every size runs in a process of its own, so that peak memory is that size's, workers included. With two sizes or more
the growth is given as the slope of log CPU seconds on log sessions. `--commands` adds the command line: `status`,
`query`, `check`, a step by hand, a refresh's first line, one with nothing new, one of a refused study.toml, Ctrl-C.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from pipeline import in_own_process, simulate

from outcomes.one_thread import one_thread

DEFAULT_SIZES = (14_000, 120_000)
WHOLE = "**all answers**"
INTERRUPTED = 130  # exit code


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_gb() -> float:
    """Peak memory so far: this process, and as many workers as processors of the size of the largest that has ended."""
    own, worker = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + (os.cpu_count() or 1) * worker) / 1e6


def time_answers(root: str) -> tuple[float, float, float]:
    """Build a study's candidate and answer it, a printed row each: wall and CPU seconds and peak memory (GB) of all."""
    from outcomes import landing, release
    from outcomes.answers.run import ANALYSES
    from outcomes.errors import FitRefused
    from outcomes.release.folders import DATABASE
    from outcomes.store.warehouse import connect
    from outcomes.study import StudyFolder

    study = StudyFolder.open(root)
    landing.land_inbox(study)
    release_id = release.candidate_id(study)
    release.build(study, release_id)
    found: list[tuple[float, float]] = []
    with connect(release.candidate_folder(study, release_id) / DATABASE) as con:
        ((sessions,),) = con.execute("select count(*) from core_sessions").fetchall()
        for analysis in ANALYSES:
            wall, cpu, name = time.perf_counter(), cpu_seconds(), str(analysis.name)
            try:
                analysis.answer(con, study)
            except FitRefused:
                name += " (refused)"
            found.append((time.perf_counter() - wall, cpu_seconds() - cpu))
            print(row(sessions, name, *found[-1], peak_gb()), flush=True)
    whole = (sum(wall for wall, _ in found), sum(cpu for _, cpu in found), peak_gb())
    print(row(sessions, WHOLE, *whole), flush=True)
    return whole


def row(sessions: int, name: str, wall: float, cpu: float, peak: float) -> str:
    return f"| {sessions:,} | {name} | {wall:.2f} | {cpu:.2f} | {peak:.2f} |"


def time_commands(root: str) -> list[tuple[str, float, float]]:
    """What should cost nothing, after a refresh: wall and CPU seconds of each command."""
    settings = Path(root) / "study.toml"
    outcomes = [sys.executable, "-m", "outcomes.cli"]
    timed = time_interrupted([*outcomes, "refresh", root])
    timed.append(time_command("land by hand, nothing new", [*outcomes, "land", root], 0))
    timed.append(time_command("refresh after that", [*outcomes, "refresh", root], 0))
    timed.append(time_command("refresh, nothing new", [*outcomes, "refresh", root], 0))
    timed.append(time_command("status", [*outcomes, "status", root], 0))
    timed.append(time_command("query", [*outcomes, "query", root, "select 1"], 0))
    (sessions,) = (Path(root) / "inbox").glob("*sessions*")
    timed.append(time_command("check of the sessions file", [*outcomes, "check", str(sessions)], 0))
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[no_such_part]\n", encoding="utf-8")
    timed.append(time_command("refresh, refused study.toml", [*outcomes, "refresh", root], None))
    return timed


def time_interrupted(words: list[str]) -> list[tuple[str, float, float]]:
    """Time to a refresh's first line, and from Ctrl-C in its answers to the end, which has exit code 130."""
    wall = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = iter(process.stdout.readline, "")
        next(lines)
        first = ("refresh, first line", time.perf_counter() - wall, math.nan)
        while not next(lines).lstrip().startswith("fit"):
            pass
        time.sleep(1)
        wall, cpu = time.perf_counter(), cpu_seconds()
        process.send_signal(signal.SIGINT)
        process.communicate()
    if process.returncode != INTERRUPTED:
        raise RuntimeError(f"Ctrl-C: exit code {process.returncode} instead of {INTERRUPTED}")
    return [first, ("Ctrl-C while answering", time.perf_counter() - wall, cpu_seconds() - cpu)]


def time_command(name: str, words: list[str], wanted: int | None) -> tuple[str, float, float]:
    """Run one command; an exit code that is not `wanted` (None: not 0) is an error."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if (done.returncode == 0) if wanted is None else (done.returncode != wanted):
        raise RuntimeError(f"{name}: exit code {done.returncode}\n{done.stderr}")
    return name, time.perf_counter() - wall, cpu_seconds() - cpu


def slopes(cpu: dict[int, float]) -> str:
    """Growth between neighbouring sizes: 1 is proportional to the sessions."""
    pairs = pairwise(sorted(cpu.items()))
    found = [math.log(more / less) / math.log(large / small) for (small, less), (large, more) in pairs]
    return "Growth, slope of log CPU seconds on log sessions: " + ", ".join(f"{one:.2f}" for one in found)


def main(sizes: list[int], *, commands: bool) -> None:
    one_thread()  # as the command line computes
    cpu: dict[int, float] = {}
    print("| sessions | analysis | wall s | CPU s | peak GB |\n|---:|---|---:|---:|---:|", flush=True)
    for n_sessions in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            root = str(Path(scratch) / "study")
            in_own_process(simulate, root, n_sessions)
            _, cpu[n_sessions], _ = in_own_process(time_answers, root)
    if len(cpu) > 1:
        print(f"\n{slopes(cpu)}")
    if commands:
        print("\n| command | wall s | CPU s |\n|---|---:|---:|")
        with tempfile.TemporaryDirectory() as scratch:
            root = str(Path(scratch) / "study")
            in_own_process(simulate, root, sizes[0])
            for name, wall, used in time_commands(root):
                print(f"| {name} | {wall:.2f} | {used:.2f} |")


if __name__ == "__main__":
    asked = [word for word in sys.argv[1:] if word != "--commands"]
    main([int(size) for size in asked] or [*DEFAULT_SIZES], commands="--commands" in sys.argv)
