"""What every made export consists of."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

Row = dict[str, str]


@dataclass(frozen=True)
class Written:
    """An export: its bytes, its name, what the study says of it, and the line of each of the rows."""

    content: bytes
    name: str
    study: str
    lines: tuple[int, ...]
    companions: tuple[tuple[str, str], ...] = ()


def csv_text(rows: list[list[str]], delimiter: str = ",") -> str:
    """Write rows as CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def after(first: int, rows: list[Row]) -> tuple[int, ...]:
    return tuple(range(first, first + len(rows)))
