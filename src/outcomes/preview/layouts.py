"""Exports of other systems in a look: recognised, laid out as landing would, and then a table like any other."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path

import duckdb

from outcomes.contract import CONTRACT, Kind
from outcomes.preview.cells import FoundTable, named_columns, take_text
from outcomes.preview.guesses import simple
from outcomes.preview.synonyms import SYNONYMS
from outcomes.study.layouts import LayoutName
from outcomes.study.settings import Source, StudySettings

PLACE = "{session_number}"
_NUMBERED = re.compile(r".*?\d+\D*")
_FEWEST = 2  # numbered columns that may be sessions side by side
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
    """

    table: FoundTable
    lines: tuple[str, ...]


def may_be_export(header: Sequence[str]) -> bool:
    """Say cheaply whether a header could be that of another system's export; layouts then look closer."""
    names = [name.strip().lower() for name in header]
    numbered = sum(bool(_NUMBERED.fullmatch(name)) for name in names)
    is_redcap = any(name.startswith("redcap_") or "___" in name or name.endswith("_complete") for name in names)
    return is_redcap or bool(_QUALTRICS & set(names)) or numbered >= _FEWEST


def lay_out(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, beside: Sequence[Path]) -> LaidOut | None:
    """Lay an export out as sessions; None where it is a plain table.

    Parameters
    ----------
    beside : sequence of Path
        Other files that were given, among which a data dictionary may be.

    Raises
    ------
    FileRefused
        If the layout refuses it.
    """
    from outcomes.landing.layouts.base import Export
    from outcomes.landing.layouts.registry import LAYOUTS, TABLES, recognise

    suffix = path.suffix.lower()
    if suffix in TABLES:
        layout, lines, options, notes = TABLES[suffix], (), {}, ()
    else:
        looks = recognise(path)
        if not looks:
            return None
        look = looks[0]
        layout, notes = LAYOUTS[look.layout], (f"{look.why[:1].upper()}{look.why[1:]}.", *look.notes)
        options = _options(look.layout, look.options, path, beside)
        if options is None:
            return None
        lines = (f"format = {dumps(str(look.layout))}", *_option_lines(options))
        options = {"format": look.layout, **options}
    settings = _settings(options)
    export = Export(path, suffix, scratch, (Kind.SESSIONS,), settings)
    tidy = layout.arrange(layout.open(export), export, Kind.SESSIONS)
    table = _table(con, tidy.frame, scratch, layout.title)
    left_out = tuple(f"{n:,} rows are left out: {reason}." for reason, n in tidy.left_out.items() if n)
    dropped = (f"The layout does not pass on: {', '.join(tidy.dropped)}.",) if tidy.dropped else ()
    return LaidOut(table.noting(*notes, *left_out, *dropped, *tidy.notes), lines)


def _options(layout: str, found: dict, path: Path, beside: Sequence[Path]) -> dict | None:
    """Turn what was recognised into options of a source; None where it is no such export after all."""
    if layout == LayoutName.WIDE:
        mapped = {column: pattern for pattern in found["patterns"] if (column := _column_of(pattern))}
        return {"columns": mapped} if mapped else None
    options: dict[str, dict] = {}
    for key, value in found.items():
        part, _, name = key.partition(".")
        if name:
            options.setdefault(part, {})[name] = value
    if layout == LayoutName.REDCAP and not options.get("redcap", {}).get("dictionary"):
        for other in [*beside, *sorted(path.parent.glob("*dictionary*.csv"))]:
            if other != path and "dictionary" in other.name.lower():
                options.setdefault("redcap", {})["dictionary"] = str(other)
                break
    return options


def _column_of(pattern: str) -> str | None:
    """Return the rating of sessions that numbered columns seem to be."""
    stem = simple(pattern.replace(PLACE, ""))
    return next((name for name in _OF_SESSIONS if stem == name or stem in SYNONYMS[name]), None)


def _option_lines(options: dict) -> tuple[str, ...]:
    lines = []
    for part, content in options.items():
        if part == "columns":  # they stand among the mapped columns
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
