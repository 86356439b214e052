"""States by which a run that went well says that something waits for somebody: refused files, open findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.states import Completed, State

from outcomes.audit import Status

REFUSED_FILES = "RefusedFiles"
OPEN_FINDINGS = "OpenFindings"
_OPEN = (Status.FAILED, Status.ERROR)


def ended(result: Any, *, n_refused: int = 0, n_open: int = 0) -> Any:
    """Return what a task or flow is to return: its result, in a state of its own where something waits.

    Parameters
    ----------
    result : object
        Ids, paths and counts.
    n_refused : int
        Files of the inbox that were refused now.
    n_open : int
        Open data-quality findings of the release.
    """
    said = [f"{n_refused} file(s) of the inbox were refused: see quarantine/"] if n_refused else []
    said += [f"{n_open} finding(s) are open: see the artifact `findings-...` or `outcomes status`"] if n_open else []
    if not said:
        return result
    return Completed(name=REFUSED_FILES if n_refused else OPEN_FINDINGS, message="; ".join(said), data=result)


def result_of(returned: Any) -> Any:
    """Return the result of a task, whichever state it is in."""
    return returned.result() if isinstance(returned, State) else returned


def n_open(counts: Mapping[str, int]) -> int:
    """Count the open findings among checks by status."""
    return sum(counts.get(status, 0) for status in _OPEN)
