"""How long the steps of a release took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outcomes.release.folders import candidate_folder
from outcomes.store.files import read_json, write_json
from outcomes.study import StudyFolder

_FILE = "timings.json"


def record_timing(folder: Path, step: str, seconds: float) -> None:
    """Note in a candidate's folder that a step took so many seconds; a repeated step replaces its figure."""
    write_json(folder / _FILE, {**read_timings(folder), step: round(seconds, 3)})


def read_timings(folder: Path) -> dict[str, float]:
    """Return seconds by step, empty where none are noted."""
    path = folder / _FILE
    return read_json(path) if path.is_file() else {}


@contextmanager
def timed(study: StudyFolder, release_id: str, step: str) -> Iterator[None]:
    """Time a step of a candidate and note it; a step that fails is not noted."""
    start = time.perf_counter()
    yield
    record_timing(candidate_folder(study, release_id), step, time.perf_counter() - start)
