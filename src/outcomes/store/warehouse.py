"""The one door to DuckDB: connections, transactions, SQL files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb

from outcomes.errors import StorageError

# A full or broken disk, too little memory; a commit that cannot be written is a transaction error.
DATABASE_FAULTS = (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException, duckdb.TransactionException)
READABLE_BY = "v1.4.0"
"""Oldest DuckDB that opens a published database: a new file is written in its storage version, and stays in it."""


@contextmanager
def connect(
    path: Path | None = None, *, read_only: bool = False, memory_limit: str = "", storage_version: str = ""
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file (or an in-memory database) and close it for certain.

    Parameters
    ----------
    path : Path, optional
        Database file; in memory where None.
    read_only : bool
        Open without the right to write.
    memory_limit : str
        DuckDB's own notation, e.g. "1GB"; its default where empty.
    storage_version : str
        Of a file that is made new, e.g. `READABLE_BY`; that of the running DuckDB where empty.

    Raises
    ------
    StorageError
        If the file is not there, is damaged, or is held by a writer.
    """
    config = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    if memory_limit:
        config["memory_limit"] = memory_limit
    if storage_version:
        config["storage_compatibility_version"] = storage_version
    try:
        con = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=config)
    except duckdb.Error as refused:
        raise StorageError(
            f"The database {path} cannot be opened: {str(refused).splitlines()[0]}",
            "check space and permissions; see `outcomes status`",
        ) from refused
    try:
        con.execute("set enable_progress_bar = false")
        yield con
    finally:
        con.close()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a block as one transaction: all of it or nothing."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def sql_files(layer: str) -> list[Traversable]:
    """Return a layer's SQL files (`staging`, `core`, `marts`) by name."""
    folder = files("outcomes.sql") / layer
    return sorted((item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda item: item.name)


def run_sql_file(con: duckdb.DuckDBPyConnection, name: str, **parameters: object) -> None:
    """Run one file of `sql/`, e.g. `"marts/mart_clients.sql"`, with a value for each `$parameter` that it names."""
    con.execute(sql_text(name), parameters or None)


def sql_text(name: str) -> str:
    """What one file of `sql/` says."""
    return (files("outcomes.sql") / name).read_text(encoding="utf-8")


def quoted(name: str) -> str:
    """Return a table's or column's name as SQL writes it, whatever signs are in it."""
    return '"' + name.replace('"', '""') + '"'


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows of plain values (None where empty) by one statement: one for each row is far slower."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute(f"insert into {table} select {', '.join(['unnest(?)'] * len(columns))}", columns)


def sql_table(con: duckdb.DuckDBPyConnection, name: str, **parameters: object) -> duckdb.DuckDBPyRelation:
    """Run one file of `sql/`, e.g. `"answers/answer_sessions"`, and return the table that it makes."""
    run_sql_file(con, f"{name}.sql", **parameters)
    return con.table(name.rsplit("/", 1)[-1])
