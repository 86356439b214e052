"""Tables as text for a terminal: whole words, whole numbers; what does not fit stands one column a line."""

from __future__ import annotations

import textwrap
from typing import Any

import polars as pl

WIDTH = 200  # signs of a line where nobody says how wide the terminal is
_LEAST = 12  # signs that a column of words is never squeezed below


def as_text_table(frame: pl.DataFrame, rows: int = 0, width: int = WIDTH) -> str:
    """Write a frame as a Markdown table; texts are wrapped between words, never cut.

    Where even that is wider than `width`, each row is written as a block, one column a line (`as_blocks`).

    Parameters
    ----------
    frame : polars.DataFrame
    rows : int
        Rows that are shown at most; 0 for all.
    width : int
        Signs of a line.
    """
    shown = frame.head(rows) if rows else frame
    if not shown.width:
        return ""
    cells = [[cell_text(value) for value in shown[name]] for name in shown.columns]
    is_number = [shown[name].dtype.is_numeric() for name in shown.columns]
    widths = [max([len(name), *(len(line) for cell in column for line in cell.split("\n"))], default=0)
              for name, column in zip(shown.columns, cells, strict=True)]  # fmt: skip
    least = [
        w if number else max([len(name), min(w, _LEAST), *(len(word) for cell in column for word in cell.split())])
        for name, column, w, number in zip(shown.columns, cells, widths, is_number, strict=True)
    ]
    room = width - 3 * len(widths) - 1
    while sum(widths) > room:
        slack = [w - low for w, low in zip(widths, least, strict=True)]
        widest = max(range(len(widths)), key=lambda i: (slack[i] > 0, widths[i]))
        if slack[widest] <= 0:
            return as_blocks(frame, rows, width)
        widths[widest] -= 1
    lines = [_line(list(shown.columns), widths, is_number)]
    lines.append("|" + "|".join(_rule(w, number) for w, number in zip(widths, is_number, strict=True)) + "|")
    for row in zip(*cells, strict=True):
        wrapped = [
            [
                part
                for line in cell.split("\n")
                for part in (textwrap.wrap(line, w, break_long_words=False, break_on_hyphens=False) or [""])
            ]
            for cell, w in zip(row, widths, strict=True)
        ]
        for place in range(max(len(part) for part in wrapped)):
            lines.append(_line([part[place] if place < len(part) else "" for part in wrapped], widths, is_number))
    return "\n".join(lines)


def as_blocks(frame: pl.DataFrame, rows: int = 0, width: int = WIDTH) -> str:
    """Write each row as a block, one column a line; long texts go on below themselves."""
    shown = frame.head(rows) if rows else frame
    left = max((len(name) for name in shown.columns), default=0)
    blocks = []
    for place, row in enumerate(shown.iter_rows(named=True), start=1):
        lines = [f"-- {place} --"]
        for name, value in row.items():
            said = textwrap.wrap(cell_text(value), max(width - left - 3, _LEAST), break_long_words=False) or [""]
            lines.append(f"{name:<{left}} | {said[0]}".rstrip())
            lines += [f"{'':<{left}} | {more}" for more in said[1:]]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def cell_text(value: Any) -> str:
    """Write one value as people read it; nothing where it is missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value.to_list() if isinstance(value, pl.Series) else value)


def _line(cells: list[str], widths: list[int], is_number: list[bool]) -> str:
    padded = [f"{c:>{w}}" if n else f"{c:<{w}}" for c, w, n in zip(cells, widths, is_number, strict=True)]
    return "| " + " | ".join(padded) + " |"


def _rule(width: int, is_number: bool) -> str:
    return f"{'-' * (width + 1)}{':' if is_number else '-'}"
