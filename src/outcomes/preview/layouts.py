"""Exports of other systems in a look: recognised, laid out as landing would, and then a table like any other."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path

import duckdb

from outcomes.contract import CONTRACT, Kind, Refusal
from outcomes.landing.identifiers.patterns import FREE_TEXT
from outcomes.landing.refusal import FileRefused
from outcomes.preview.cells import CELLS, FoundTable, named_columns, take_text
from outcomes.preview.guesses import simple
from outcomes.preview.synonyms import SYNONYMS
from outcomes.study.settings import Source, StudySettings
from outcomes.study.tables.layouts import LayoutName

PLACE = "{session_number}"
_NUMBERED = re.compile(r".*?\d+\D*")
_FEWEST = 2  # numbered columns that may be sessions side by side
_EVENT = "redcap_event_name"
_OF_SOURCE = ("columns", "drop", "date_format")  # options of any source
_INSTANCE = "redcap_repeat_instance"
_UNREAD_TYPES = ("notes", "file", "signature")
_DICTIONARY = "variable / field name"  # first column of a REDCap data dictionary
_QUALTRICS = frozenset({"responseid", "recordeddate", "userlanguage", "v10"})
_OF_SESSIONS = tuple(column.name for column in CONTRACT[Kind.SESSIONS] if column.is_rating)


@dataclass(frozen=True)
class LaidOut:
    """A table that a layout made of an export.

    Attributes
    ----------
    table : FoundTable
    lines : tuple of str
        What a source of the study file must say so that landing lays it out so.
    marked : dict of str to tuple of str
        Columns that the export itself marks as identifying or as free text, with which.
    """

    table: FoundTable
    lines: tuple[str, ...]
    marked: dict[str, tuple[str, ...]] = field(default_factory=dict)


def is_dictionary(header: Sequence[str]) -> bool:
    """Say whether a header is that of a REDCap data dictionary, which is no data."""
    return bool(header) and header[0].strip().lower() == _DICTIONARY


def may_be_export(header: Sequence[str]) -> bool:
    """Say cheaply whether a header could be that of another system's export; layouts then look closer."""
    names = [name.strip().lower() for name in header]
    numbered = sum(bool(_NUMBERED.fullmatch(name)) for name in names)
    is_redcap = any(name.startswith("redcap_") or "___" in name or name.endswith("_complete") for name in names)
    return is_redcap or bool(_QUALTRICS & set(names)) or numbered >= _FEWEST


def lay_out(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, beside: Sequence[Path], table: FoundTable | None
) -> LaidOut:
    """Lay an export out as sessions.

    Parameters
    ----------
    table : FoundTable, optional
        The file as a plain table, which it stays where no layout fits; None where it is none.
    beside : sequence of Path
        Other files that were given, among which a data dictionary may be.

    Raises
    ------
    FileRefused
        If the layout refuses it.
    """
    from outcomes.landing.layouts.base import Export
    from outcomes.landing.layouts.registry import LAYOUTS, TABLES, recognise

    marked: dict[str, tuple[str, ...]] = {}

    suffix = path.suffix.lower()
    looks = recognise(path)
    is_plain = suffix in TABLES and not any(look.layout in LAYOUTS for look in looks)
    if is_plain:
        layout, lines, options, notes = TABLES[suffix], (), {}, ()
    else:
        if not looks:
            return _plain(table)
        look = looks[0]
        layout = LAYOUTS[look.layout]
        notes = (
            f"It looks like a {layout.title}: {look.why}.",
            *(f"{note[:1].upper()}{note[1:]}." for note in look.notes),
            *([f"What it can answer: {layout.answers}."] if layout.answers else []),
        )
        options = _options(look.layout, look.options, path, beside)
        if options is None and look.layout == LayoutName.WIDE:
            return _plain(table)
        if options is None:
            return _plain(table, *notes, "It is shown as it is, since no data dictionary was found beside it.")
        lines = (f"format = {dumps(str(look.layout))}", *_option_lines(options))
        options = {"format": look.layout, **options}
        if look.layout == LayoutName.REDCAP:
            marked = _marked(Path(options["redcap"]["dictionary"]), table)
            options["drop"] = list(marked)
            if table and _EVENT in table.header and not options["redcap"].get("instrument"):
                options["redcap"]["events"] = _events(con, table)
                lines = (lines[0], *_option_lines({"redcap": options["redcap"]}))
                notes = (*notes, "Which of its events are sessions is guessed: all but the first.")
            if table and _INSTANCE in table.header and options["redcap"].get("instrument"):
                options["columns"] = {"session_number": _INSTANCE}
    export = Export(path, suffix, scratch, (Kind.SESSIONS,), _settings(options))
    try:
        tidy = layout.arrange(layout.open(export), export, Kind.SESSIONS)
    except FileRefused as refused:
        if table is None:
            said = f"it looks like a {layout.title}, but {refused.message}" if notes else refused.message
            raise FileRefused(refused.refusal, said, refused.hint) from None
        return _plain(table, *notes, f"It cannot be laid out yet: {refused.message}. Try: {refused.hint}.")
    table = _table(con, tidy.frame, scratch, layout.title)
    left_out = tuple(f"{n:,} rows are left out: {reason}." for reason, n in tidy.left_out.items() if n)
    dropped = (f"The layout does not pass on: {', '.join(tidy.dropped)}.",) if tidy.dropped else ()
    more = (f"{note[:1].upper()}{note[1:]}." for note in tidy.notes)
    return LaidOut(table.noting(*notes, *left_out, *dropped, *more), lines, marked)


