"""The steps as Prefect tasks, with the same retries, and what a release leaves to be seen on the server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from prefect import Task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from outcomes import release
from outcomes.flows import steps
from outcomes.flows.retries import BACK_OFF_SECONDS, RETRIES, may_help
from outcomes.flows.running import Step
from outcomes.operate import read_trend
from outcomes.study import StudyFolder

_task = partial(Task, retries=RETRIES, retry_delay_seconds=BACK_OFF_SECONDS, retry_condition_fn=may_help)


def _publish(root: str, release_id: str) -> str:
    """Publish the candidate, and show its summary and the trend of its findings on the server."""
    folder = steps.publish.work(root, release_id)
    study = StudyFolder.open(root)
    create_markdown_artifact(
        release.summary_markdown(Path(folder)), key=f"release-{release_id}", description=study.settings.study.name
    )
    create_table_artifact(
        [
            {
                "release": found.release_id, "published": found.published_at, "open": found.n_open,
                "new": len(found.new), "persisting": len(found.persisting), "resolved": len(found.resolved),
            }
            for found in read_trend(study)
        ],
        key=f"data-quality-{release_id}", description=f"{study.settings.study.name}: open findings by release",
    )  # fmt: skip
    return folder


TASKS: dict[Step, Task] = {
    step: _task(_publish if step is steps.publish else step.work, name=step.name)
    for step in vars(steps).values()
    if isinstance(step, Step)
}


def run_as_task(step: Step, *arguments: Any) -> Any:
    """Run a step as its Prefect task."""
    return TASKS[step](*arguments)
