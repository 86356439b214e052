"""The formats that are read, each known by its names' endings; a further format is one module and one line here."""

from __future__ import annotations

from pathlib import Path

from outcomes.contract import Refusal
from outcomes.landing.formats.base import Format
from outcomes.landing.formats.csv_files import CSV
from outcomes.landing.formats.ndjson_files import NDJSON
from outcomes.landing.formats.parquet_files import PARQUET
from outcomes.landing.refusal import FileRefused

FORMATS = (CSV, PARQUET, NDJSON)
SUFFIXES = {suffix: one for one in FORMATS for suffix in one.suffixes}
PACKED = ".gz"


def format_of(name: str, also: tuple[str, ...] = ()) -> tuple[Format, bool]:
    """Tell a file's format by its name's ending, and whether it is packed by gzip.

    Parameters
    ----------
    also : tuple of str
        Endings that are read too, by other means; the refusal names them.

    Raises
    ------
    FileRefused
        If the ending is none that is read.
    """
    lowered = name.lower()
    found = SUFFIXES.get(Path(lowered.removesuffix(PACKED)).suffix)
    if found is None:
        raise FileRefused(
            Refusal.UNREADABLE,
            "the name's ending is none that is read",
            f"use one of: {', '.join((*SUFFIXES, *also))}, each also with {PACKED}",
        )
    return found, lowered.endswith(PACKED)
