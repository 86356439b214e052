"""A first look at a file whose layout nobody has declared; nothing here raises for a damaged file."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

from outcomes.landing.formats.sniffing import DELIMITERS

_LOOKED_AT = 400_000  # bytes
_TEXTS = (".csv", ".tsv", ".txt")


def first_rows(path: Path, n_rows: int = 50) -> list[list[str]]:
    """Return the first rows of a text file, split by the delimiter that gives most columns; empty where it is none."""
    if path.suffix.lower() not in _TEXTS:
        return []
    try:
        with path.open("rb") as stream:
            start = stream.read(_LOOKED_AT)
    except OSError:
        return []
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = start.decode("utf-16", "ignore")
    else:
        text = start.decode("utf-8-sig", "replace")
    if "\0" in text:
        return []
    best: list[list[str]] = []
    for delimiter in DELIMITERS:
        try:
            lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
            rows = [row for _, row in zip(range(n_rows), lines, strict=False) if row]
        except csv.Error:
            continue
        if rows and (not best or len(rows[0]) > len(best[0])):
            best = rows
    return best
