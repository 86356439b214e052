"""Opening a table by the ending of its file's name: text, workbook or SPSS file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from outcomes.landing.layouts import text_tables
from outcomes.landing.layouts.base import Export, Table

_OPENERS: dict[str, Callable[[Export], Table]] = {
    **dict.fromkeys(text_tables.SUFFIXES, text_tables.open_text),
}
SUFFIXES = tuple(_OPENERS)


def open_table(export: Export) -> Table:
    """Open an export by the ending of its name."""
    return _OPENERS[export.suffix](export)


def rewrite_table(export: Export, target: Path, lines: set[int]) -> None:
    """Write a text file without some records; other formats cannot be written."""
    text_tables.rewrite_text(export, target, lines)
