"""Tables with what their columns mean, as the release's codebook says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

_ENDS = re.compile(r"(-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)")
_LEAST = re.compile(r"(-?\d+(?:\.\d+)?) or more")


@dataclass(frozen=True)
class DescribedColumn:
    """One column: DuckDB's type, one sentence, unit and range in words (empty where there are none)."""

    name: str
    type: str
    description: str
    unit: str
    range: str

    @property
    def label(self) -> str:
        """The sentence with unit and range."""
        beside = "; ".join(part for part in (self.unit, self.range) if part)
        return f"{self.description} ({beside})" if beside else self.description

    @property
    def is_text(self) -> bool:
        """Whether it holds ids, codes or words."""
        return self.type == "VARCHAR"

    @property
    def codes(self) -> tuple[str, ...]:
        """The closed list of its texts; empty where any text can occur."""
        listed = tuple(self.range.split(" | ")) if self.is_text and " | " in self.range else ()
        return listed

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Lowest and highest value that can occur; None where unbounded or not said."""
        if both := _ENDS.fullmatch(self.range):
            return float(both[1]), float(both[2])
        least = _LEAST.fullmatch(self.range)
        return (float(least[1]) if least else None), None


@dataclass(frozen=True)
class DescribedTable:
    """One table: what one row is, and its columns in order."""

    name: str
    description: str
    columns: tuple[DescribedColumn, ...]


def described_tables(con: duckdb.DuckDBPyConnection) -> dict[str, DescribedTable]:
    """Read all tables and views of a release with their descriptions, by name."""
    rows = con.execute(
        """select columns.table_name, columns.column_name, columns.data_type, coalesce(codebook.description, ''),
            coalesce(codebook.unit, ''), coalesce(codebook.range, ''), coalesce(whole.description, '')
        from duckdb_columns() as columns
        left join codebook
            on columns.table_name = codebook.table_name and columns.column_name = codebook.column_name
        left join codebook as whole on columns.table_name = whole.table_name and whole.column_name is null
        where not columns.internal
        order by columns.table_name, columns.column_index"""
    ).fetchall()
    columns: dict[str, list[DescribedColumn]] = {}
    words: dict[str, str] = {}
    for table, name, type_, description, unit, range_, whole in rows:
        columns.setdefault(table, []).append(DescribedColumn(name, type_, description, unit, range_))
        words[table] = whole
    return {name: DescribedTable(name, words[name], tuple(listed)) for name, listed in columns.items()}
