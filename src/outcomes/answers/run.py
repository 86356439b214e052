"""The step of the pipeline that answers the study's questions in a candidate release."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.balance import run as balance
from outcomes.answers.common.estimates import BROKE_DOWN
from outcomes.answers.connection import run as connection
from outcomes.answers.dropout import run as dropout
from outcomes.answers.guidance import run as guidance
from outcomes.answers.missing import run as missing
from outcomes.answers.multiverse import run as multiverse
from outcomes.answers.recovery import run as recovery
from outcomes.answers.therapists import run as therapists
from outcomes.errors import FitRefused
from outcomes.progress import tracked
from outcomes.release.codebook.answer_columns import ANSWER_TABLES
from outcomes.release.codebook.comments import describe
from outcomes.release.folders import DATABASE
from outcomes.release.withholding import reason_withheld
from outcomes.store.files import write_json
from outcomes.store.warehouse import connect, transaction
from outcomes.study import StudyFolder

ANALYSES: tuple[ModuleType, ...] = (recovery, guidance, balance, dropout, connection, therapists, missing, multiverse)
"""Modules with `NAME`, `TABLES` (the tables that they write) and `run(con, settings)`, in the order of the report.
One with `MEMORY` is also given that file of the study folder, where it keeps what the next release may need again."""

STATES = "answer_states"
ANSWERS = "answers.json"


class AnswerStatus(StrEnum):
    """Whether an analysis gave numbers."""

    ANSWERED = "answered"
    REFUSED = "refused"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class AnswerState:
    """One row of `answer_states`; `reason` says in plain words why there are no numbers; empty where there are."""

    analysis: str
    status: AnswerStatus
    reason: str


def answer(folder: Path, study: StudyFolder) -> tuple[AnswerState, ...]:
    """Run the analyses on a candidate, write their tables, then `answers.json`.

    Parameters
    ----------
    folder : Path
        A candidate release with its database.
    study : StudyFolder
        Its thresholds, and the analyses that it leaves out.

    Returns
    -------
    tuple of AnswerState
        One an analysis, in the order of `ANALYSES`. What the data cannot answer, or the study leaves out, is refused: a
        state with a reason, and its tables without rows.

    Notes
    -----
    Each analysis is one transaction with its state, so a run that was killed goes on where it stopped, and a second run
    changes nothing.
    """
    with connect(folder / DATABASE) as con:
        con.execute(f"create table if not exists {STATES} (analysis varchar, status varchar, reason varchar)")
        done = _states(con)
        waiting = [analysis for analysis in ANALYSES if analysis.NAME not in done]
        for analysis in tracked(waiting, "Answering", len(waiting)):
            done[analysis.NAME] = _answer(con, analysis, study)
    states = tuple(done[analysis.NAME] for analysis in ANALYSES)
    write_json(folder / ANSWERS, [asdict(state) for state in states])
    return states


def _states(con: duckdb.DuckDBPyConnection) -> dict[str, AnswerState]:
    rows = con.execute(f"select analysis, status, reason from {STATES}").fetchall()
    return {name: AnswerState(name, AnswerStatus(status), reason) for name, status, reason in rows}


def _answer(con: duckdb.DuckDBPyConnection, analysis: ModuleType, study: StudyFolder) -> AnswerState:
    """Run one analysis and write what came of it in one transaction."""
    tables, state = _asked(con, analysis, study)
    with transaction(con):
        for name in analysis.TABLES:
            _write(con, name, tables.get(name))
        con.execute(f"insert into {STATES} values (?, ?, ?)", astuple(state))
        describe(con, (*analysis.TABLES, STATES), study.settings)
    return state


def _asked(
    con: duckdb.DuckDBPyConnection, analysis: ModuleType, study: StudyFolder
) -> tuple[dict[str, pl.DataFrame], AnswerState]:
    """Run one analysis, unless it is left out."""
    if analysis.NAME in study.settings.answers.leave_out:
        return {}, AnswerState(analysis.NAME, AnswerStatus.LEFT_OUT, "the study file leaves it out")
    if reason := reason_withheld(con):
        return {}, AnswerState(analysis.NAME, AnswerStatus.REFUSED, reason)
    try:
        memory = {"memory": study.root / analysis.MEMORY} if hasattr(analysis, "MEMORY") else {}
        return analysis.run(con, study.settings, **memory), AnswerState(analysis.NAME, AnswerStatus.ANSWERED, "")
    except FitRefused as refusal:
        return {}, AnswerState(analysis.NAME, AnswerStatus.REFUSED, refusal.message)
    except np.linalg.LinAlgError:  # one analysis must not hold up the release of all
        return {}, AnswerState(analysis.NAME, AnswerStatus.REFUSED, BROKE_DOWN)


def _write(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame | None) -> None:
    """Replace a table by these rows, in the columns and types that the codebook describes."""
    _, columns = ANSWER_TABLES[name]
    con.execute(f"create or replace table {name} ({', '.join(f'{c} {text.type}' for c, text in columns.items())})")
    if rows is not None and rows.height:
        con.register("answered", rows.to_arrow())
        con.execute(f"insert into {name} by name select * from answered")
        con.unregister("answered")
