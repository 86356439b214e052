"""The jobs as Prefect flows, for a server and its schedules: `refresh`, and each of its steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.runtime import flow_run as present_run
from prefect.states import Cancelled

from outcomes import release, stopping
from outcomes.audit import counts_on_file
from outcomes.flows import dead_runs, jobs, states
from outcomes.flows.running import run_by
from outcomes.flows.server import run_name
from outcomes.flows.tasks import run_as_task
from outcomes.study import StudyFolder


def _as_flow(job: Callable[..., Any]) -> Flow:
    @wraps(job)
    def run(*arguments: Any, **named: Any) -> Any:
        run_id = FlowRunContext.get().flow_run.id
        dead_runs.say_who_runs(run_id)
        dead_runs.end_dead_runs(present_run.parameters["study"])
        with run_by(run_as_task), stopping.telling(_cancel_this_run()):
            result = job(*arguments, **named)
        return _told(run_id, result) if isinstance(result, jobs.Refreshed) else result

    return Flow(run, name=job.__name__, flow_run_name=lambda: _name(job.__name__))


def _name(job: str) -> str:
    return run_name(present_run.parameters["study"], job)


def _told(run_id: Any, result: jobs.Refreshed) -> Any:
    """Name the run after its release; end it in a state of its own where something waits for somebody."""
    study = StudyFolder.open(present_run.parameters["study"])
    dead_runs.rename_run(run_id, run_name(str(study.root), jobs.refresh.__name__, result.release_id))
    n_open = states.n_open(counts_on_file(release.release_folder(study, result.release_id)))
    return states.ended(result, n_refused=result.n_refused, n_open=n_open)


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
