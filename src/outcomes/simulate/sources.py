"""Write a cohort as source files, the way an institution exports them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from outcomes.simulate.cohort import Cohort

_ASIDE = ".part"  # a name that no source pattern of a study matches before the rename


def write_sources(cohort: Cohort, inbox: Path, *, quarterly: bool = True, mess: bool = False) -> tuple[Path, ...]:
    """Write the cohort's tables into an inbox.

    Parameters
    ----------
    cohort : Cohort
    inbox : Path
        Made where it is missing. A file of the same name is replaced.
    quarterly : bool
        One file of appointments a calendar quarter (`sessions-2024q1.csv` ...), as exports arrive over time;
        otherwise one `sessions.csv`.
    mess : bool
        Also write the files of `outcomes.simulate.mess`, each with a planted fault or a harmless variation.

    Returns
    -------
    tuple of Path
        The files, clients and episodes first, then appointments in order of time.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    tables = {
        "clients.csv": cohort.clients,
        "episodes.csv": cohort.episodes,
        **_session_files(cohort.sessions, quarterly),
    }
    for name, table in tables.items():
        write_aside(inbox / name, table.write_csv)
    return tuple(inbox / name for name in tables)


def write_aside(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a hidden file and give it its name when it is whole."""
    aside = path.with_name(f".{path.stem}{_ASIDE}")
    try:
        write(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _session_files(sessions: pl.DataFrame, quarterly: bool) -> dict[str, pl.DataFrame]:
    """Name the files of appointments and say what each holds."""
    if not quarterly:
        return {"sessions.csv": sessions}
    day = pl.col("session_date")
    quarter = pl.format("sessions-{}q{}.csv", day.dt.year(), day.dt.quarter())
    parts = sessions.with_columns(file=quarter).partition_by("file", as_dict=True, include_key=False)
    return {name: parts[(name,)] for (name,) in sorted(parts)}
