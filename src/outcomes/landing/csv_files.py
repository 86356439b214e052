"""CSV: the header by name, the records by `text_records`, the values by DuckDB from well-formed records only."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from outcomes.contract import Kind, Refusal
from outcomes.landing.columns import ColumnPlan, known_names, plan_columns
from outcomes.landing.refusal import FileRefused
from outcomes.landing.sniffing import Head, read_head
from outcomes.landing.source_rows import SourceRows, path_literal, text_literal
from outcomes.landing.text_records import LONGEST_RECORD, TextRecords, copy_well_formed, find_records
from outcomes.study.settings import StudySettings


def read_csv(path: Path, scratch: Path, kind: Kind, settings: StudySettings) -> tuple[ColumnPlan, SourceRows]:
    """Prepare an unpacked CSV file for the rules.

    Raises
    ------
    FileRefused
        For a file that is not one readable table of the contract.
    """
    head = read_head(path, known_names(kind, settings))
    plan = plan_columns(head.names, kind, settings)
    records = find_records(path, head.body_start, head.first_line, head.delimiter, len(head.names))
    if not records.starts.size:
        raise FileRefused(Refusal.EMPTY, "the file has a header and no rows", "export it again, with its rows")
    is_simple = records.is_plain and head.first_line == 2
    if not is_simple:
        path = scratch / "well_formed.csv"
        copy_well_formed(records, path)
    # One line of quoted breaks is enough to let DuckDB's parallel reader lose its place.
    relation = csv_relation(
        path, len(head.names), delimiter=head.delimiter, has_header=is_simple, is_parallel=not records.has_breaks
    )

    def raw_cells(places: Sequence[int]) -> Iterator[list[str]]:
        return _cells(records, places, head)

    return plan, SourceRows(relation, records.lines, records.malformed, raw_cells)


def csv_relation(
    path: Path, n_columns: int, *, delimiter: str, has_header: bool, is_parallel: bool, quote: str = '"'
) -> str:
    """Write the reader's SQL: nothing is detected, columns have names of our own, so none of the file's reaches SQL."""
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(n_columns))
    return (
        f"read_csv({path_literal(path)}, auto_detect = false, header = {str(has_header).lower()}, "
        f"delim = {text_literal(delimiter)}, quote = {text_literal(quote)}, escape = {text_literal(quote)}, "
        f"columns = {{{columns}}}, strict_mode = true, null_padding = false, "
        f"max_line_size = {2 * LONGEST_RECORD}, parallel = {str(is_parallel).lower()})"
    )


def _cells(records: TextRecords, places: Sequence[int], head: Head) -> Iterator[list[str]]:
    for raw in records.raw(list(places)):
        text = raw.decode("utf-8")
        yield next(csv.reader(text.splitlines(keepends=True), delimiter=head.delimiter), [])
