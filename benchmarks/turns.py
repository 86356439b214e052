"""What both engine benchmarks do: engines take turns, each fit in a process of its own, medians over the turns."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from outcomes.one_thread import MATRIX_LIBRARIES

Run = dict[str, float] | str
"""What one fit gave, or the reason why there is none."""


def parser(doc: str, out: Path) -> argparse.ArgumentParser:
    """Return the command line that both have."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    made.add_argument("--repeats", type=int, default=3)
    made.add_argument("--limit", type=int, default=600, help="seconds after which a fit is stopped")
    made.add_argument("--engines", nargs="*", default=[])
    made.add_argument("--peers-python", default=sys.executable)
    made.add_argument("--out", type=Path, default=out)
    made.add_argument("--worker", nargs=2, metavar=("ENGINE", "FOLDER"), help=argparse.SUPPRESS)
    return made


def run(command: Sequence[str], limit: int) -> Run:
    """Run one fit, one thread for matrices unless the environment says more; the reason as text where it did not work.

    On two processors that share a core a second thread makes ours a quarter slower and R's no faster.
    """
    one_thread = dict.fromkeys(MATRIX_LIBRARIES, "1") | os.environ
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=True, env=one_thread)
    except subprocess.TimeoutExpired:
        return f"stopped after {limit} s"
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip().splitlines() or ["no message"])[-1][:120]
    return json.loads(done.stdout.strip().splitlines()[-1])


def importable(names: Sequence[str], python: str) -> list[str]:
    """Return the packages that another Python can import."""
    return [
        name for name in names if not subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode
    ]


def take_turns(
    options: argparse.Namespace,
    engines: Sequence[str],
    limits: Mapping[str, int],
    simulate: Callable[[int, Path], object],
    fit: Callable[[str, Path], Run],
) -> list[dict]:
    """Run all engines on all sizes that `limits` gives them; one that failed once is not asked again."""
    engines = [engine for engine in engines if not options.engines or engine in options.engines]
    results = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            simulate(rows, folder)
            runs: dict[str, list[Run]] = {engine: [] for engine in engines if rows <= limits[engine]}
            for turn in range(options.repeats):
                for engine, done in runs.items():
                    if done and isinstance(done[-1], str):
                        continue
                    done.append(fit(engine, folder))
                    print(
                        f"{rows:>11,} rows  turn {turn + 1}  load {os.getloadavg()[0]:.1f}  {engine:<12} {done[-1]}",
                        file=sys.stderr,
                    )
        for engine, done in runs.items():
            good = [entry for entry in done if isinstance(entry, dict)]
            keys = set.intersection(*(set(one) for one in good)) if good else set()
            medians = {key: statistics.median(one[key] for one in good) for key in sorted(keys)}
            results.append({"rows": rows, "engine": engine, "runs": done, "load": os.getloadavg()[0]} | medians)
    return results
