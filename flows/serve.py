"""Serving: a study's refresh on a schedule, on a change of the inbox, or both, until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron, Interval
from prefect.states import Cancelled, Crashed

from outcomes.errors import StudyBusy, UsageError
from outcomes.flows.dead_runs import GONE
from outcomes.flows.server import require_server, runs_by_now, study_slug
from outcomes.flows.watch import watch_inbox
from outcomes.stopping import until_stopped
from outcomes.study import StudyFolder, writer_lock

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

ENTRYPOINT = "outcomes.flows.refresh.refresh"  # a module path: the same in a clone and in a wheel
WAIT_SECONDS = 3600  # a started refresh waits so long for another one, started by hand or on another machine
POLL_SECONDS = 5


@dataclass(frozen=True)
class Serving:
    """When a study is refreshed.

    Attributes
    ----------
    cron : str
        Cron expression; empty for none.
    timezone : str
        Name of the time zone that `cron` is in.
    every_seconds : float
        Interval; 0 for none.
    watch : bool
        Whether a change of the inbox starts a refresh.
    """

    cron: str = ""
    timezone: str = "UTC"
    every_seconds: float = 0
    watch: bool = False

    def as_text(self) -> str:
        """Say it in words."""
        said = [f"by the schedule {self.cron!r} ({self.timezone})"] if self.cron else []
        said += [f"every {self.every_seconds:g} seconds"] if self.every_seconds else []
        said += ["when the inbox changes"] if self.watch else []
        return " and ".join(said)


def make_deployment(study: StudyFolder, serving: Serving) -> RunnerDeployment:
    """Return the study's deployment: one run at a time, and one that would start meanwhile is cancelled.

    Raises
    ------
    UsageError
        If the schedule cannot be read.
    """
    try:
        schedules = [Cron(serving.cron, timezone=serving.timezone)] if serving.cron else []
        schedules += [Interval(serving.every_seconds)] if serving.every_seconds else []
        return RunnerDeployment.from_entrypoint(
            ENTRYPOINT,
            name=study_slug(study),
            schedules=schedules,
            paused=False,  # a stop pauses the schedule, a start takes it up again
            parameters={"study": str(study.root), "wait_seconds": WAIT_SECONDS},
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            tags=["outcomes"],
        )
    except ValueError as unreadable:
        raise UsageError(
            f"The schedule cannot be read: {unreadable}", "write it like --cron '0 3 * * *' --timezone Europe/Berlin"
        ) from None


def serve_study(study: StudyFolder, serving: Serving, announce: Callable[[str], None]) -> None:
    """Register the study's refresh, catch up once, and run it as declared until the process is stopped.

    Parameters
    ----------
    study : StudyFolder
        The study.
    serving : Serving
        When to refresh.
    announce : callable
        Gets one line each about what is served and what was cleared away.

    Raises
    ------
    UsageError
        If no Prefect server answers, or the schedule cannot be read.
    """
    url = require_server()
    deployment = make_deployment(study, serving)
    deployment_id = deployment.apply()
    with get_client(sync_client=True) as client:
        n_missed, n_killed = clear_away(client, study, deployment_id)
        client.create_flow_run_from_deployment(deployment_id, name=f"start-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}")
    announce(f"Refreshing {study.root} now and {serving.as_text()}; Ctrl-C ends it")
    announce(f"  runs: {url.removesuffix('/api')}/deployments, as refresh/{deployment.name}")
    if n_missed or n_killed:
        announce(f"  cleared away: {n_missed} missed schedule(s), {n_killed} run(s) that were killed")
    if serving.watch:
        threading.Thread(target=watch_inbox, args=(study, deployment_id), daemon=True, name="watch").start()
    _run(deployment)


def _run(deployment: RunnerDeployment) -> None:
    """Run what falls due until the process is stopped; pause the schedule then."""
    runner = Runner(pause_on_shutdown=True, query_seconds=POLL_SECONDS)
    # Prefect's own handler leaves in the middle, without pausing; a service manager's stop is to do what Ctrl-C does.
    runner.handle_sigterm = lambda _signal, _frame: signal.raise_signal(signal.SIGINT)
    runner.add_deployment(deployment)
    with until_stopped():
        asyncio.run(runner.start())


def clear_away(client: SyncPrefectClient, study: StudyFolder, deployment_id: UUID) -> tuple[int, int]:
    """Cancel the schedules that were missed (the run at the start makes up for all), end the runs that were killed.

    A killed run keeps its place on the server for minutes, and new ones would be cancelled. Whether a run lives is told
    by the study's lock: where it is free, none does.

    Returns
    -------
    tuple of (int, int)
        Missed schedules and killed runs.
    """
    missed = runs_by_now(client, deployment_id, StateType.SCHEDULED)
    for run_id in missed:
        client.set_flow_run_state(run_id, Cancelled(message="missed; the run at the start makes up for it"), force=True)
    try:
        with writer_lock(study):
            killed = runs_by_now(client, deployment_id, StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
            for run_id in killed:
                client.set_flow_run_state(run_id, Crashed(message=GONE), force=True)
    except StudyBusy:
        killed = []
    return len(missed), len(killed)
