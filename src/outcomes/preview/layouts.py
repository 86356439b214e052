"""Exports of other systems in a look: recognised, laid out as landing would, and then a table like any other."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from outcomes.contract import CONTRACT, Kind, Refusal
from outcomes.landing.identifiers.patterns import FREE_TEXT
from outcomes.landing.refusal import FileRefused
from outcomes.preview.cells import CELLS, FoundTable, named_columns, take_text
from outcomes.preview.columns import Said
from outcomes.preview.guesses import simple
from outcomes.preview.synonyms import SYNONYMS
from outcomes.study.folder import template_text
from outcomes.study.settings import Source, StudySettings
from outcomes.study.tables.layouts import LayoutName

if TYPE_CHECKING:
    from outcomes.landing.layouts.base import Layout

PLACE = "{session_number}"
_NUMBERED = re.compile(r".*?\d+\D*")
_FEWEST = 2  # numbered columns that may be sessions side by side
_EVENT = "redcap_event_name"
_OF_SOURCE = ("format", "sheet", "encoding", "columns", "drop", "date_format")  # options of any source
_INSTANCE = "redcap_repeat_instance"
_WITH_TABLES = (LayoutName.IAPT, LayoutName.PMHC)  # each kind has tables of its own
_UNREAD_TYPES = ("notes", "file", "signature")
_PACKED = b"PK\x03\x04"
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
    layout : LayoutName
        TABLE where one row is one row.
    options : dict
        Of the source, as the study file has them.
    enrolment : str
        First event of a longitudinal REDCap project, in which what belongs to the client stands.
    said : dict of str to Said
        What the data dictionary says of columns.
    """

    table: FoundTable
    lines: tuple[str, ...]
    marked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    layout: LayoutName = LayoutName.TABLE
    options: dict = field(default_factory=dict)
    enrolment: str = ""
    said: dict[str, Said] = field(default_factory=dict)


def is_dictionary(path: Path) -> bool:
    """Say by its first bytes whether a file is a REDCap data dictionary, which is no data."""
    with path.open("rb") as stream:
        start = stream.read(64).decode("utf-8-sig", "replace")
    return start.lower().lstrip('"').startswith(_DICTIONARY)


def may_be_export(header: Sequence[str]) -> bool:
    """Say cheaply whether a header could be that of another system's export; layouts then look closer."""
    names = [name.strip().lower() for name in header]
    numbered = sum(bool(_NUMBERED.fullmatch(name)) for name in names)
    is_redcap = any(name.startswith("redcap_") or "___" in name or name.endswith("_complete") for name in names)
    return is_redcap or bool(_QUALTRICS & set(names)) or numbered >= _FEWEST


def lay_out(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, beside: Sequence[Path], table: FoundTable | None,
    *, sheet: str = "", encoding: str = "",
) -> LaidOut:  # fmt: skip
    """Lay an export out as sessions.

    Parameters
    ----------
    table : FoundTable, optional
        The file as a plain table, which it stays where no layout fits; None where it is none.
    beside : sequence of Path
        Other files that were given, among which a data dictionary may be.
    sheet : str
        Of a workbook that has several.
    encoding : str
        Of a text file, as the study file has to say it; '' for UTF-8.

    Raises
    ------
    FileRefused
        If the layout refuses it.
    """
    from outcomes.landing.layouts.registry import LAYOUTS, TABLES, recognise

    marked: dict[str, tuple[str, ...]] = {}
    name, enrolment, said = LayoutName.TABLE, "", {}
    suffix = path.suffix.lower()
    looks = recognise(path)
    is_plain = suffix in TABLES and not any(look.layout in LAYOUTS for look in looks)
    if is_plain:
        options = {"sheet": sheet} if sheet else {}
        layout, lines, notes = TABLES[suffix], _option_lines(options), ()
    else:
        if not looks:
            return _plain(table, encoding)
        look = looks[0]
        name = LayoutName(look.layout)
        layout = LAYOUTS[name]
        notes = (
            f"It looks like a {layout.title}: {look.why}.",
            *(f"{note[:1].upper()}{note[1:]}." for note in look.notes),
            *([f"What it can answer: {layout.answers}."] if layout.answers else []),
        )
        options = _options(look.layout, look.options, path, beside)
        if options is not None and encoding:
            options["encoding"] = encoding
        if options is None and look.layout == LayoutName.WIDE:
            return _plain(table, encoding)
        if options is None:
            return _plain(
                table, encoding, *notes, "It is shown as it is, since no data dictionary was found beside it."
            )
        if name in _WITH_TABLES:
            options["columns"] = usual_names(name, Kind.SESSIONS)
        lines = (f"format = {dumps(str(look.layout))}", *_option_lines(options))
        options = {"format": look.layout, **options}
        if look.layout == LayoutName.REDCAP:
            dictionary = Path(options["redcap"]["dictionary"])
            marked, said = _marked(dictionary, table), _said(dictionary)
            options["drop"] = list(marked)
            if table and _EVENT in table.header and not options["redcap"].get("instrument"):
                enrolment, *options["redcap"]["events"] = _events(con, table)
                said_so = {part: options[part] for part in ("encoding", "redcap") if part in options}
                lines = (lines[0], *_option_lines(said_so))
                notes = (*notes, "Which of its events are sessions is guessed: all but the first.")
            if table and _INSTANCE in table.header and options["redcap"].get("instrument"):
                options["columns"] = {"session_number": _INSTANCE}
    try:
        laid_out = _arranged(con, path, scratch, layout, options, Kind.SESSIONS)
    except FileRefused as refused:
        if table is None:
            why = f"it looks like a {layout.title}, but {refused.message}" if notes else refused.message
            raise FileRefused(refused.refusal, why, refused.hint) from None
        return _plain(table, encoding, *notes, f"It cannot be laid out yet: {refused.message}. Try: {refused.hint}.")
    laid_out = replace(laid_out, notes=(*notes, *laid_out.notes))
    return LaidOut(laid_out, lines, marked, name, options, enrolment, said)


