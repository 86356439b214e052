"""SPSS files (.sav): codes as text, user-missing values as empty cells, value labels where the study knows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, Refusal
from outcomes.landing.files import too_large
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.layouts.opened.extras import needed
from outcomes.landing.layouts.plain import own_columns
from outcomes.landing.refusal import FileRefused, counted, listed
from outcomes.landing.rules.columns import known_names, normal
from outcomes.study.tables.layouts import LayoutName

SUFFIXES = (".sav", ".zsav")
STRINGS, LABELS = "strings", "labels"  # facts of the table: names of string variables; labels by variable and code
_CELL_BYTES = 8  # of a number
_STARTS = (b"$FL2", b"$FL3")


def open_spss(export: Export) -> Table:
    """Open an SPSS file; what its author declared as missing is an empty cell.

    Raises
    ------
    FileRefused
        If it is no SPSS file, or cut off.
    UsageError
        If the package that reads SPSS files is not installed.
    """
    pyreadstat = needed("pyreadstat", "an SPSS file")
    if _start(export.content) not in _STARTS:
        raise _unreadable()
    try:
        _, head = pyreadstat.read_sav(str(export.content), metadataonly=True)
        widths = sum(max(_CELL_BYTES, width) for width in head.variable_storage_width.values())
        if head.number_rows and head.number_rows * widths > export.settings.landing.max_bytes:
            raise too_large(f"the file unpacks to {head.number_rows * widths:,} bytes")
        frame, meta = pyreadstat.read_sav(str(export.content), output_format="polars")
    except FileRefused:
        raise
    except Exception:  # the reader has one error of its own and lets others through; its text may quote the file
        raise _unreadable() from None
    if (head.number_rows or 0) > frame.height:
        raise _unreadable()
    if not frame.height:
        raise FileRefused(Refusal.EMPTY, "the file has no rows", "export it again, with its rows")
    strings = tuple(name for name, kind in meta.readstat_variable_types.items() if kind == "string")
    labels = {
        name: {_number(code): str(label) for code, label in of_codes.items()}
        for name, of_codes in meta.variable_value_labels.items()
    }
    texts = frame.select(_as_text(frame[name]) for name in frame.columns)
    return Table(texts, np.arange(frame.height) + 2, is_typed=True, facts={STRINGS: strings, LABELS: labels})


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Pass on every row; a string variable that the study does not know may hold free text.

    Raises
    ------
    FileRefused
        If there is one that the study does not drop.
    """
    known = frozenset().union(*(known_names(one, export.settings) for one in export.kinds))
    texts = [name for name in table.facts[STRINGS] if normal(name) not in known and not is_dropped(name, export)]
    if texts:
        raise FileRefused(
            Refusal.FREE_TEXT,
            f"{counted(len(texts), 'string variable may', 'string variables may')} hold free text: {listed(texts)}",
            f"list it under drop in [sources.{kind}] of study.toml, or map it to a column of the contract",
        )
    return Tidy(table.frame, table.lines, table.frame.height)


def recognise(path: Path) -> Recognised | None:
    """Tell an SPSS file by its first bytes."""
    try:
        is_spss = _start(path) in _STARTS
    except OSError:
        return None
    return Recognised(LayoutName.TABLE, "it is an SPSS file") if is_spss else None


def all_texts(path: Path) -> Iterator[list[str]]:
    """Yield all that stands in an SPSS file, variable by variable: user-missing values, labels and notes too.

    Raises
    ------
    FileRefused
        If it is no SPSS file, or cut off.
    UsageError
        If the package that reads SPSS files is not installed.
    """
    pyreadstat = needed("pyreadstat", "an SPSS file")
    try:
        frame, meta = pyreadstat.read_sav(str(path), output_format="polars", user_missing=True)
    except Exception:
        raise _unreadable() from None
    yield [str(fact) for fact in (meta.file_label, meta.table_name, meta.notes, meta.column_names, meta.column_labels)]
    yield [str(label) for labels in meta.variable_value_labels.values() for pair in labels.items() for label in pair]
    for name in frame.columns:
        yield _as_text(frame[name]).unique().to_list()


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(4)


def _as_text(column: pl.Series) -> pl.Series:
    """Write a variable as text: 5.0 is 5, as SPSS shows it; no cell is null."""
    if column.dtype.is_float():
        return pl.Series(column.name, [_number(value) for value in column.to_list()], pl.String)
    if column.dtype == pl.Datetime:
        return column.dt.strftime("%Y-%m-%d %H:%M:%S").fill_null("")
    return column.cast(pl.String).fill_null("").str.strip_chars_end()


def _number(value: object) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _unreadable() -> FileRefused:
    return FileRefused(
        Refusal.UNREADABLE, "the file cannot be read as SPSS (.sav); it is cut off, damaged or of another format",
        "save it again in SPSS, or export it as CSV UTF-8",
    )  # fmt: skip


SPSS = Layout("spss", "SPSS file", SUFFIXES, open_spss, arrange, own_columns, rewrite=None, recognise=recognise)
