"""Parquet: columns by name; values become the text that a CSV would have, so that one set of rules reads both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np

from outcomes.contract import Kind, Refusal
from outcomes.landing.files import refuse_bomb, too_large
from outcomes.landing.formats.base import Format, Owners, Pair
from outcomes.landing.formats.id_cells import IdCells
from outcomes.landing.formats.nested import refuse_nested
from outcomes.landing.formats.source_rows import SourceRows, path_literal, text_literal
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import ColumnPlan, normal, plan_columns, refuse_nameless
from outcomes.store.warehouse import connect, quoted
from outcomes.study.settings import StudySettings

_NUMBERS = (
    "DOUBLE", "FLOAT", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
    "UINTEGER", "UBIGINT",
)  # fmt: skip
_SCALARS = (
    *_NUMBERS, "UHUGEINT", "VARCHAR", "ENUM", "UUID", "BLOB", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "INTERVAL",
    '"NULL"',
)  # fmt: skip
_TEXTS = ("VARCHAR", "BLOB", "ENUM")
_CELL_BYTES = 8  # of a cell that is no text, in memory


def read_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, kind: Kind, settings: StudySettings
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
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        raise FileRefused(
            Refusal.UNREADABLE, "the file cannot be read as Parquet", "write it again; it may be cut off or damaged"
        ) from None
    # What the footer declares is looked at before any page is.
    _refuse_too_large(path, max(n_bytes or 0, n_rows or 0), settings)
    if not n_rows:
        raise FileRefused(Refusal.EMPTY, "the file has no rows", "export it again, with its rows")
    types = [row[1] for row in described]
    # DuckDB renames doubles; the leaves of a flat schema have the file's own names.
    is_flat = len(schema) == len(described) and all(map(_is_scalar, types))
    names = tuple(name for (name,) in schema) if is_flat else tuple(row[0] for row in described)
    plan = plan_columns(names, kind, settings)
    refuse_nameless(plan.nameless)
    sql_names = [row[0] for row in described]
    refuse_nested({names[place]: n_rows for place in plan.places if not _is_scalar(types[place])})
    read = {sql_names[place]: types[place] for place in plan.places}
    _refuse_too_large(path, n_rows + _cell_bytes(con, file, n_rows, read), settings)
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
    cell = quoted(name)
    if sql_type == "DATE" or sql_type.startswith("TIMESTAMP"):
        return f"strftime({cell}::date, {text_literal(plan.source.date_format)})"
    if plan.source.decimal_mark == "," and sql_type.startswith(_NUMBERS):
        return f"replace({cell}::varchar, '.', ',')"
    return f"{cell}::varchar"


def _is_scalar(sql_type: str) -> bool:
    return sql_type.startswith(_SCALARS) and not sql_type.endswith("]")


def _cell_bytes(con: duckdb.DuckDBPyConnection, file: str, n_rows: int, types: dict[str, str]) -> int:
    """Add up what the cells are in memory, batch by batch.

    The footer does not say: a text that stands once in the dictionary may be repeated in every row.
    """
    texts = [name for name, sql_type in types.items() if sql_type.startswith(_TEXTS)]
    plain = _CELL_BYTES * n_rows * (len(types) - len(texts))
    if not texts:
        return plain
    lengths = " + ".join(f"coalesce(sum(strlen({quoted(name)}::varchar)), 0)" for name in texts)
    try:
        ((n_bytes,),) = con.execute(f"select {lengths} from read_parquet({file})").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        raise FileRefused(
            Refusal.UNREADABLE, "the file is damaged: its values cannot be read", "write it again"
        ) from None
    return plain + int(n_bytes)


def _refuse_too_large(path: Path, n_bytes: int, settings: StudySettings) -> None:
    if n_bytes > settings.landing.max_bytes:
        raise too_large(f"the file unpacks to {n_bytes:,} bytes; the study allows {settings.landing.max_bytes:,}")
    refuse_bomb(n_bytes, path.stat().st_size)


def _pairs(content: Path, kind: Kind, settings: StudySettings) -> set[Pair]:
    id_cells = IdCells(kind, settings)
    with connect() as con:
        pairs, _ = _distinct_pairs(con, content, id_cells)
        return {tuple(map(id_cells.text, pair)) for *pair, is_nested in pairs if not is_nested}


def _rewrite(content: Path, target: Path, kind: Kind, settings: StudySettings, owners: Owners) -> int:
    id_cells, relation = IdCells(kind, settings), f"read_parquet({path_literal(content)})"
    with connect() as con:
        pairs, selected = _distinct_pairs(con, content, id_cells)
        theirs = [
            (client, episode)
            for client, episode, is_nested in pairs
            if (
                owners.mentions(f"{client} {episode}".encode())
                if is_nested
                else owners.owns(id_cells.text(client), id_cells.text(episode))
            )
        ]
        if not theirs:
            return 0
        con.execute("create temp table theirs (client varchar, episode varchar)")
        con.executemany("insert into theirs values (?, ?)", theirs)
        is_theirs = f"({selected}) in (select (client, episode) from theirs)"
        n_rows = con.execute(f"select count(*) from {relation} where {is_theirs}").fetchall()[0][0]
        con.execute(
            f"copy (select * from {relation} where not {is_theirs}) to {text_literal(str(target))} (format parquet)"
        ).fetchall()
    return n_rows


def _distinct_pairs(
    con: duckdb.DuckDBPyConnection, content: Path, id_cells: IdCells
) -> tuple[list[tuple[str, str, bool]], str]:
    """Return the distinct pairs of client and episode, whether their cells are nested, and the SQL that selects one."""
    relation = f"read_parquet({path_literal(content)})"
    described = con.execute(f"describe select * from {relation}").fetchall()
    columns = {normal(name): (quoted(name), sql_type) for name, sql_type, *_ in described}
    found = [columns.get(name) for name in (id_cells.client, id_cells.episode)]
    selected = ", ".join(f"coalesce(cast({column[0]} as varchar), '')" if column else "''" for column in found)
    is_nested = any(column and not _is_scalar(column[1]) for column in found)
    pairs = con.execute(f"select distinct {selected} from {relation}").fetchall()
    return [(client, episode, is_nested) for client, episode in pairs], selected


PARQUET = Format("Parquet", (".parquet",), read_parquet, _pairs, _rewrite)
