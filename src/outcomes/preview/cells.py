"""What a file turned out to be, with its cells as text in a table of a database in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from outcomes.contract import Refusal
from outcomes.errors import visible
from outcomes.landing.formats.csv_files import csv_relation
from outcomes.landing.formats.source_rows import path_literal
from outcomes.landing.formats.text_records import copy_well_formed, find_records
from outcomes.landing.refusal import FileRefused
from outcomes.store.warehouse import quoted

CELLS = "cells"
"""Temporary table of the well-formed rows: VARCHAR columns `c<place>`."""
CLEAN = "cells.csv"
"""In the scratch folder: the same rows as a comma-separated file that landing's rules read."""


@dataclass(frozen=True)
class FoundTable:
    """A readable table.

    Attributes
    ----------
    form : str
        Format in words.
    encoding, delimiter : str
        Of a text file; empty for others.
    header : tuple of str
        Names of the columns in file order; a column without a name is called by its place.
    n_rows : int
        Rows that were read, malformed ones included.
    about_rows : int
        Rows of the whole file; an estimate where `is_sample`.
    is_sample : bool
        Only a part of the file was read.
    n_malformed : int
        Rows that cannot be split into the header's cells.
    notes : tuple of str
        What a person should know of how the file was read.
    nameless : tuple of str
        How columns are called here that have no name in the file: empty ones are ignored, others refused.
    """

    form: str
    header: tuple[str, ...]
    n_rows: int
    about_rows: int
    encoding: str = ""
    delimiter: str = ""
    is_sample: bool = False
    n_malformed: int = 0
    notes: tuple[str, ...] = ()
    nameless: tuple[str, ...] = ()

    def noting(self, *notes: str) -> FoundTable:
        """Return it with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def named_columns(names: list[str]) -> tuple[str, ...]:
    """Give every column a name of its own: by its place where it has none, numbered where a name stands twice.

    Signs that cannot be seen are written as escapes.
    """
    given: dict[str, int] = {}
    header = []
    for place, name in enumerate(names, start=1):
        plain = visible(name.strip()) or f"column {place}"
        given[plain] = given.get(plain, 0) + 1
        header.append(plain if given[plain] == 1 else f"{plain} ({given[plain]})")
    return tuple(header)


def take_text(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, *, body_start: int, delimiter: str, n_columns: int
) -> tuple[int, int]:
    """Read a UTF-8 text file into `CELLS`; return its rows and how many of them are malformed.

    Raises
    ------
    FileRefused
        If its records cannot be told apart.
    """
    records = find_records(path, body_start, 2, delimiter, n_columns)
    well_formed = scratch / "well_formed.csv"
    copy_well_formed(records, well_formed)
    relation = csv_relation(
        well_formed, n_columns, delimiter=delimiter, has_header=False, is_parallel=not records.has_breaks, types={}
    )
    try:
        con.execute(f"create or replace temp table {CELLS} as select * from {relation}")
    except duckdb.Error:  # its message quotes rows
        raise FileRefused(
            Refusal.UNREADABLE, "the rows cannot be told apart", "export the file again as CSV with quoted texts"
        ) from None
    return int(records.starts.size), len(records.malformed)


def write_clean(con: duckdb.DuckDBPyConnection, table: FoundTable, scratch: Path) -> Path:
    """Write `CELLS` as a comma-separated UTF-8 file with the table's header, for landing's own rules."""
    target = scratch / CLEAN
    header = [" " * place if name in table.nameless else name for place, name in enumerate(table.header, start=1)]
    names = ", ".join(f"c{place} as {quoted(name)}" for place, name in enumerate(header))
    con.execute(f"copy (select {names} from {CELLS}) to {path_literal(target)} (format csv, header true)")
    return target
