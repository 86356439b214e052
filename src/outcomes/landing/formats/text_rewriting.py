"""Text files without the rows of some clients: every other record stays byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from outcomes.landing.formats.base import Owners, Pair
from outcomes.landing.formats.text_records import TextRecords

_PART = 16_000_000  # bytes that are copied at a time

PairOf = Callable[[bytes], Pair | None]
"""Tells a record's client and episode; None where it cannot be split."""


def pairs_of(records: TextRecords, pair_of: PairOf) -> set[Pair]:
    """Return the pairs of client and episode in the well-formed records."""
    well_formed = (raw for record, raw in _numbered(records) if record not in records.malformed)
    return {pair for pair in map(pair_of, well_formed) if pair}


def rewrite_records(records: TextRecords, pair_of: PairOf, target: Path, owners: Owners) -> int:
    """Write the file without the owners' records; one that cannot be split goes by any mention. Returns how many."""
    gone = []
    for record, raw in _numbered(records):
        pair = None if record in records.malformed else pair_of(raw)
        if owners.owns(*pair) if pair else owners.mentions(raw):
            gone.append(record)
    if gone:
        copy_without(records, target, gone)
    return len(gone)


def rewrite_lines(content: Path, target: Path, owners: Owners) -> int:
    """Leave out every line that mentions one of the ids: all that can be done where there is no readable header."""
    lines = content.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not owners.mentions(line)]
    if len(kept) < len(lines):
        target.write_bytes(b"".join(kept))
    return len(lines) - len(kept)


def _numbered(records: TextRecords) -> Iterator[tuple[int, bytes]]:
    return enumerate(records.raw(list(range(records.starts.size))))


def copy_without(records: TextRecords, target: Path, gone: list[int]) -> None:
    """Copy a file, leaving out records together with the line ends behind them."""
    size = records.path.stat().st_size
    starts = [*records.starts.tolist(), size]
    with records.path.open("rb") as source, target.open("wb") as copy:
        place = 0
        for first, last in [*((starts[record], starts[record + 1]) for record in gone), (size, size)]:
            source.seek(place)
            left = first - place
            while left > 0:
                part = source.read(min(left, _PART))
                copy.write(part)
                left -= len(part)
            place = last