def lay_out_again(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, first: LaidOut, kind: Kind
) -> LaidOut | None:
    """Lay an export out as a further kind; None where its table for sessions is that of the further kind too.

    Raises
    ------
    FileRefused
        If the layout has no rows for it.
    """
    if first.layout in _WITH_TABLES:
        usual = _template(first.layout).sources.get(kind)
        if usual is None:
            raise FileRefused(Refusal.MISSING_COLUMNS, f"it has no {kind}", "leave them to another file")
        options = first.options | {"columns": usual.columns, "date_format": usual.date_format}
    elif first.layout is LayoutName.REDCAP and (first.options["redcap"].keys() & {"instrument", "events"}):
        redcap = {"dictionary": first.options["redcap"]["dictionary"]}
        options = {name: value for name, value in first.options.items() if name != "columns"}
        options["redcap"] = redcap | ({"events": [first.enrolment]} if first.enrolment else {})
    else:
        return None
    from outcomes.landing.layouts.registry import LAYOUTS  # brings polars along

    lines = _option_lines({name: value for name, value in options.items() if name not in ("drop", "date_format")})
    table = _arranged(con, path, scratch, LAYOUTS[first.layout], options, kind)
    return replace(first, table=table, lines=lines, options=options)


def _arranged(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, layout: Layout, options: dict, kind: Kind
) -> FoundTable:
    """Lay a file out as one kind."""
    from outcomes.landing.layouts.base import Export
    from outcomes.landing.layouts.typed_cells import has_own_dates, without_times

    export = Export(path, path.suffix.lower(), scratch, (kind,), _settings(options, kind))
    opened = layout.open(export)
    tidy = layout.arrange(opened, export, kind)
    frame = without_times(tidy.frame) if has_own_dates(opened) else tidy.frame
    left_out = tuple(f"{n:,} rows are left out: {reason}." for reason, n in tidy.left_out.items() if n)
    dropped = (f"The layout does not pass on: {', '.join(tidy.dropped)}.",) if tidy.dropped else ()
    more = (f"{note[:1].upper()}{note[1:]}." for note in tidy.notes)
    return _table(con, frame, scratch, layout.title).noting(*left_out, *dropped, *more)


def sheets_of(path: Path) -> tuple[str, ...]:
    """Return the sheets of a workbook that is a plain one; none for other files."""
    with path.open("rb") as stream:
        if stream.read(len(_PACKED)) != _PACKED:
            return ()
    from outcomes.landing.layouts.opened.excel import SUFFIXES, names_of_sheets
    from outcomes.landing.layouts.registry import LAYOUTS, recognise

    if path.suffix.lower() not in SUFFIXES or any(look.layout in LAYOUTS for look in recognise(path)):
        return ()
    return tuple(names_of_sheets(path))


def usual_names(layout: LayoutName, kind: Kind) -> dict[str, str]:
    """Return by the contract's name what a national data set calls its columns of a kind; none for other layouts."""
    return dict(_template(layout).sources[kind].columns) if layout in _WITH_TABLES else {}


def usual_codes(layout: LayoutName, kind: Kind) -> dict[str, dict[str, str]]:
    """Return what the codes of a national data set stand for, by the contract's column; none for other layouts."""
    return dict(_template(layout).sources[kind].codes) if layout in _WITH_TABLES else {}


@cache
def _template(layout: LayoutName) -> StudySettings:
    return StudySettings.model_validate(tomllib.loads(template_text(layout)))


def _plain(table: FoundTable | None, encoding: str, *notes: str) -> LaidOut:
    if table is None:
        raise FileRefused(
            Refusal.UNREADABLE, "the file is a zip archive or of a format that is not read",
            "save its table as CSV (UTF-8)",
        )  # fmt: skip
    return LaidOut(table.noting(*notes), (f"encoding = {dumps(encoding)}",) if encoding else ())


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


def _said(dictionary: Path) -> dict[str, Said]:
    """Return what a REDCap data dictionary says of columns."""
    from outcomes.landing.layouts.redcap_dictionary import read_dictionary

    return {
        column: Said(one.label, one.choices, _number(one.minimum), _number(one.maximum))
        for column, one in read_dictionary(dictionary).by_column.items()
    }


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # days and times have bounds too
        return None


def _events(con: duckdb.DuckDBPyConnection, table: FoundTable) -> list[str]:
    """Return the events of a longitudinal project in their order; clients are enrolled in the first."""
    place = table.header.index(_EVENT)
    rows = con.execute(
        f"select c{place}, min(rowid) as first from {CELLS} where c{place} <> '' group by c{place} order by first"
    ).fetchall()
    return [event for event, _ in rows]


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


def _settings(options: dict, kind: Kind) -> StudySettings:
    sources = {Kind.SESSIONS: Source(pattern="*"), kind: Source.model_validate({"pattern": "*", **options})}
    return StudySettings.model_validate({"study": {"name": "a look"}, "sources": sources})


def _table(con: duckdb.DuckDBPyConnection, frame, scratch: Path, title: str) -> FoundTable:
    target = scratch / "laid_out.csv"
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows(frame.iter_rows())
    n_rows, _ = take_text(con, target, scratch, body_start=0, delimiter=",", n_columns=frame.width)
    return FoundTable(title, named_columns(frame.columns), n_rows, n_rows)
