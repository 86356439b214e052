"""NDJSON: one object per line; keys are the columns, wherever they stand and in whatever order."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np

from outcomes.contract import Kind, Refusal, Rule
from outcomes.landing.formats.base import Format, Owners, Pair
from outcomes.landing.formats.csv_files import csv_relation
from outcomes.landing.formats.id_cells import IdCells
from outcomes.landing.formats.json_leaves import leaves, visible_text
from outcomes.landing.formats.nested import refuse_nested
from outcomes.landing.formats.sniffing import refuse_other_encodings
from outcomes.landing.formats.source_rows import SourceRows, text_literal
from outcomes.landing.formats.text_records import TextRecords, copy_well_formed, find_records
from outcomes.landing.formats.text_rewriting import PairOf, pairs_of, rewrite_records
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import ColumnPlan, plan_columns, refuse_nameless
from outcomes.study.settings import StudySettings

_NO_DELIMITER = "\x01"  # malformed records hold the control characters, so well-formed ones never have it

_IS_STRANGE = "case when json_valid(line) then json_type(line) <> 'OBJECT' else true end"


def read_ndjson(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, kind: Kind, settings: StudySettings
) -> tuple[ColumnPlan, SourceRows]:
    """Prepare an unpacked NDJSON file for the rules; a line that is not one object is malformed.

    Raises
    ------
    FileRefused
        For a file that is not one readable table of the contract.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    refuse_other_encodings(start)
    records = _records(path)
    if not records.starts.size:
        raise FileRefused(Refusal.EMPTY, "the file is empty", "export it again, with its rows")
    copy = scratch / "well_formed.ndjson"
    copy_well_formed(records, copy)
    relation = csv_relation(copy, 1, delimiter=_NO_DELIMITER, has_header=False, is_parallel=True, quote="", types={})
    con.execute(f"create or replace temp table objects as select c0 as line from {relation}")
    kept = np.setdiff1d(np.arange(records.starts.size), list(records.malformed))
    strange = con.execute(f"select rowid from objects where {_IS_STRANGE}").fetchnumpy()["rowid"]
    malformed = records.malformed | dict.fromkeys(kept[strange].tolist(), Rule.RAGGED_ROW)
    con.execute(f"delete from objects where {_IS_STRANGE}").fetchall()
    header = _keys(con)
    if not header:
        raise FileRefused(
            Refusal.UNREADABLE, "no line of the file is a JSON object", "write one object per line, as NDJSON asks"
        )
    plan = plan_columns(header, kind, settings)
    refuse_nameless(plan.nameless)
    _refuse_nested(con, plan)
    cells = ", ".join(
        f"{_cell(header[place], settings.sources[kind].decimal_mark)} as c{place}" for place in plan.places
    )

    def raw_cells(places: Sequence[int]) -> Iterator[list[str]]:
        return (
            _leaves(raw, plan) if place in malformed else _cells(raw, plan)
            for place, raw in zip(places, records.raw(list(places)), strict=True)
        )

    return plan, SourceRows(
        f"(select {cells or 'null as nothing'} from objects)", records.lines, malformed, raw_cells, is_typed=True
    )


def _keys(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the keys of all objects in order of their first line; a key twice in one object stands twice."""
    lists = con.execute(
        "select json_keys(line) as names, min(rowid) as first from objects group by names order by first"
    ).fetchall()
    header: dict[str, int] = {}
    for names, _ in lists:
        for name, times in Counter(names).items():
            header[name] = max(header.get(name, 0), times)
    return tuple(name for name, times in header.items() for _ in range(times))


def _records(path: Path) -> TextRecords:
    with path.open("rb") as stream:
        mark = len(codecs.BOM_UTF8) if stream.read(3) == codecs.BOM_UTF8 else 0
    return find_records(path, mark, 1, "", 0)


def _refuse_nested(con: duckdb.DuckDBPyConnection, plan: ColumnPlan) -> None:
    """Refuse objects and lists in the columns that are read."""
    if not plan.places:
        return
    counts = ", ".join(
        f"count(*) filter (json_type(line, {_pointer(plan.header[place])}) in ('OBJECT', 'ARRAY'))"
        for place in plan.places
    )
    (found,) = con.execute(f"select {counts} from objects").fetchall()
    refuse_nested({plan.header[place]: n for place, n in zip(plan.places, found, strict=True) if n})


def _cells(raw: bytes, plan: ColumnPlan) -> list[str]:
    """The cells of an object in the order of the header, as they are spelt in the file; '' for what is not read."""
    try:
        row = json.loads(raw.decode("utf-8"), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):  # deep nesting in a column that is dropped
        return _leaves(raw, plan)
    read = set(plan.places)
    return [_text(row.get(name)) if place in read else "" for place, name in enumerate(plan.header)]


def _text(value: object) -> str:
    if value is None:
        return ""
    return visible_text(value) if isinstance(value, str) else json.dumps(value)


def _leaves(raw: bytes, plan: ColumnPlan) -> list[str]:
    """The texts of a line that is no object; names of columns say nothing."""
    return [leaf for leaf in leaves(raw.decode("utf-8")) if leaf not in plan.header]


def _pointer(name: str) -> str:
    return text_literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _cell(name: str, decimal_mark: str) -> str:
    pointer = _pointer(name)
    text = f"json_extract_string(line, {pointer})"
    if decimal_mark == ".":
        return text
    is_number = f"json_type(line, {pointer}) in ('DOUBLE', 'BIGINT', 'UBIGINT')"
    return f"case when {is_number} then replace({text}, '.', ',') else {text} end"


def _rows(content: Path, kind: Kind, settings: StudySettings) -> tuple[TextRecords, PairOf]:
    id_cells = IdCells(kind, settings)

    def pair_of(raw: bytes) -> Pair | None:
        try:
            return id_cells.of(json.loads(raw))
        except (ValueError, AttributeError, RecursionError):
            return None

    return _records(content), pair_of


def _pairs(content: Path, kind: Kind, settings: StudySettings) -> set[Pair]:
    return pairs_of(*_rows(content, kind, settings))


def _rewrite(content: Path, target: Path, kind: Kind, settings: StudySettings, owners: Owners) -> int:
    return rewrite_records(*_rows(content, kind, settings), target, owners)


NDJSON = Format("NDJSON", (".ndjson", ".jsonl"), read_ndjson, _pairs, _rewrite)
