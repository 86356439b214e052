"""The step of the pipeline that answers the study's questions in a candidate release."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import duckdb
import polars as pl

from outcomes.answers import balance, connection, dropout, guidance, therapists
from outcomes.errors import FitRefused, UsageError
from outcomes.progress import tracked
from outcomes.release.answer_columns import ANSWER_TABLES
from outcomes.release.codebook import describe
from outcomes.release.folders import DATABASE
from outcomes.study import StudyFolder
from outcomes.warehouse import connect, transaction

ANALYSES: tuple[ModuleType, ...] = (guidance, balance, dropout, connection, therapists)
"""Modules with `NAME`, `TABLES` (the tables that they write) and `run(con, settings)`, in the order of the report."""

STATES = "answer_states"


class AnswerStatus(StrEnum):
    """Whether an analysis gave numbers."""

    ANSWERED = "answered"
    REFUSED = "refused"


@dataclass(frozen=True)
class AnswerState:
    """One row of `answer_states`; `reason` says in plain words why an analysis was refused, and is empty otherwise."""

    analysis: str
    status: AnswerStatus
    reason: str


def answer(folder: Path, study: StudyFolder, only: Collection[str] | None = None) -> tuple[AnswerState, ...]:
    """Run the analyses on a candidate and write their tables.

    Parameters
    ----------
    folder : Path
        A candidate release with its database.
    study : StudyFolder
    only : collection of str, optional
        Names of analyses; all where not given.

    Returns
    -------
    tuple of AnswerState
        One an analysis, in the order of `ANALYSES`. What the data cannot answer is refused: a state with a reason, and
        its tables without rows.

    Raises
    ------
    UsageError
        If `only` names an analysis that there is not.

    Notes
    -----
    Each analysis is one transaction with its state, so a run that was killed goes on where it stopped, and a second run
    changes nothing.
    """
    chosen = _chosen(only)
    with connect(folder / DATABASE) as con:
        con.execute(f"create table if not exists {STATES} (analysis varchar, status varchar, reason varchar)")
        done = _states(con)
        waiting = [analysis for analysis in chosen if analysis.NAME not in done]
        for analysis in tracked(waiting, "Answering", len(waiting)):
            done[analysis.NAME] = _answer(con, analysis, study)
    return tuple(done[analysis.NAME] for analysis in chosen)


def _chosen(only: Collection[str] | None) -> tuple[ModuleType, ...]:
    known = {analysis.NAME: analysis for analysis in ANALYSES}
    if unknown := sorted(set(only or ()) - set(known)):
        raise UsageError(f"There is no analysis {', '.join(unknown)}", f"there are {', '.join(known)}")
    return tuple(analysis for name, analysis in known.items() if only is None or name in only)


def _states(con: duckdb.DuckDBPyConnection) -> dict[str, AnswerState]:
    rows = con.execute(f"select analysis, status, reason from {STATES}").fetchall()
    return {name: AnswerState(name, AnswerStatus(status), reason) for name, status, reason in rows}


def _answer(con: duckdb.DuckDBPyConnection, analysis: ModuleType, study: StudyFolder) -> AnswerState:
    """Run one analysis and write what came of it in one transaction."""
    try:
        tables = analysis.run(con, study.settings)
        state = AnswerState(analysis.NAME, AnswerStatus.ANSWERED, "")
    except FitRefused as refusal:
        tables, state = {}, AnswerState(analysis.NAME, AnswerStatus.REFUSED, refusal.message)
    with transaction(con):
        for name in analysis.TABLES:
            _write(con, name, tables.get(name))
        con.execute(f"insert into {STATES} values (?, ?, ?)", astuple(state))
        describe(con, (*analysis.TABLES, STATES), study.settings)
    return state


def _write(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame | None) -> None:
    """Replace a table by these rows, in the columns and types that the codebook describes."""
    _, columns = ANSWER_TABLES[name]
    con.execute(f"create or replace table {name} ({', '.join(f'{c} {text.type}' for c, text in columns.items())})")
    if rows is not None and rows.height:
        con.register("answered", rows.to_arrow())
        con.execute(f"insert into {name} by name select * from answered")
        con.unregister("answered")
