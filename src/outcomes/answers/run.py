"""The step of the pipeline that answers the study's questions in a candidate release."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict, astuple
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.balance import run as balance
from outcomes.answers.certainty import run as certainty
from outcomes.answers.common.estimates import BROKE_DOWN
from outcomes.answers.connection import run as connection
from outcomes.answers.contrasts import run as contrasts
from outcomes.answers.dropout import run as dropout
from outcomes.answers.guidance import run as guidance
from outcomes.answers.missing import run as missing
from outcomes.answers.multiverse import run as multiverse
from outcomes.answers.recovery import run as recovery
from outcomes.answers.responsiveness import run as responsiveness
from outcomes.answers.states import STATES, AnswerState, AnswerStatus
from outcomes.answers.therapists import run as therapists
from outcomes.contract import SCORE
from outcomes.errors import FitRefused
from outcomes.languages import later
from outcomes.mixed.threads import compute_on, n_cores
from outcomes.progress import tracked
from outcomes.release.codebook.comments import describe
from outcomes.release.codebook.vocabulary import TableText
from outcomes.release.folders import DATABASE
from outcomes.release.withholding import reason_withheld
from outcomes.store.files import write_json
from outcomes.store.warehouse import connect, insert_rows, transaction
from outcomes.study import StudyFolder
from outcomes.study.settings import AnalysisName
from outcomes.study.tables.questions import CENTRAL_NEEDS, lacking_sentence
from outcomes.workers import on_cluster

ANALYSES: tuple[Analysis, ...] = (
    recovery.ANALYSIS,
    guidance.ANALYSIS,
    balance.ANALYSIS,
    responsiveness.ANALYSIS,
    dropout.ANALYSIS,
    contrasts.ANALYSIS,
    connection.ANALYSIS,
    therapists.ANALYSIS,
    missing.ANALYSIS,
    multiverse.ANALYSIS,
    certainty.ANALYSIS,
)
"""In the order of the report; how sure they are comes last, from the tables of all others."""

ANSWER_TABLES: dict[str, TableText] = {
    table.name: table for table in (STATES, *(table for analysis in ANALYSES for table in analysis.tables))
}
"""Every table that this step writes."""

ANSWERS = "answers.json"
LEFT_OUT = later("the study file leaves it out")
ABREAST = 100_000
"""Sessions from which answers are worked out on all processors at a time. Below, the simulated cohorts have the second
one, and answers in one process would wait for one another's Python. With a cluster, which has the cohorts, always."""
LONGEST = (AnalysisName.MULTIVERSE, AnalysisName.BALANCE, AnalysisName.DROPOUT, AnalysisName.MISSING)
"""Begun first, so that no processor is idle at the end; of a large study balance and missing, which hold the most
memory, do not meet."""

LISTEN_SECONDS = 0.2
"""A wait without end may not hear Ctrl-C: the signal can reach another thread."""


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
    changes nothing. It is written when it has ended; of a large study as many as there are processors run at a time.
    Once all have, the codebook gets their tables, in the order of `ANALYSES`.
    None but the last reads what another writes, so the order changes nothing.
    """
    with ExitStack() as opened:
        con = opened.enter_context(connect(folder / DATABASE))
        con.execute(f"create table if not exists {STATES.sql}")
        done = _states(con)
        waiting = sorted((one for one in ANALYSES if one.name not in done), key=_turn)
        if waiting and (cluster := study.settings.cluster.address):
            opened.enter_context(on_cluster(cluster))  # once for all answers, which join
        beside = opened.enter_context(ThreadPoolExecutor())
        lanes = opened.enter_context(_lanes(con, study))
        started = {
            (beside if analysis.runs_beside else lanes).submit(_asked_apart, con.cursor(), analysis, study): analysis
            for analysis in waiting
            if not analysis.reads_all
        }

        def ended() -> Iterator[tuple[Analysis, tuple[dict[str, pl.DataFrame], AnswerState]]]:
            left = set(started)
            while left:
                over, left = wait(left, LISTEN_SECONDS, FIRST_COMPLETED)
                yield from ((started[one], one.result()) for one in over)
            yield from ((analysis, _asked(con, analysis, study)) for analysis in waiting if analysis.reads_all)

        for analysis, (tables, state) in tracked(ended(), "Answering", len(waiting)):
            _keep(con, analysis, tables, state)
            done[analysis.name] = state
        states = tuple(done[analysis.name] for analysis in ANALYSES)
        names = [STATES.name, *(table.name for analysis in ANALYSES for table in analysis.tables)]
        if _described(con) != names:
            _finish(con, states, names, study)
    write_json(folder / ANSWERS, [asdict(state) for state in states])
    return states


def _lanes(con: duckdb.DuckDBPyConnection, study: StudyFolder) -> ThreadPoolExecutor:
    """Where analyses are worked out: one after another; of a large study one a core, each on one thread.

    With a cluster, too, one goes on while another waits for its workers.
    """
    ((sessions,),) = con.execute("select count(*) from core_sessions").fetchall()
    if sessions < ABREAST and not study.settings.cluster.address:
        return ThreadPoolExecutor(1)
    return ThreadPoolExecutor(n_cores(), initializer=compute_on, initargs=(1,))


def _turn(analysis: Analysis) -> int:
    """When an analysis is begun: the longest first."""
    return LONGEST.index(analysis.name) if analysis.name in LONGEST else len(LONGEST)


def _states(con: duckdb.DuckDBPyConnection) -> dict[AnalysisName, AnswerState]:
    rows = con.execute(f"select analysis, status, reason from {STATES.name}").fetchall()
    states = (AnswerState(AnalysisName(name), AnswerStatus(status), reason) for name, status, reason in rows)
    return {state.analysis: state for state in states}


def _described(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The answers' tables that the codebook has, in its order."""
    if not con.execute("select count(*) from duckdb_tables() where table_name = 'codebook'").fetchall()[0][0]:
        return []
    rows = con.execute("select table_name from codebook order by rowid").fetchall()
    return [name for name in dict.fromkeys(name for (name,) in rows) if name in ANSWER_TABLES]


