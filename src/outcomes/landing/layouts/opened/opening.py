"""Opening a table by the ending of its file's name: text, workbook or SPSS file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from outcomes.landing.layouts.base import CannotRewrite, Export, Table
from outcomes.landing.layouts.opened import excel, spss, text_tables

_OPENERS: dict[str, Callable[[Export], Table]] = {
    **dict.fromkeys(text_tables.SUFFIXES, text_tables.open_text),
    **dict.fromkeys(excel.SUFFIXES, excel.open_excel),
    **dict.fromkeys(spss.SUFFIXES, spss.open_spss),
}
SUFFIXES = tuple(_OPENERS)


def open_table(export: Export) -> Table:
    """Open an export by the ending of its name."""
    return _OPENERS[export.suffix](export)


def rewrite_table(export: Export, target: Path, lines: set[int]) -> None:
    """Write a text file without some records.

    Raises
    ------
    CannotRewrite
        For a workbook or an SPSS file.
    """
    if export.suffix not in text_tables.SUFFIXES:
        raise CannotRewrite(f"file that ends in {export.suffix}")
    text_tables.rewrite_text(export, target, lines)
