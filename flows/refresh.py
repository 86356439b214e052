"""The jobs as Prefect flows, for a server and its schedules: `refresh`, and each of its steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.states import Cancelled

from outcomes.flows import jobs, stopping
from outcomes.flows.running import run_by
from outcomes.flows.tasks import run_as_task


def _as_flow(job: Callable[..., Any]) -> Flow:
    @wraps(job)
    def run(*arguments: Any, **named: Any) -> Any:
        with run_by(run_as_task), stopping.telling(_cancel_this_run()):
            return job(*arguments, **named)

    return Flow(run, name=job.__name__)


def _cancel_this_run() -> Callable[[], None]:
    """Return what marks the present run as cancelled."""
    run = FlowRunContext.get().flow_run

    def cancel() -> None:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.id, Cancelled(message="stopped by hand"), force=True)

    return cancel


refresh = _as_flow(jobs.refresh)
land = _as_flow(jobs.land)
build = _as_flow(jobs.build)
audit = _as_flow(jobs.audit)
fit = _as_flow(jobs.fit)
answer = _as_flow(jobs.answer)
report = _as_flow(jobs.report)
publish = _as_flow(jobs.publish)
