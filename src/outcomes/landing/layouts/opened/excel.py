"""Excel workbooks: one sheet, its first row that is not empty as the header, every cell as the text that it shows."""

from __future__ import annotations

import zipfile
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outcomes.contract import Refusal
from outcomes.landing.files import refuse_bomb, too_large
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table
from outcomes.landing.layouts.opened.extras import needed
from outcomes.landing.layouts.opened.headers import unique
from outcomes.landing.layouts.plain import as_it_is, own_columns
from outcomes.landing.refusal import FileRefused, counted
from outcomes.study.tables.layouts import LayoutName

SUFFIXES = (".xlsx", ".xlsm")
_WORKBOOK = "xl/workbook.xml"
# What a spreadsheet shows in a cell whose formula failed; it is no empty cell.
_ERRORS = {
    "NA": "#N/A", "Ref": "#REF!", "Value": "#VALUE!", "Div0": "#DIV/0!", "Name": "#NAME?", "Null": "#NULL!",
    "Num": "#NUM!",
}  # fmt: skip


def open_excel(export: Export) -> Table:
    """Open one sheet of a workbook; rows are numbered as in the sheet, empty ones count for nothing.

    Raises
    ------
    FileRefused
        If it is no workbook, the sheet cannot be told, or its first row is no header.
    UsageError
        If the package that reads workbooks is not installed.
    """
    fastexcel = needed("fastexcel", "an Excel workbook")
    has_1904 = _refuse_bomb_or_no_workbook(export)
    try:
        workbook = fastexcel.read_excel(export.content.read_bytes())
        name = _sheet(workbook.sheet_names, export.first.sheet)
        sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", schema_sample_rows=1)
        if not sheet.height or not sheet.width:
            raise FileRefused(Refusal.EMPTY, "the sheet is empty", "name another with sheet in [sources] of study.toml")
        batch, errors = sheet.to_arrow_with_errors()
    except fastexcel.FastExcelError:
        raise _unreadable() from None
    cells = pl.DataFrame(pl.from_arrow(batch)).cast(pl.String)
    cells.columns = [f"c{place}" for place in range(cells.width)]
    cells = _with_errors(cells, errors)
    return _table(cells, has_1904=has_1904)


def sheet_names(path: Path) -> list[str]:
    """Return the names of a workbook's sheets in lower case; none where it is damaged or cannot be read here."""
    return [name.strip().lower() for name in names_of_sheets(path)]


def names_of_sheets(path: Path) -> list[str]:
    """Return the names of a workbook's sheets as they are; none where it is damaged or cannot be read here."""
    try:
        fastexcel = import_module("fastexcel")
    except ModuleNotFoundError:
        return []
    try:
        return list(fastexcel.read_excel(path).sheet_names)
    except fastexcel.FastExcelError:
        return []


def sheets_as_text(export: Export, target: Path) -> list[tuple[str, Path]]:
    """Write every sheet of a workbook as a CSV file, for formats whose tables are its sheets.

    Parameters
    ----------
    target : Path
        A folder for the files.

    Returns
    -------
    list of (str, Path)
        Name of each sheet, in lower case, and its file; empty sheets are left out.

    Raises
    ------
    FileRefused
        If it is no workbook.
    UsageError
        If the package that reads workbooks is not installed.
    """
    fastexcel = needed("fastexcel", "an Excel workbook")
    _refuse_bomb_or_no_workbook(export)
    found = []
    try:
        workbook = fastexcel.read_excel(export.content.read_bytes())
        for number, name in enumerate(sorted(workbook.sheet_names)):
            sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", schema_sample_rows=1)
            if sheet.height and sheet.width:
                path = target / f"sheet{number}.csv"
                cells = pl.DataFrame(pl.from_arrow(sheet.to_arrow())).cast(pl.String).fill_null("")
                cells.write_csv(path, include_header=False)
                found.append((name.strip().lower(), path))
    except fastexcel.FastExcelError:
        raise _unreadable() from None
    return found


