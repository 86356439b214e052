"""Runs of processes that are gone: killed runs cannot say so themselves, and would stay "Running" on the server."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas import filters
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed

_PROCESS, _MACHINE = "outcomes.process", "outcomes.machine"  # labels of a run
_AWAY = (httpx.HTTPError, PrefectHTTPStatusError)
GONE = "its process is gone"


def rename_run(run_id: UUID, name: str) -> None:
    """Give a run a name; a server that is away for a moment holds nothing up."""
    with suppress(*_AWAY), get_client(sync_client=True) as client:
        client.update_flow_run(run_id, name=name)


def say_who_runs(run_id: UUID) -> None:
    """Note on the server which process of which machine a run is."""
    with suppress(*_AWAY), get_client(sync_client=True) as client:
        client.update_flow_run_labels(run_id, {_PROCESS: os.getpid(), _MACHINE: platform.node()})


def end_dead_runs(study: str) -> int:
    """Mark the runs of a study as crashed whose process on this machine is gone; return how many.

    Runs of other machines, and those that nobody labelled, are left alone: nobody here knows whether they live.
    """
    running = filters.FlowRunFilter(
        state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=[StateType.RUNNING]))
    )
    n_ended = 0
    with suppress(*_AWAY), get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=running):
            if run.parameters.get("study") == study and _is_dead(run):
                client.set_flow_run_state(run.id, Crashed(message=GONE), force=True)
                n_ended += 1
    return n_ended


def _is_dead(run: FlowRun) -> bool:
    process = run.labels.get(_PROCESS)
    if process is None or run.labels.get(_MACHINE) != platform.node():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives and belongs to somebody else
        return False
    return False
