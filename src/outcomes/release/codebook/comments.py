"""The codebook: comments on every table and column, and the table `codebook`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from outcomes.errors import UsageError
from outcomes.release.codebook.tables import TABLES, of_study
from outcomes.release.codebook.vocabulary import ColumnText, TableText
from outcomes.store.warehouse import insert_rows
from outcomes.study import StudySettings

_Row = tuple[str | None, ...]  # of the codebook


def describe(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[str] | None = None,
    settings: StudySettings | None = None,
    known: Mapping[str, TableText] = TABLES,
) -> None:
    """Put comments on tables and columns, and their rows into `codebook`; doing it again changes nothing.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A candidate's database, open for writing.
    tables : sequence of str, optional
        Tables to describe; all of the database that `codebook` does not have yet where None.
    settings : StudySettings, optional
        Gives ratings the range and unit of their scale, and tables of sessions its own scales.
    known : mapping of str to TableText, optional
        The descriptions; a later step gives those of its own tables.

    Raises
    ------
    UsageError
        If a table or a column is not described in `known`, or a described column is not there.
    """
    con.execute(
        "create table if not exists codebook (table_name varchar, column_name varchar, type varchar, "
        "description varchar, unit varchar, range varchar, source varchar)"
    )
    there = _tables(con)
    if tables is None:
        described = {name for (name,) in con.execute("select distinct table_name from codebook").fetchall()}
        tables = sorted(there.keys() - described)
    elif tables:
        con.execute(f"delete from codebook where table_name in ({', '.join('?' * len(tables))})", list(tables))
    rows: list[_Row] = []
    for name in tables:
        if name not in known:
            raise UsageError(f"The table {name} is not described", "describe it where the step that writes it says so")
        table = of_study(known[name], settings) if settings else known[name]
        rows += _describe_table(con, table, there.get(name, ("table", {})), settings)
    insert_rows(con, "codebook", rows)


def _tables(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, dict[str, str]]]:
    """Kind (table or view) and types of the columns of all that stays."""
    here = "not internal and database_name = current_database()"
    views = {name for (name,) in con.execute(f"select view_name from duckdb_views() where {here}").fetchall()}
    found = con.execute(
        f"select table_name, map(list(column_name), list(data_type)) from duckdb_columns() where {here} group by all"
    )
    return {name: ("view" if name in views else "table", types) for name, types in found.fetchall()}


def _describe_table(
    con: duckdb.DuckDBPyConnection, table: TableText, made: tuple[str, dict[str, str]], settings: StudySettings | None
) -> list[_Row]:
    """Comment on one table and its columns; return its rows of the codebook."""
    kind, types = made
    if set(types) != set(table.column_names):
        odd = ", ".join(sorted(set(types) ^ set(table.column_names)))
        raise UsageError(
            f"The description of {table.name} and its columns differ: {odd}", "mend the description of the table"
        )
    rows: list[_Row] = [(table.name, None, kind.upper(), table.description, None, None, table.source)]
    comments = [f'comment on {kind} "{table.name}" is {_quoted(table.description)}']
    for name, text in table.columns.items():
        unit, values = measure(text, settings)
        rows.append((table.name, name, types[name], text.description, unit, values, text.source or table.source))
        said = _quoted(_comment(text.description, unit, values))
        comments.append(f'comment on column "{table.name}"."{name}" is {said}')
    con.execute("; ".join(comments))
    return rows


def measure(text: ColumnText, settings: StudySettings | None) -> tuple[str | None, str | None]:
    """Return unit and range; a rating has those of its scale, or the scale's name where the study is not known."""
    if not text.scale:
        return text.unit or None, text.range or None
    scale = settings.scales.get(text.scale) if settings else None
    if scale is None:
        return "points", f"the scale {text.scale} of study.toml"
    return scale.unit, f"{scale.minimum:g} to {scale.maximum:g}"


def _comment(description: str, unit: str | None, values: str | None) -> str:
    return ". ".join([description, *([f"Unit: {unit}"] if unit else []), *([f"Range: {values}"] if values else [])])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
