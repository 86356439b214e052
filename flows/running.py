"""How the steps of a job run: plainly, with the retries of every step, or as whoever arranges them wants it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from outcomes.flows.retries import BACK_OFF_SECONDS, RETRIES, is_passing


@dataclass(frozen=True)
class Step:
    """A part of a job: it takes and returns paths, ids and counts, never rows.

    Attributes
    ----------
    name : str
        As progress lines and Prefect have it.
    work : callable
        What it does.
    """

    name: str
    work: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """Do the step in the way that is set: see `run_by`."""
        return _run.get()(self, *arguments)


def step_named(name: str) -> Callable[[Callable[..., Any]], Step]:
    """Make a step of the function that follows."""
    return lambda work: Step(name, work)


def run_plainly(step: Step, *arguments: Any) -> Any:
    """Do a step; try it again only where the disk or the network may be at fault, never where the data are."""
    for seconds in BACK_OFF_SECONDS[:RETRIES]:
        try:
            return step.work(*arguments)
        except Exception as failed:
            if not is_passing(failed):
                raise
        time.sleep(seconds)
    return step.work(*arguments)


_run: ContextVar[Callable[..., Any]] = ContextVar("run", default=run_plainly)


@contextmanager
def run_by(run: Callable[..., Any]) -> Iterator[None]:
    """Have all steps of a block run by `run(step, *arguments)`."""
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)
