"""Parquet files and databases: every column as text, every BLOB as a file of its own, and all that names them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import duckdb

from outcomes.errors import StorageError, UsageError
from outcomes.landing.formats.source_rows import path_literal
from outcomes.landing.layouts.opened.spss import all_texts
from outcomes.landing.refusal import FileRefused
from outcomes.store.warehouse import connect, quoted
from outcomes.trust.persons import Persons
from outcomes.trust.search.content import Inspection, TableSearch, holds, text_holds
from outcomes.trust.search.kinds import Packing
from outcomes.trust.withdrawn_sources import Unsearchable

_ROWS = 50_000  # that are searched at a time
_ID_COLUMNS = ("client_id", "episode_id")
_CATALOGUE = (
    "select schema_name, comment from duckdb_schemas() where not internal",
    "select table_name, comment, sql from duckdb_tables() where not internal",
    "select column_name, data_type, comment, column_default from duckdb_columns() where not internal",
    "select view_name, comment, sql from duckdb_views() where not internal",
    "select type_name, comment, labels from duckdb_types() where not internal",
    "select function_name, comment, parameters, macro_definition from duckdb_functions() where not internal",
    "select index_name, comment, sql from duckdb_indexes()",
    "select sequence_name, comment from duckdb_sequences()",
)


def table_searches(persons: Persons) -> dict[Packing, TableSearch]:
    """Return how Parquet files and DuckDB databases are searched: id columns for all ids, the rest as text."""
    return {
        Packing.PARQUET: lambda path, seen, depth: _parquet_holds(path, persons, seen, depth),
        Packing.DUCKDB: lambda path, seen, depth: _database_holds(path, persons, seen, depth),
        Packing.SPSS: _spss_holds,
    }


def _parquet_holds(path: Path, persons: Persons, seen: Inspection, depth: int) -> bool:
    relation = f"read_parquet({path_literal(path)})"
    try:
        with connect() as con:
            said = con.execute(f"select key, value from parquet_kv_metadata({path_literal(path)})").fetchall()
            if any(text_holds(bytes(part), seen, depth) for pair in said for part in pair):
                return True
            columns = [(name, kind) for name, kind, *_ in con.execute(f"describe select * from {relation}").fetchall()]
            return _relation_holds(con, relation, columns, persons, seen, depth)
    except (duckdb.Error, StorageError):
        raise Unsearchable("a damaged or encrypted Parquet file") from None


def _spss_holds(path: Path, seen: Inspection, depth: int) -> bool:
    try:
        return any(text_holds("\n".join(texts).encode(), seen, depth) for texts in all_texts(path))
    except FileRefused:
        raise Unsearchable("a damaged SPSS file") from None
    except UsageError as missing:
        raise Unsearchable(f"{missing.message}; {missing.hint}") from None


def _database_holds(path: Path, persons: Persons, seen: Inspection, depth: int) -> bool:
    try:
        with connect(path, read_only=True) as con:
            if any(text_holds(_joined(con.execute(query).fetchall()), seen, depth) for query in _CATALOGUE):
                return True
            tables: dict[str, list[tuple[str, str]]] = {}
            for schema, table, *column in con.execute(
                "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal and "
                "(schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())"
            ).fetchall():
                tables.setdefault(f"{quoted(schema)}.{quoted(table)}", []).append(tuple(column))
            return any(_relation_holds(con, *table, persons, seen, depth) for table in tables.items())
    except (duckdb.Error, StorageError):
        raise Unsearchable("a damaged or encrypted database, or one of another version") from None


def _relation_holds(
    con: duckdb.DuckDBPyConnection, relation: str, columns: list[tuple[str, str]], persons: Persons, seen: Inspection,
    depth: int,
) -> bool:  # fmt: skip
    if text_holds("\n".join(name for name, _ in columns).encode(), seen, depth):
        return True
    return any(_column_holds(con, relation, column, persons, seen, depth) for column in columns)


def _column_holds(
    con: duckdb.DuckDBPyConnection, relation: str, column: tuple[str, str], persons: Persons, seen: Inspection,
    depth: int,
) -> bool:  # fmt: skip
    name, kind = quoted(column[0]), column[1]
    if column[0] in _ID_COLUMNS and _ids_are_in(con, f"{relation} where trim({name}::varchar)", persons):
        return True
    if kind == "BLOB":
        values = (value for rows in _batches(con, f"select distinct {name} from {relation}") for value in rows)
        return any(holds(io.BytesIO(value), seen, depth + 1) for (value,) in values if value)
    query = f"select distinct {name}::varchar from {relation}"
    return any(text_holds(_joined(rows), seen, depth, is_strict=True) for rows in _batches(con, query))


def _ids_are_in(con: duckdb.DuckDBPyConnection, cells: str, persons: Persons) -> bool:
    return con.execute(
        f"select exists(select 1 from {cells} in (select unnest(?::varchar[])))", [sorted(persons.ids)]
    ).fetchall()[0][0]


def _batches(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[tuple]]:
    found = con.cursor().execute(query)  # a cursor of its own: what is in the cells may be a table, too
    while rows := found.fetchmany(_ROWS):
        yield rows


def _joined(rows: list[tuple]) -> bytes:
    return "\n".join(str(cell) for row in rows for cell in row if cell is not None).encode("utf-8", "replace")
