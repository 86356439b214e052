"""The head of a CSV file: its delimiter and header, told by which delimiter gives known columns and by nothing else."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outcomes.contract import Refusal
from outcomes.landing.formats.text_records import LONGEST_RECORD, not_utf8
from outcomes.landing.refusal import FileRefused, listed
from outcomes.landing.rules.columns import normal
from outcomes.landing.rules.first_lines import FEWEST_COLUMNS, NO_NAMES, are_names, is_title

_DELIMITER_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DELIMITERS = tuple(_DELIMITER_WORDS)
_ALL = 30  # names that a message lists


@dataclass(frozen=True)
class Head:
    """Delimiter and header of a CSV file, the byte at which its rows begin and the physical line of that byte."""

    delimiter: str
    names: tuple[str, ...]
    body_start: int
    first_line: int


def refuse_other_encodings(start: bytes) -> None:
    """Refuse what begins as UTF-16 or UTF-32 does."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in start[:4]:
        raise not_utf8(1, 0, "the file is UTF-16 or UTF-32, not UTF-8")


def read_head(path: Path, known: frozenset[str]) -> Head:
    """Read a file's header.

    Parameters
    ----------
    path : Path
        The unpacked file.
    known : frozenset of str
        Normal names that columns may have.

    Raises
    ------
    FileRefused
        If the file is empty, is not UTF-8, or no delimiter gives a known column.
    """
    return head_of(path, lambda names: sum(normal(name) in known for name in names), known)


def head_of(path: Path, score: Callable[[list[str]], int], known: frozenset[str] = frozenset()) -> Head:
    """Read a file's header, split by the delimiter that gives the best score.

    Parameters
    ----------
    known : frozenset of str
        Normal names that columns may have, for the message.

    Raises
    ------
    FileRefused
        If the file is empty, is not UTF-8, every delimiter scores zero, or the line is a title.
    """
    with path.open("rb") as stream:
        start = stream.read(LONGEST_RECORD)
    refuse_other_encodings(start)
    body = start.removeprefix(codecs.BOM_UTF8)
    n_blank = len(body) - len(body.lstrip(b"\r\n"))
    if not body.strip():
        raise FileRefused(Refusal.EMPTY, "the file is empty", "export it again, with its header and rows")
    if b"\n" not in body and b"\r" in body.rstrip(b"\r"):
        raise FileRefused(
            Refusal.UNREADABLE, "the lines end with a carriage return alone", "save the file with LF or CR LF line ends"
        )
    n_before = len(start) - len(body) + n_blank
    first_line = 1 + body[:n_blank].count(b"\n")
    text = _decoded(body[n_blank:], first_line, n_before)
    best, n_best, header = ",", 0, ""
    for delimiter in DELIMITERS:
        names, taken = _first_record(text, delimiter)
        hits = score(names)
        if hits > n_best:
            best, n_best, header = delimiter, hits, text[:taken]
            best_names = names
    if not n_best or is_title(best_names, sum(normal(name) in known for name in best_names)):
        raise _no_known_column(text, first_line, known)
    return Head(
        best, tuple(name.strip() for name in best_names),
        n_before + len(header.encode()), first_line + header.count("\n"),
    )  # fmt: skip


def _no_known_column(text: str, line: int, known: frozenset[str]) -> FileRefused:
    """Say what the header has and what is expected; a first line that is not plainly names is not shown."""
    splits = {delimiter: _first_record(text, delimiter)[0] for delimiter in DELIMITERS}
    delimiter = max(splits, key=lambda one: len(splits[one]))
    names = splits[delimiter]
    if len(names) < FEWEST_COLUMNS:
        what = f"is one column, whether split at commas, semicolons, tabs or bars, and {NO_NAMES}"
    else:
        what = f"has {len(names)} columns, split at {_DELIMITER_WORDS[delimiter]}s, "
        what += f"and none is known: {listed(names, _ALL)}" if are_names(names) else f"and {NO_NAMES}"
    return FileRefused(
        Refusal.DELIMITER,
        f"the first line (line {line:,}) {what}" + (f"; expected are: {listed(sorted(known), _ALL)}" if known else ""),
        "name your columns in [sources] of study.toml; `outcomes check FILE` suggests the lines",
    )


def _decoded(body: bytes, first_line: int, n_before: int) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as broken:
        if broken.start > len(body) - 4 and len(body) > 4:  # a character that the cut through the file splits
            return body[: broken.start].decode("utf-8")
        raise not_utf8(first_line + body.count(b"\n", 0, broken.start), n_before + broken.start) from None


def _first_record(text: str, delimiter: str) -> tuple[list[str], int]:
    """Return the header's names under one delimiter and the number of characters that it takes."""
    lines = io.StringIO(text, newline="")
    try:
        names = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error:
        return [], 0
    return names, lines.tell()
