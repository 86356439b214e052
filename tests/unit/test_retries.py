"""A step is tried again where the disk or the network was at fault, never where the data were."""

import errno
import inspect

import duckdb
import pytest

from outcomes.errors import DataRefused, StepFailed, StorageError
from outcomes.flows import jobs, refresh, steps
from outcomes.flows.retries import BACK_OFF_SECONDS, RETRIES, is_passing, may_help
from outcomes.flows.running import Step, run_plainly
from outcomes.flows.tasks import TASKS


def chained(outer: Exception, inner: Exception) -> Exception:
    try:
        try:
            raise inner
        except Exception as cause:
            raise outer from cause
    except Exception as made:
        return made


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "I/O error"),
        chained(StorageError("cannot write"), OSError(errno.ENOSPC, "No space left on device")),
        chained(StepFailed("the step failed"), duckdb.IOException("could not write")),
    ],
)
def test_errors_of_disks_are_tried_again(error):
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        DataRefused("refused"),
        ValueError("unforeseen"),
        FileNotFoundError(errno.ENOENT, "gone"),
        PermissionError(errno.EACCES, "not allowed"),
        chained(StepFailed("the step failed"), duckdb.BinderException("no such column")),
    ],
)
def test_errors_that_stay_are_not_tried_again(error):
    assert not is_passing(error)


def attempts_until(errors: list[Exception]) -> tuple[int, object]:
    """How often a step is tried that fails with these errors, one a time, and how it ends."""
    left, attempts = list(errors), 0

    def work(value: str) -> str:
        nonlocal attempts
        attempts += 1
        if left:
            raise left.pop(0)
        return value

    try:
        end: object = run_plainly(Step("step", work), "done")
    except Exception as failed:
        end = failed
    return attempts, end


@pytest.fixture
def _no_waiting(monkeypatch):
    monkeypatch.setattr("outcomes.flows.running.BACK_OFF_SECONDS", [0] * RETRIES)


@pytest.mark.usefixtures("_no_waiting")
def test_a_step_without_a_server_is_tried_as_often_as_a_task():
    passing = [OSError(errno.EIO, "I/O error") for _ in range(RETRIES + 1)]
    assert attempts_until(passing[:RETRIES]) == (RETRIES + 1, "done")
    assert attempts_until(passing) == (RETRIES + 1, passing[-1])
    stays = ValueError("unforeseen")
    assert attempts_until([stays]) == (1, stays)
    assert attempts_until([passing[0], stays]) == (2, stays)


def test_every_step_is_a_task_with_the_same_retries():
    named = {step.name for step in vars(steps).values() if isinstance(step, Step)}
    assert {task.name for task in TASKS.values()} == named
    for task in TASKS.values():
        assert (task.retries, task.retry_delay_seconds) == (RETRIES, BACK_OFF_SECONDS)
        assert task.retry_condition_fn is may_help


def test_every_job_is_a_flow_of_the_same_arguments():
    for name, job in vars(jobs).items():
        if inspect.isfunction(job) and job.__module__ == jobs.__name__ and not name.startswith("_"):
            assert getattr(refresh, name).name == name
            assert inspect.signature(getattr(refresh, name).fn) == inspect.signature(job)
