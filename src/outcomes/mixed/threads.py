"""How many threads one fit computes on."""

from __future__ import annotations

import os
from contextvars import ContextVar

_most: ContextVar[int | None] = ContextVar("most threads of a fit", default=None)


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def n_threads() -> int:
    """Threads that a fit may compute on: one a core, unless the caller has said less."""
    return _most.get() or n_cores()


def compute_on(n: int) -> None:
    """Let fits that this thread starts compute on n threads: others run beside them, and each takes memory."""
    _most.set(n)
