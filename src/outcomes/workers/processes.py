"""Work in processes of this machine, as many as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from outcomes.one_thread import MATRIX_LIBRARIES

Result = TypeVar("Result")

ONE_THREAD = (*MATRIX_LIBRARIES, "POLARS_MAX_THREADS")
"""Each worker computes on one thread: as many workers as processors, each with as many threads, would wait for one
another."""

UNSAID = "ignore::UserWarning:multiprocessing.resource_tracker"
"""What Python's watcher of such processes would say after Ctrl-C, of things that the system clears away by itself."""

POLITENESS = 5
"""Added to the workers' niceness: the process that started them has the processor first, they take what is left."""


@dataclass(frozen=True)
class Processes:
    """Processes of this machine."""

    pool: ProcessPoolExecutor

    def run(self, function: Callable[..., Result], jobs: Sequence[tuple]) -> Iterator[Result]:
        """Yield `function(*job)` for all jobs, as they are done."""
        for done in as_completed([self.pool.submit(function, *job) for job in jobs]):
            yield done.result()

    def later(self, function: Callable[..., Result], *job: object) -> Callable[[], Result]:
        """Start `function(*job)`; what comes back waits for its result."""
        return self.pool.submit(function, *job).result


@contextmanager
def in_processes(n: int | None = None, *, politeness: int = POLITENESS) -> Iterator[Processes]:
    """Open n workers, one a processor unless said; left by an error, they do not finish what waits."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")  # this process has read them long ago
    os.environ.setdefault("PYTHONWARNINGS", UNSAID)
    # Spawned, because threads of DuckDB and polars do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n or os.cpu_count(), mp_context=context, initializer=_start, initargs=(politeness,))
    try:
        yield Processes(pool)
    finally:
        pool.shutdown(cancel_futures=True)


def _start(politeness: int) -> None:
    """Give way to others, and leave no worker behind where the parent was killed: it would wait for jobs for ever."""
    if hasattr(os, "nice"):  # not on every system
        os.nice(politeness)

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