def _finish(
    con: duckdb.DuckDBPyConnection, states: tuple[AnswerState, ...], names: list[str], study: StudyFolder
) -> None:
    """Put the states and, in the codebook, the tables in these orders, whichever analysis ended first."""
    with transaction(con):
        con.execute(f"delete from {STATES.name}")
        insert_rows(con, STATES.name, [astuple(state) for state in states])
        describe(con, names, study.settings, ANSWER_TABLES)


def _keep(
    con: duckdb.DuckDBPyConnection, analysis: Analysis, tables: dict[str, pl.DataFrame], state: AnswerState
) -> None:
    """Write what came of one analysis in one transaction."""
    with transaction(con):
        for table in analysis.tables:
            _write(con, table, tables.get(table.name))
        if analysis.marks:
            analysis.marks(con)
        con.execute(f"insert into {STATES.name} values (?, ?, ?)", astuple(state))


def _asked_apart(
    con: duckdb.DuckDBPyConnection, analysis: Analysis, study: StudyFolder
) -> tuple[dict[str, pl.DataFrame], AnswerState]:
    """Run one analysis on a connection that is its own."""
    with con:
        return _asked(con, analysis, study)


def _asked(
    con: duckdb.DuckDBPyConnection, analysis: Analysis, study: StudyFolder
) -> tuple[dict[str, pl.DataFrame], AnswerState]:
    """Run one analysis, unless it is left out."""
    if analysis.name in study.settings.answers.leave_out:
        return {}, AnswerState(analysis.name, AnswerStatus.LEFT_OUT, LEFT_OUT)
    if reason := reason_withheld(con):
        return {}, AnswerState(analysis.name, AnswerStatus.REFUSED, reason)
    if lacking := _lacking(con, CENTRAL_NEEDS[analysis.name]):
        return {}, AnswerState(analysis.name, AnswerStatus.REFUSED, lacking_sentence(lacking))
    try:
        return analysis.answer(con, study), AnswerState(analysis.name, AnswerStatus.ANSWERED, "")
    except FitRefused as refusal:
        return {}, AnswerState(analysis.name, AnswerStatus.REFUSED, refusal.message)
    except np.linalg.LinAlgError:  # one analysis must not hold up the release of all
        return {}, AnswerState(analysis.name, AnswerStatus.REFUSED, BROKE_DOWN)


def _lacking(con: duckdb.DuckDBPyConnection, scales: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scales of which no session has a rating."""
    if not scales:
        return ()
    counts = ", ".join(f"count({scale}{SCORE})" for scale in scales)
    found = con.execute(f"select {counts} from core_sessions").fetchall()[0]
    return tuple(scale for scale, n in zip(scales, found, strict=True) if not n)


def _write(con: duckdb.DuckDBPyConnection, table: TableText, rows: pl.DataFrame | None) -> None:
    """Replace a table by these rows, in the columns and types that its description names."""
    con.execute(f"create or replace table {table.sql}")
    if rows is not None and rows.height:
        con.register("answered", rows.to_arrow())
        con.execute(f"insert into {table.name} by name select * from answered")
        con.unregister("answered")