def _with_errors(cells: pl.DataFrame, errors: Any) -> pl.DataFrame:
    """Put the mark of a failed formula where the reader leaves a hole."""
    by_column: dict[int, dict[int, str]] = {}
    for error in errors.errors if errors else ():
        row, column = error.offset_position
        kind = error.detail.rpartition("Error(")[2].rstrip("')")
        by_column.setdefault(column, {})[row] = _ERRORS.get(kind, "#ERROR!")
    for column, marks in by_column.items():
        texts = cells.to_series(column).to_list()
        for row, mark in marks.items():
            texts[row] = mark
        cells = cells.with_columns(pl.Series(f"c{column}", texts, pl.String))
    return cells


def _table(cells: pl.DataFrame, *, has_1904: bool) -> Table:
    rows = cells.with_row_index("\0row").filter(_is_filled(cells))
    header = [name or "" for name in rows.row(0)[1:]]
    body = rows[1:]
    if not body.height:
        raise FileRefused(Refusal.EMPTY, "the sheet has a header and no rows", "export it again, with its rows")
    is_used = [bool(column.is_not_null().any()) for column in body.drop("\0row").iter_columns()]
    nameless = [place for place, name in enumerate(header) if not name.strip() and is_used[place]]
    if nameless:
        raise FileRefused(
            Refusal.MISSING_COLUMNS,
            f"row {rows.row(0)[0] + 1:,} of the sheet, which should be the header, has no name for "
            f"{counted(len(nameless), 'column')} ({', '.join(map(_letters, nameless[:6]))}); merged cells or a title "
            "above the table look so",
            "give every column its own name in one row, and take out titles above it",
        )
    kept = [place for place, name in enumerate(header) if name.strip()]
    frame = body.select(pl.nth([place + 1 for place in kept]).fill_null(""))
    frame.columns = unique(tuple(header[place] for place in kept))
    lines = body["\0row"].to_numpy().astype(np.int64) + 1
    return Table(frame, lines, is_typed=True, facts={"has_1904": has_1904, "is_excel": True})


def _is_filled(cells: pl.DataFrame) -> pl.Series:
    """Say of each row whether anything stands in it."""
    return cells.select(
        pl.any_horizontal(pl.col(name).str.strip_chars().fill_null("") != "" for name in cells.columns).alias("filled")
    )["filled"]


def _sheet(names: list[str], wanted: str) -> str:
    if wanted:
        if wanted not in names:
            raise FileRefused(
                Refusal.UNREADABLE,
                f"the workbook has {counted(len(names), 'sheet')}, and none is called as the study says",
                "correct sheet in [sources] of study.toml; letter case counts",
            )
        return wanted
    if len(names) != 1:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"the workbook has {counted(len(names), 'sheet')}; which one is to be read?",
            'name it in [sources] of study.toml: sheet = "..."',
        )
    return names[0]


def _refuse_bomb_or_no_workbook(export: Export) -> bool:
    """Look at the packed parts before any is unpacked; say whether days are counted from 1904."""
    try:
        with zipfile.ZipFile(export.content) as packed:
            n_bytes = sum(part.file_size for part in packed.infolist())
            n_packed = export.content.stat().st_size
            if n_bytes > export.settings.landing.max_bytes:
                raise too_large(f"the workbook unpacks to {n_bytes:,} bytes")
            refuse_bomb(n_bytes, n_packed)
            book = packed.read(_WORKBOOK)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        raise _unreadable() from None
    return b'date1904="1"' in book or b'date1904="true"' in book


def _unreadable() -> FileRefused:
    return FileRefused(
        Refusal.UNREADABLE,
        "the file cannot be read as an Excel workbook (.xlsx); it is cut off, damaged, protected by a password, or of "
        "another format",
        "save it again as .xlsx without a password, or export it as CSV UTF-8",
    )


def _letters(place: int) -> str:
    """Return the letters of a column: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def recognise(path: Path) -> Recognised | None:
    """Tell a workbook by what is packed in it."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        with zipfile.ZipFile(path) as packed:
            sheets = [name for name in packed.namelist() if name.startswith("xl/worksheets/sheet")]
    except (OSError, zipfile.BadZipFile):
        return None
    notes = (f"it has {len(sheets)} sheets: name one with sheet",) if len(sheets) > 1 else ()
    return Recognised(LayoutName.TABLE, "it is an Excel workbook", notes=notes) if sheets else None


EXCEL = Layout(
    "excel", "Excel workbook", SUFFIXES, open_excel, as_it_is, own_columns, rewrite=None, recognise=recognise
)