def _plain(table: FoundTable | None, *notes: str) -> LaidOut:
    if table is None:
        raise FileRefused(
            Refusal.UNREADABLE, "the file is a zip archive or of a format that is not read",
            "save its table as CSV (UTF-8)",
        )  # fmt: skip
    return LaidOut(table.noting(*notes), ())


def _options(layout: str, found: dict, path: Path, beside: Sequence[Path]) -> dict | None:
    """Turn what was recognised into options of a source; None where it cannot be laid out so."""
    if layout == LayoutName.WIDE:
        mapped = {column: pattern for pattern in found["patterns"] if (column := _column_of(pattern))}
        return {"columns": mapped} if mapped else None
    options: dict[str, dict] = {}
    for key, value in found.items():
        if key in _OF_SOURCE:
            options[key] = value
        part, _, name = key.partition(".")
        if name:
            options.setdefault(part, {})[name] = value
    if layout == LayoutName.REDCAP and not options.get("redcap", {}).get("dictionary"):
        for other in [*beside, *sorted(path.parent.glob("*dictionary*.csv"))]:
            if other != path and "dictionary" in other.name.lower():
                options.setdefault("redcap", {})["dictionary"] = str(other.resolve())
                break
        else:
            return None
    return options


def _marked(dictionary: Path, table: FoundTable | None) -> dict[str, tuple[str, ...]]:
    """Return the columns that a REDCap data dictionary marks, with why."""
    from outcomes.landing.layouts.redcap_dictionary import read_dictionary

    fields = read_dictionary(dictionary).by_column
    marked = {}
    for column in table.header if table else ():
        one = fields.get(column)
        if one and one.is_identifier:
            marked[column] = ("marked so in the data dictionary",)
        elif one and one.type in _UNREAD_TYPES:
            marked[column] = (FREE_TEXT,)
    return marked


def _events(con: duckdb.DuckDBPyConnection, table: FoundTable) -> list[str]:
    """Return the events of a longitudinal project in their order, without the first, in which clients are enrolled."""
    place = table.header.index(_EVENT)
    rows = con.execute(
        f"select c{place}, min(rowid) as first from {CELLS} where c{place} <> '' group by c{place} order by first"
    ).fetchall()
    return [event for event, _ in rows[1:]]


def _column_of(pattern: str) -> str | None:
    """Return the rating of sessions that numbered columns seem to be."""
    stem = simple(pattern.replace(PLACE, ""))
    return next((name for name in _OF_SESSIONS if stem == name or stem in SYNONYMS[name]), None)


def _option_lines(options: dict) -> tuple[str, ...]:
    lines = []
    for part, content in options.items():
        if part == "columns":  # they stand among the mapped columns
            continue
        if part in _OF_SOURCE:
            lines.append(f"{part} = {dumps(content, ensure_ascii=False)}")
            continue
        inner = ", ".join(f"{name} = {dumps(value, ensure_ascii=False)}" for name, value in content.items())
        lines.append(f"{part} = {{ {inner} }}")
    return tuple(lines)


def _settings(options: dict) -> StudySettings:
    return StudySettings.model_validate(
        {"study": {"name": "a look"}, "sources": {Kind.SESSIONS: Source.model_validate({"pattern": "*", **options})}}
    )


def _table(con: duckdb.DuckDBPyConnection, frame, scratch: Path, title: str) -> FoundTable:
    target = scratch / "laid_out.csv"
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows(frame.iter_rows())
    n_rows, _ = take_text(con, target, scratch, body_start=0, delimiter=",", n_columns=frame.width)
    return FoundTable(title, named_columns(frame.columns), n_rows, n_rows)
