"""Write a cohort as source files, the way an institution exports them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from outcomes.errors import UsageError
from outcomes.simulate.world.cohort import Cohort


def write_sources(cohort: Cohort, inbox: Path, *, session_files: int = 4) -> tuple[Path, ...]:
    """Write the cohort's tables into an inbox.

    Parameters
    ----------
    cohort : Cohort
    inbox : Path
        Made where it is missing. A file of the same name is replaced.
    session_files : int
        Number of exports of appointments over the time of the study, at least 1: `sessions.csv`, or equal stretches of
        time named by their last day, `sessions-to-2024-03-31.csv` ... A stretch without appointments has no file.

    Returns
    -------
    tuple of Path
        The files, clients and episodes first, then appointments in order of time.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    tables = source_tables(cohort, session_files)
    for name, table in tables.items():
        write_aside(inbox / name, table.write_csv)
    return tuple(inbox / name for name in tables)


def source_tables(cohort: Cohort, session_files: int) -> dict[str, pl.DataFrame]:
    """Return file names and what each file holds, in the order of `write_sources`."""
    return {"clients.csv": cohort.clients, "episodes.csv": cohort.episodes, **_by_time(cohort, session_files)}


def write_aside(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a hidden file and give it its name when it is whole."""
    aside = path.with_name(f".{path.name}.part")
    try:
        write(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _by_time(cohort: Cohort, session_files: int) -> dict[str, pl.DataFrame]:
    """Name the files of appointments and say what each holds."""
    if session_files < 1:
        raise UsageError("Appointments need at least one file", "ask for one or more")
    if session_files == 1:
        return {"sessions.csv": cohort.sessions}
    files, first = {}, cohort.parameters.records.first_day
    for last in _last_days(first, cohort.parameters.records.data_cut, session_files):
        part = cohort.sessions.filter(pl.col("session_date").is_between(first, last))
        if part.height:
            files[f"sessions-to-{last.isoformat()}.csv"] = part
        first = last + timedelta(days=1)
    return files


def _last_days(first: date, last: date, count: int) -> list[date]:
    """Return the last day of each of `count` stretches of equal length."""
    days = (last - first).days + 1
    return [first + timedelta(days=days * place // count - 1) for place in range(1, count + 1)]
