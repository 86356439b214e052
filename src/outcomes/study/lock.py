"""One writer at a time: an operating-system file lock, which dies with the process that holds it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from outcomes.errors import StorageError, StudyBusy
from outcomes.study.folder import StudyFolder

_HOLDER = ".lock-holder.json"


@contextmanager
def writer_lock(study: StudyFolder, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the study's writer lock for the length of the block.

    Parameters
    ----------
    study : StudyFolder
        The study that is written to.
    wait_seconds : float
        How long to wait for another writer to finish; 0 gives up at once.

    Raises
    ------
    StudyBusy
        If another process still holds the lock after `wait_seconds`; the message says which.
    StorageError
        If the lock file cannot be made.
    """
    lock = FileLock(study.lock)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as held:
        raise StudyBusy(
            f"Another run is writing to this study ({_holder(study)})", "wait for it to end, or use --wait SECONDS"
        ) from held
    except OSError as refused:
        raise StorageError(
            f"The lock of {study.root} cannot be taken: {refused.strerror}", "check the permissions"
        ) from refused
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        holder = {"process": os.getpid(), "machine": platform.node(), "since": started}
        with suppress(OSError):  # a full disk: who holds the lock cannot be said, that it is held can
            (study.root / _HOLDER).write_text(json.dumps(holder), encoding="utf-8")
        yield
    finally:
        (study.root / _HOLDER).unlink(missing_ok=True)
        lock.release()


def writing_process(study: StudyFolder) -> int | None:
    """Return the process of this machine that writes to the study now; None where there is none, or it is elsewhere."""
    try:
        holder = json.loads((study.root / _HOLDER).read_text(encoding="utf-8"))
        if holder["machine"] != platform.node():
            return None
        os.kill(process := int(holder["process"]), 0)
    except PermissionError:  # it lives, and is another user's
        return process
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return process


def _holder(study: StudyFolder) -> str:
    try:
        holder = json.loads((study.root / _HOLDER).read_text(encoding="utf-8"))
        return f"process {holder['process']} on {holder['machine']} since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "its holder has not said who it is"
