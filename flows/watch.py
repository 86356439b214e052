"""Watching the inbox: a change that has settled starts one refresh; the standard library is enough."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.deployments import run_deployment
from prefect.logging import get_logger

from outcomes.flows.server import runs_by_now
from outcomes.study import StudyFolder

SECONDS = 2.0  # between two looks; a file that changes between them is still being written
LONGEST_SECONDS = 7200  # a run that has not ended by then is not waited for any longer

Snapshot = tuple[tuple[str, int, int], ...]


def snapshot(inbox: Path) -> Snapshot:
    """Return name, size and time of change of every file of the inbox."""
    found = []
    for path in sorted(inbox.glob("[!.~]*")) if inbox.is_dir() else ():
        try:
            stat = path.stat()
        except OSError:  # it went away meanwhile
            continue
        found.append((path.name, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def watch_inbox(study: StudyFolder, deployment_id: UUID, seconds: float = SECONDS) -> None:
    """Start a refresh whenever the inbox has changed and then held still; never returns.

    What the inbox was when a refresh that ended was started counts as seen; a run that was cancelled or crashed is
    started again.
    """
    seen = before = snapshot(study.inbox)
    while True:
        time.sleep(seconds)
        now = snapshot(study.inbox)
        if now == before and now != seen and _has_ended(deployment_id, seconds):
            seen = now
        before = now


def _has_ended(deployment_id: UUID, seconds: float) -> bool:
    """Run the refresh and say whether it came to an end of its own, well or not; let a running one end first."""
    try:
        with get_client(sync_client=True) as client:
            if runs_by_now(client, deployment_id, StateType.RUNNING, StateType.PENDING):
                return False
        run = run_deployment(deployment_id, poll_interval=seconds, timeout=LONGEST_SECONDS, as_subflow=False)
    except Exception as lost:  # the server may be away for a while; watching goes on whatever happens
        get_logger("outcomes.watch").warning("The refresh could not be started: %s", type(lost).__name__)
        return False
    return run.state is not None and (run.state.is_completed() or run.state.is_failed())
