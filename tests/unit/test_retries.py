"""A step is tried again where the disk or the network was at fault, never where the data were."""

import errno

import duckdb
import pytest

from outcomes.errors import DataRefused, StepFailed, StorageError
from outcomes.flows.retries import is_passing


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
