"""A zip archive of CSV tables, or a workbook of sheets: opened within limits, refused where damaged or identifying."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import polars as pl

from outcomes.contract import Refusal
from outcomes.landing.layouts.base import Export
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.layouts.opened.excel import sheet_names, sheets_as_text
from outcomes.landing.layouts.opened.headers import unique
from outcomes.landing.layouts.opened.text_tables import open_text
from outcomes.landing.refusal import FileRefused, counted, listed
from outcomes.landing.rules.columns import known_names, normal

SUFFIXES = (".zip",)
WORKBOOKS = (".xlsx",)
LINE = "\0line"
"""Column of every table: the line of its file at which the row starts. No file's column has such a name."""

_CSV = ".csv"
_BLOCK = 1_048_576  # bytes read at a time
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, UnicodeError)


@dataclass(frozen=True)
class Member:
    """One table of an archive: the name of its file without folder and ending, its rows under names in lower case."""

    name: str
    frame: pl.DataFrame


def names_in(path: Path) -> list[str]:
    """Return the names of an archive's CSV files, or a workbook's sheets. Never raises for a damaged file."""
    try:
        if path.suffix.lower() in WORKBOOKS:
            return sheet_names(path)
        with zipfile.ZipFile(path) as archive:
            return [_stem(one.filename) for one in archive.infolist() if _is_table(one)]
    except _DAMAGED:
        return []


def open_members(export: Export, is_wanted: Callable[[str], bool], identifying: Collection[str]) -> list[Member]:
    """Open the tables that are wanted, in the order of their names, and refuse what identifies in any table.

    Raises
    ------
    FileRefused
        If the archive is damaged, unpacks to more than the study allows, has identifying columns that the study does
        not drop, or has a row that cannot be split: tables belong together, and a row that is lost in one would look
        like a therapist or an answer that never was.
    """
    members, marked = [], []
    is_workbook = export.suffix in WORKBOOKS
    for name, path in sheets_as_text(export, export.scratch) if is_workbook else _unpacked(export):
        is_table = is_wanted(name)
        room = path.with_suffix("")
        room.mkdir()
        try:
            table = open_text(replace(export, content=path, suffix=_CSV, scratch=room))
        except FileRefused as refused:
            if refused.refusal is Refusal.EMPTY:
                continue
            raise FileRefused(refused.refusal, f"{name}{_CSV}: {refused.message}", refused.hint) from None
        header = unique(tuple(normal(one) for one in table.frame.columns))
        marked += [one for one in header if one in identifying and not is_dropped(one, export)]
        if is_table and table.malformed:
            raise FileRefused(
                Refusal.UNREADABLE,
                f"{name}{_CSV}: {counted(len(table.malformed), 'row')} cannot be split into its columns, the first in "
                f"line {min(table.malformed):,}; the file may be cut off",
                "export it again: rows of the tables belong together",
            )
        if is_table:
            frame = table.frame
            frame.columns = header
            members.append(Member(name, frame.with_columns(pl.Series(LINE, table.lines), pl.all().str.strip_chars())))
    if names := sorted(set(marked)):
        raise FileRefused(
            Refusal.IDENTIFIER_COLUMN,
            f"{counted(len(names), 'column identifies', 'columns identify')} persons: {listed(names)}",
            "take the columns out of the extract, or list them under drop in study.toml: they are then not read",
        )
    return members


def only_known(frame: pl.DataFrame, export: Export) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Pass on the columns that some kind reads; a national data set has hundreds of others, which are named."""
    known = frozenset().union(*(known_names(kind, export.settings) for kind in export.kinds))
    dropped = tuple(name for name in frame.columns if name != LINE and normal(name) not in known)
    return frame.drop(dropped), dropped


def by_key(frame: pl.DataFrame, keys: list[str], table: str) -> pl.DataFrame:
    """Return a table with one row a key, for a join that gains and loses no row.

    Raises
    ------
    FileRefused
        If rows with the same key say different things.
    """
    rows = frame.drop(LINE, strict=False).unique(maintain_order=True)
    double = rows.filter(pl.struct(keys).is_duplicated()).select(keys).unique().height
    if double:
        raise FileRefused(
            Refusal.UNREADABLE, f"{table}: {counted(double, 'key stands', 'keys stand')} in rows that differ",
            "export it again, or correct it where it comes from",
        )  # fmt: skip
    return rows


def the_only(column: str, name: str) -> pl.Expr:
    """Return a group's only value; '' where it has none or several."""
    filled = pl.col(column).filter(pl.col(column) != "")
    return pl.when(filled.n_unique() == 1).then(filled.first()).otherwise(pl.lit("")).alias(name)


def needed(frame: pl.DataFrame | None, columns: Collection[str], table: str) -> pl.DataFrame:
    """Return a table that must be there with its columns.

    Raises
    ------
    FileRefused
        If it, or a column, is not.
    """
    lacking = sorted(set(columns) - set(frame.columns)) if frame is not None else []
    if frame is None or lacking:
        what = f"{table} has no column {listed(lacking)}" if lacking else f"the archive has no rows of {table}"
        raise FileRefused(
            Refusal.MISSING_COLUMNS, what, "export all tables, or correct format in [sources] of study.toml"
        )
    return frame


def _unpacked(export: Export) -> list[tuple[str, Path]]:
    left = export.settings.landing.max_bytes
    found = []
    try:
        with zipfile.ZipFile(export.content) as archive:
            for number, one in enumerate(sorted(filter(_is_table, archive.infolist()), key=lambda one: one.filename)):
                target = export.scratch / f"member{number}{_CSV}"
                with archive.open(one) as packed, target.open("wb") as unpacked:
                    while block := packed.read(_BLOCK):
                        left -= len(block)
                        if left < 0:
                            raise FileRefused(
                                Refusal.TOO_LARGE, "the archive unpacks to more bytes than the study allows",
                                "split it, or raise max_bytes in [landing] of study.toml",
                            )  # fmt: skip
                        unpacked.write(block)
                found.append((_stem(one.filename), target))
    except FileRefused:
        raise
    except _DAMAGED:
        raise FileRefused(
            Refusal.UNREADABLE, "the file is no zip archive that can be read: it is cut off, damaged or encrypted",
            "download or pack it again, without a password",
        ) from None  # fmt: skip
    if not found:
        raise FileRefused(Refusal.EMPTY, "the archive has no CSV files", "pack the tables as CSV")
    return found


def _is_table(one: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(one.filename)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not one.is_dir() and not is_hidden and path.suffix.lower() == _CSV


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()
