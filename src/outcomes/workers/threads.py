"""Places in this process: one thread each, as many at a time as there are processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Threads:
    """Places whose memory is this process's own; see `outcomes.mixed.design.parts.Places`."""

    pool: ThreadPoolExecutor

    def keep(self, function: Callable[..., Any], jobs: Sequence[tuple]) -> list[Any]:
        """Call `function(*job)` for each job, one a place; the results stay there."""
        return list(self.pool.map(lambda job: function(*job), jobs))

    def ask(self, function: Callable[..., Any], kept: Sequence[Any], *arguments: Any) -> list[Any]:
        """Call `function(one, *arguments)` on what each place keeps, and bring the results here, in order."""
        return list(self.pool.map(lambda one: function(one, *arguments), kept))


@contextmanager
def in_threads() -> Iterator[Threads]:
    """Open places in this process."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield Threads(pool)
