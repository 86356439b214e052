"""CSV: the header by name, the records by `text_records`, the values by DuckDB from well-formed records only."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from outcomes.contract import Kind, Refusal, ValueType
from outcomes.landing.formats.base import Format, Owners, Pair
from outcomes.landing.formats.encodings import as_utf8, back_from_utf8, decoded
from outcomes.landing.formats.id_cells import IdCells
from outcomes.landing.formats.sniffing import Head, read_head
from outcomes.landing.formats.source_rows import SourceRows, path_literal, text_literal
from outcomes.landing.formats.text_records import LONGEST_RECORD, TextRecords, copy_well_formed, find_records
from outcomes.landing.formats.text_rewriting import PairOf, pairs_of, rewrite_lines, rewrite_records
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import ColumnPlan, known_names, plan_columns, refuse_nameless
from outcomes.study.settings import StudySettings


def read_csv(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, kind: Kind, settings: StudySettings
) -> tuple[ColumnPlan, SourceRows]:
    """Prepare an unpacked CSV file for the rules.

    Raises
    ------
    FileRefused
        For a file that is not one readable table of the contract.
    """
    path = as_utf8(path, scratch, settings.sources[kind].encoding)
    head = read_head(path, known_names(kind, settings))
    plan = plan_columns(head.names, kind, settings)
    records = find_records(path, head.body_start, head.first_line, head.delimiter, len(head.names))
    if not records.starts.size:
        raise FileRefused(Refusal.EMPTY, "the file has a header and no rows", "export it again, with its rows")
    is_simple = records.is_plain and head.first_line == 2
    if not is_simple:
        path = scratch / "well_formed.csv"
        copy_well_formed(records, path)

    def relation(types: dict[int, str], options: str = "") -> str:
        # One quoted line break is enough to let DuckDB's parallel reader lose its place.
        return csv_relation(
            path, len(head.names), delimiter=head.delimiter, has_header=is_simple,
            is_parallel=not records.has_breaks, types=types, options=options,
        )  # fmt: skip

    refuse_nameless(filled(con, relation({}), plan.nameless))
    # DuckDB reads 1_0 as ten: where a cell might say so, the text is looked at first. So are marks between thousands.
    native = (
        ""
        if records.has_joined_digits or plan.source.thousands_mark
        else relation(_native_types(plan), _native_options(plan))
    )

    def raw_cells(places: Sequence[int]) -> Iterator[list[str]]:
        return _cells(records, places, head)

    return plan, SourceRows(
        relation({}), records.lines, records.malformed, raw_cells, native_relation=native, has_blanks=records.has_spaces
    )


def _native_types(plan: ColumnPlan) -> dict[int, str]:
    """Return the places that DuckDB may read as numbers (counts too: it would round them) or dates."""
    native = {ValueType.SCALE: "DOUBLE", ValueType.INTEGER: "DOUBLE", ValueType.DATE: "DATE"}
    wanted: dict[int, set[str]] = {}
    for planned in plan.columns:
        if planned.place is not None:
            wanted.setdefault(planned.place, set()).add(native.get(planned.column.type, "VARCHAR"))
    return {place: types.pop() for place, types in wanted.items() if len(types) == 1}


def _native_options(plan: ColumnPlan) -> str:
    missing = sorted({form for code in plan.source.missing for form in (code, code.lower(), code.upper())} | {""})
    return (
        f", nullstr = [{', '.join(map(text_literal, missing))}], dateformat = {text_literal(plan.source.date_format)}, "
        f"decimal_separator = {text_literal(plan.source.decimal_mark)}"
    )


def csv_relation(
    path: Path, n_columns: int, *, delimiter: str, has_header: bool, is_parallel: bool, quote: str = '"',
    types: dict[int, str], options: str = "",
) -> str:  # fmt: skip
    """Write the reader's SQL: nothing is detected, columns have names of our own, so none of the file's reaches SQL."""
    columns = ", ".join(f"'c{place}': '{types.get(place, 'VARCHAR')}'" for place in range(n_columns))
    return (
        f"read_csv({path_literal(path)}, auto_detect = false, header = {str(has_header).lower()}, "
        f"delim = {text_literal(delimiter)}, quote = {text_literal(quote)}, escape = {text_literal(quote)}, "
        f"columns = {{{columns}}}, strict_mode = true, null_padding = false, "
        f"max_line_size = {2 * LONGEST_RECORD}, parallel = {str(is_parallel).lower()}{options})"
    )


def filled(con: duckdb.DuckDBPyConnection, relation: str, places: Sequence[int]) -> list[int]:
    """Return the places of those columns `c<place>` in which anything but blanks stands."""
    if not places:
        return []
    said = ", ".join(f"bool_or(trim(c{place}) <> '')" for place in places)
    found = con.execute(f"select {said} from {relation}").fetchall()[0]
    return [place for place, is_filled in zip(places, found, strict=True) if is_filled]


def _cells(records: TextRecords, places: Sequence[int], head: Head) -> Iterator[list[str]]:
    for raw in records.raw(list(places)):
        text = raw.decode("utf-8")
        try:
            yield next(csv.reader([text], delimiter=head.delimiter), [])
        except csv.Error:  # a cell beyond the csv module's own limit
            yield [text]


def _rows(content: Path, kind: Kind, settings: StudySettings) -> tuple[TextRecords, PairOf]:
    head, id_cells = read_head(content, known_names(kind, settings)), IdCells(kind, settings)

    def pair_of(raw: bytes) -> Pair | None:
        try:
            cells = next(csv.reader([raw.decode()], delimiter=head.delimiter), [])
        except csv.Error:
            return None
        return id_cells.of(dict(zip(head.names, cells, strict=False)))

    return find_records(content, head.body_start, head.first_line, head.delimiter, len(head.names)), pair_of


def _pairs(content: Path, kind: Kind, settings: StudySettings) -> set[Pair]:
    with decoded(content, settings.sources[kind].encoding) as text:
        return pairs_of(*_rows(text, kind, settings))


def _rewrite(content: Path, target: Path, kind: Kind, settings: StudySettings, owners: Owners) -> int:
    encoding = settings.sources[kind].encoding
    with decoded(content, encoding) as text:
        if text == content:
            return _rewrite_utf8(content, target, kind, settings, owners)
        rewritten = text.with_name("rewritten.txt")
        n_gone = _rewrite_utf8(text, rewritten, kind, settings, owners)
        if n_gone:
            back_from_utf8(rewritten, target, content, encoding)
        return n_gone


def _rewrite_utf8(content: Path, target: Path, kind: Kind, settings: StudySettings, owners: Owners) -> int:
    """Without a readable header rows go by any mention of an id, if ids of this file can be known at all."""
    try:
        records, pair_of = _rows(content, kind, settings)
    except FileRefused as refused:
        if refused.refusal is Refusal.EMPTY:
            return 0
        if not owners.are_known_as_given or b"\0" in content.read_bytes():  # UTF-16 has no lines that can be searched
            raise
        return rewrite_lines(content, target, owners)
    return rewrite_records(records, pair_of, target, owners)


CSV = Format("CSV", (".csv", ".tsv", ".txt"), read_csv, _pairs, _rewrite)
