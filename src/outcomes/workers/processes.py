"""Work in processes of this machine, as many as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TypeVar

from outcomes.one_thread import MATRIX_LIBRARIES
from outcomes.stopping import telling

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
    pool = ProcessPoolExecutor(n or os.cpu_count(), mp_context=_Deaf(), initializer=_start, initargs=(politeness,))
    with telling(_end_all):
        try:
            yield Processes(pool)
        finally:
            pool.shutdown(cancel_futures=True)


_starting = threading.Lock()


class _DeafProcess(SpawnProcess):
    """A process that does not hear Ctrl-C, which a terminal sends to all: who started it does, and ends it."""

    def start(self) -> None:
        # From a thread, where Ctrl-C interrupts nothing: of a process that is half started there would be an error.
        with ThreadPoolExecutor(1, initializer=_block_interrupts) as aside:
            aside.submit(self._start_whole).result()

    def _start_whole(self) -> None:
        with _starting:
            super().start()


class _Deaf(SpawnContext):
    """Spawned, because threads of DuckDB and polars do not survive a fork."""

    Process = _DeafProcess


def _block_interrupts() -> None:
    """Keep Ctrl-C from this thread, and from processes that it starts."""
    if hasattr(signal, "pthread_sigmask"):  # not on every system
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _end_all() -> None:
    """End the workers for good: one that starts while this process ends would miss what it was to share with it."""
    _starting.acquire()  # and none starts any more
    for process in multiprocessing.active_children():
        process.kill()


def _start(politeness: int) -> None:
    """Give way to others, and leave no worker behind where the parent was killed: it would wait for jobs for ever."""
    if hasattr(os, "nice"):  # not on every system
        os.nice(politeness)

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
