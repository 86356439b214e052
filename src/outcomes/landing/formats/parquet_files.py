"""Parquet: columns by name; values become the text that a CSV would have, so that one set of rules reads both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np

from outcomes.contract import Kind, Refusal
from outcomes.landing.formats.source_rows import SourceRows, path_literal, text_literal
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import ColumnPlan, plan_columns
from outcomes.study.settings import StudySettings

_NUMBERS = (
    "DOUBLE", "FLOAT", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
    "UINTEGER", "UBIGINT",
)  # fmt: skip


def read_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, kind: Kind, settings: StudySettings
) -> tuple[ColumnPlan, SourceRows]:
    """Prepare a Parquet file for the rules.

    Raises
    ------
    FileRefused
        For a file that is not one readable table of the contract, or unpacks to more than the study allows.
    """
    file = path_literal(path)
    try:
        described = con.execute(f"describe select * from read_parquet({file}, file_row_number = false)").fetchall()
        schema = con.execute(f"select name from parquet_schema({file}) where coalesce(num_children, 0) = 0").fetchall()
        n_bytes, n_rows = con.execute(
            f"select (select sum(total_uncompressed_size) from parquet_metadata({file})), "
            f"(select sum(num_rows) from parquet_file_metadata({file}))"
        ).fetchall()[0]
    except duckdb.Error:
        raise FileRefused(
            Refusal.UNREADABLE, "the file cannot be read as Parquet", "write it again; it may be cut off or damaged"
        ) from None
    if (n_bytes or 0) > settings.landing.max_bytes:
        raise FileRefused(
            Refusal.TOO_LARGE,
            f"the file unpacks to {n_bytes:,} bytes; the study allows {settings.landing.max_bytes:,}",
            "split the file, or raise max_bytes in [landing]",
        )
    if not n_rows:
        raise FileRefused(Refusal.EMPTY, "the file has no rows", "export it again, with its rows")
    types = [row[1] for row in described]
    names = tuple(name for (name,) in schema) if len(schema) == len(described) else tuple(row[0] for row in described)
    plan = plan_columns(names, kind, settings)
    sql_names = [row[0] for row in described]
    cells = {place: _cell(sql_names[place], types[place], plan) for place in plan.places}
    relation = ", ".join(f"{cell} as c{place}" for place, cell in cells.items()) or "null as nothing"

    def raw_cells(places: Sequence[int]) -> Iterator[list[str]]:
        con.execute("create or replace temp table wanted as select unnest(?::bigint[]) as place", [list(places)])
        all_cells = ", ".join(cells.get(place, "null") for place in range(len(names)))
        rows = con.execute(
            f"select {all_cells} from read_parquet({file}, file_row_number = true) "
            "where file_row_number in (from wanted) order by file_row_number"
        ).fetchall()
        return ([cell or "" for cell in row] for row in rows)

    return plan, SourceRows(
        f"(select {relation} from read_parquet({file}))", np.arange(n_rows) + 2, {}, raw_cells, is_typed=True
    )


def _cell(name: str, sql_type: str, plan: ColumnPlan) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if sql_type == "DATE" or sql_type.startswith("TIMESTAMP"):
        return f"strftime({quoted}::date, {text_literal(plan.source.date_format)})"
    if plan.source.decimal_mark == "," and sql_type.startswith(_NUMBERS):
        return f"replace({quoted}::varchar, '.', ',')"
    return f"{quoted}::varchar"
