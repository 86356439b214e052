"""Retries only where a retry can help: disks and networks that were full, busy or away for a moment."""

from __future__ import annotations

import errno
from typing import Any

import duckdb

RETRIES = 2
BACK_OFF_SECONDS = [2, 8]

_PASSING = {
    errno.EAGAIN, errno.EBUSY, errno.EDQUOT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EINTR, errno.EIO, errno.EMFILE,
    errno.ENETDOWN, errno.ENETUNREACH, errno.ENFILE, errno.ENOSPC, errno.ESTALE, errno.ETIMEDOUT,
}  # fmt: skip


def may_help(_task: Any, _task_run: Any, state: Any) -> bool:
    """Say whether a failed task is worth another try; Prefect asks."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BaseException) and is_passing(error)


def is_passing(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is one of a disk or network that may be over soon."""
    while error is not None:
        if isinstance(error, duckdb.IOException) or (isinstance(error, OSError) and error.errno in _PASSING):
            return True
        error = error.__cause__ or error.__context__
    return False
