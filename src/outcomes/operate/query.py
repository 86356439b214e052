"""Questions to the published database, read only."""

from __future__ import annotations

import duckdb
import polars as pl

from outcomes.errors import UsageError
from outcomes.store.spreadsheet_cells import neutralise_formulas
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder


def ask(study: StudyFolder, sql: str, form: str = "table", rows: int = 50) -> str:
    """Run one SQL question on the published database.

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

    Raises
    ------
    UsageError
        If nothing is published yet or the SQL cannot be run; DuckDB's own words are passed on.
    """
    if not study.database.exists():
        raise UsageError("Nothing is published yet", "run `outcomes refresh` first")
    with connect(study.database, read_only=True) as con:
        con.execute("set enable_external_access = false; set lock_configuration = true")
        try:
            answer = con.sql(sql)
            frame = answer.pl() if answer is not None else pl.DataFrame()
        except duckdb.Error as wrong:
            raise UsageError(
                f"The database did not accept this: {wrong}", "`select * from codebook` lists tables and columns"
            ) from wrong
    if form == "csv":
        return neutralise_formulas(frame).write_csv().rstrip("\n")
    if form == "json":
        return frame.write_json()
    with pl.Config(tbl_rows=rows, tbl_cols=-1, tbl_width_chars=200, fmt_str_lengths=80, tbl_hide_dataframe_shape=True,
                   tbl_hide_column_data_types=True, tbl_formatting="MARKDOWN",
        tbl_cell_numeric_alignment="RIGHT"):  # fmt: skip
        more = f"\n({frame.height:,} rows; {rows} shown)" if frame.height > rows else f"\n({frame.height:,} rows)"
        return f"{frame}{more}"
