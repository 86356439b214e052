"""The journal of runs: when each began and how it ended, in `runs.jsonl` of the study; counts and names, no data."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from outcomes.errors import OutcomesError
from outcomes.store.files import append_line, read_lines, write_text
from outcomes.study import StudyFolder
from outcomes.study.lock import writing_process

RUNS = "runs.jsonl"
UNENDED = "did not end"
RUNNING = "runs now"
_LANDING = ("refresh", "land")  # flows that land files
_MOST_BYTES = 1_000_000  # a longer journal is cut to its younger half


@dataclass(frozen=True)
class Run:
    """One run of a flow.

    Attributes
    ----------
    flow, started, ended : str
        Name; ISO 8601, UTC; `ended` is empty where the run was killed or still runs.
    end : str
        `published`, `nothing new`, `done`, `failed: <kind of error>`, `runs now`, or `did not end`.
    exit_code : int or None
        As the command line gives it; None where the run did not end.
    n_refused : int
        Files of the inbox that were refused.
    """

    flow: str
    started: str
    ended: str
    end: str
    exit_code: int | None
    n_refused: int

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.end == RUNNING


class OpenRun:
    """A run that is under way; it says how it ended."""

    def __init__(self) -> None:
        self.end = "done"
        self.n_refused = 0


@contextmanager
def recorded(study: StudyFolder, flow: str) -> Iterator[OpenRun]:
    """Write down that a run begins and how it ends; call it under the writer lock."""
    path, run, name = study.root / RUNS, OpenRun(), uuid.uuid4().hex[:12]
    _shorten(path)
    append_line(path, {"run": name, "flow": flow, "started": _now(), "process": os.getpid()})

    def close(end: str, exit_code: int) -> None:
        append_line(path, {"run": name, "ended": _now(), "end": end, "exit_code": exit_code, "refused": run.n_refused})

    try:
        yield run
    except Exception as failed:
        exit_code = failed.exit_code if isinstance(failed, OutcomesError) else 5
        with suppress(OSError):  # on a full disk the reason itself must be heard
            close(f"failed: {type(failed).__name__}", exit_code)
        raise
    close(run.end, 1 if run.n_refused else 0)


def read_runs(study: StudyFolder) -> tuple[Run, ...]:
    """Return the recorded runs, oldest first."""
    begun: dict[str, dict] = {}
    for line in read_lines(study.root / RUNS):
        if "started" in line:
            begun[line["run"]] = line
        elif line.get("run") in begun:
            begun[line["run"]] |= line
    now = _present(begun, study)
    return tuple(
        Run(
            line["flow"], line["started"], line.get("ended", ""),
            line.get("end") or (RUNNING if name == now else UNENDED), line.get("exit_code"), line.get("refused", 0),
        )
        for name, line in begun.items()
    )  # fmt: skip


def _present(begun: dict[str, dict], study: StudyFolder) -> str:
    """Return the name of the run that still writes, on this machine; '' where the last one ended or was killed."""
    name = next(reversed(begun), "")
    writer = writing_process(study) if name and "end" not in begun[name] else None
    return name if writer is not None and begun[name].get("process") == writer else ""


def last_end(study: StudyFolder) -> str:
    """Return when the last run that landed files came to its end, ISO 8601; '' where none did."""
    return max((run.ended for run in read_runs(study) if run.flow in _LANDING and run.ended), default="")


def _shorten(path: Path) -> None:
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        write_text(path, "".join(lines[len(lines) // 2 :]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
