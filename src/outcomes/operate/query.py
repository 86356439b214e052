"""Questions to a release's database, read only."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import duckdb
import polars as pl

from outcomes.errors import UsageError
from outcomes.release.places import find_release
from outcomes.store.files import write_bytes
from outcomes.store.spreadsheet_cells import neutralise_formulas
from outcomes.store.text_tables import WIDTH, as_blocks, as_text_table
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder


def ask(
    study: StudyFolder,
    sql: str,
    form: str = "table",
    rows: int = 50,
    *,
    release: str = "",
    vertical: bool = False,
    width: int = WIDTH,
) -> str:
    """Run one SQL question on a release's database.

    Parameters
    ----------
    study : StudyFolder
        The study whose release is asked.
    sql : str
        One statement that reads; it can reach neither other files nor the network.
    form : {"table", "csv", "json"}
        How the answer is written.
    rows : int
        Rows that a table shows at most.
    release : str
        Id of a release; the published one where empty.
    vertical : bool
        Whether a table has one column a line.
    width : int
        Signs of a line of a table; what does not fit is written one column a line.

    Raises
    ------
    UsageError
        If nothing is published yet, there is no such release, or the SQL cannot be run; DuckDB's own words are passed
        on.
    """
    frame = _answer(study, sql, release)
    if form == "csv":
        return neutralise_formulas(frame).write_csv().rstrip("\n")
    if form == "json":
        return frame.write_json()
    shown = (as_blocks if vertical else as_text_table)(frame, rows, width)
    n = f"{frame.height:,} row{'' if frame.height == 1 else 's'}"
    return f"{shown}\n({n}; {rows} shown)" if frame.height > rows else f"{shown}\n({n})"


def ask_for_bytes(study: StudyFolder, sql: str, *, release: str = "") -> bytes:
    """Run one SQL question and return the answer as a Parquet file; see `ask`."""
    content = io.BytesIO()
    _answer(study, sql, release).write_parquet(content)
    return content.getvalue()


def keep_answer(content: bytes, target: Path | None) -> None:
    """Write an answer to a file in one step, or to standard output where none is named."""
    if target is None:
        sys.stdout.buffer.write(content)
    else:
        write_bytes(target, content)


def _answer(study: StudyFolder, sql: str, release: str) -> pl.DataFrame:
    if not release and not study.database.exists():
        raise UsageError("Nothing is published yet", "run `outcomes refresh` first")
    database = find_release(study, release).database if release else study.database
    with connect(database, read_only=True) as con:
        con.execute("set enable_external_access = false; set lock_configuration = true")
        try:
            answer = con.sql(sql)
            return answer.pl() if answer is not None else pl.DataFrame()
        except duckdb.Error as wrong:
            raise UsageError(
                f"The database did not accept this: {wrong}", "`select * from codebook` lists tables and columns"
            ) from wrong
