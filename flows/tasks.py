"""The steps as Prefect tasks, with the same retries: named, with what they say in their log, in states that tell."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from prefect import Task, get_run_logger
from prefect.context import FlowRunContext

from outcomes import audit, progress, release
from outcomes.flows import artifacts, states, steps
from outcomes.flows.dead_runs import rename_run
from outcomes.flows.retries import BACK_OFF_SECONDS, RETRIES, may_help
from outcomes.flows.running import Step
from outcomes.flows.server import run_name
from outcomes.study import StudyFolder


def _landed(root: str, n_refused: int) -> Any:
    if n_refused:
        artifacts.show_refusals(StudyFolder.open(root))
    return states.ended(n_refused, n_refused=n_refused)


def _built(root: str, release_id: str) -> Any:
    if run := FlowRunContext.get():
        rename_run(run.flow_run.id, run_name(root, run.flow.name, release_id))
    return release_id


def _audited(root: str, result: Any, release_id: str) -> Any:
    study = StudyFolder.open(root)
    folder = release.candidate_folder(study, release_id)
    n_open = states.n_open(audit.counts_on_file(folder))
    if n_open:
        artifacts.show_findings(study, folder, release_id)
    return states.ended(result, n_open=n_open)


def _published(root: str, folder: str, release_id: str) -> Any:
    artifacts.show_release(StudyFolder.open(root), Path(folder), release_id)
    return folder


_AFTERWARDS: dict[Step, Callable[..., Any]] = {
    steps.land: _landed,
    steps.build: _built,
    steps.audit: _audited,
    steps.publish: _published,
}
"""What is shown on the server after a step: gets the study's path, what the step returned, and its other arguments."""


def _told(step: Step) -> Callable[..., Any]:
    """The step, with what it says in the task's log on the server."""

    @wraps(step.work)
    def work(root: str, *more: str) -> Any:
        log = get_run_logger()
        with progress.heard(lambda text, is_warning: log.log(logging.WARNING if is_warning else logging.INFO, text)):
            result = step.work(root, *more)
        return _AFTERWARDS.get(step, lambda _root, returned, *_: returned)(root, result, *more)

    work.__signature__ = inspect.signature(step.work)
    return work


def _task(step: Step) -> Task:
    has_release = "release_id" in inspect.signature(step.work).parameters
    return Task(
        _told(step), name=step.name, task_run_name=f"{step.name}-{{release_id}}" if has_release else step.name,
        description=inspect.getdoc(step.work), retries=RETRIES, retry_delay_seconds=BACK_OFF_SECONDS,
        retry_condition_fn=may_help,
    )  # fmt: skip


TASKS: dict[Step, Task] = {step: _task(step) for step in vars(steps).values() if isinstance(step, Step)}


def run_as_task(step: Step, *arguments: Any) -> Any:
    """Run a step as its Prefect task; return its result, whichever state it ended in."""
    return states.result_of(TASKS[step](*arguments))
