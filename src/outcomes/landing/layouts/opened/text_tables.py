"""Delimited text under its own column names: opened as a table, and rewritten without some records."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from outcomes.contract import Refusal
from outcomes.landing.formats.csv_files import csv_relation
from outcomes.landing.formats.encodings import as_utf8, back_from_utf8
from outcomes.landing.formats.sniffing import Head, head_of
from outcomes.landing.formats.text_records import TextRecords, copy_well_formed, find_records
from outcomes.landing.formats.text_rewriting import copy_without
from outcomes.landing.layouts.base import Export, Table
from outcomes.landing.layouts.opened.headers import unique
from outcomes.landing.refusal import FileRefused
from outcomes.store.warehouse import connect

SUFFIXES = (".csv", ".tsv", ".txt")


def widest(names: list[str]) -> int:
    """Score a way of splitting the header by the number of columns that it gives."""
    return len(names)


def open_text(export: Export) -> Table:
    """Open a delimited text file; the delimiter is the one that splits the header into most columns.

    Raises
    ------
    FileRefused
        If it cannot be read as text in the declared encoding, or has no rows.
    """
    _, head, records = _records(export)
    if not records.starts.size:
        raise FileRefused(Refusal.EMPTY, "the file has a header and no rows", "export it again, with its rows")
    copy = export.scratch / "records.csv"
    copy_well_formed(records, copy)
    relation = csv_relation(
        copy, len(head.names), delimiter=head.delimiter, has_header=False, is_parallel=not records.has_breaks, types={}
    )
    good = np.ones(records.starts.size, bool)
    good[list(records.malformed)] = False
    names = [f"c{place}" for place in range(len(head.names))]
    if good.any():
        with connect() as con:
            try:
                frame = con.sql(f"select * from {relation}").pl()
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error:
                raise FileRefused(Refusal.UNREADABLE, "its rows cannot be read", "export it again") from None
    else:
        frame = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    malformed = {
        int(records.lines[record]): (records.malformed[record], _cells(raw, head.delimiter))
        for record, raw in zip(records.malformed, records.raw(list(records.malformed)), strict=True)
    }
    frame = frame.with_columns(pl.all().fill_null(""))
    frame.columns = unique(head.names)
    return Table(frame, records.lines[good], malformed)


def rewrite_text(export: Export, target: Path, lines: set[int]) -> None:
    """Write the file without the records that start on some lines; every other byte stays."""
    content, _, records = _records(export)
    gone = [record for record, line in enumerate(records.lines.tolist()) if line in lines]
    rewritten = export.scratch / "rewritten.csv"
    copy_without(records, rewritten, gone)
    back_from_utf8(rewritten, target, export.content if content != export.content else None, export.first.encoding)


def _cells(raw: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([raw.decode()], delimiter=delimiter), [])
    except csv.Error:  # a cell beyond the csv module's own limit
        return [raw.decode()]


def _records(export: Export) -> tuple[Path, Head, TextRecords]:
    content = as_utf8(export.content, export.scratch, export.first.encoding)
    head = head_of(content, widest)
    return content, head, find_records(content, head.body_start, head.first_line, head.delimiter, len(head.names))
