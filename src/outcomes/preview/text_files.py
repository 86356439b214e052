"""Text files of any delimiter and of the usual encodings; of a large one parts from its whole length."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from outcomes.contract import Refusal
from outcomes.errors import visible
from outcomes.landing.identifiers.patterns import FREE_TEXT, sightings
from outcomes.landing.refusal import FileRefused, counted
from outcomes.landing.rules.first_lines import NO_NAMES, are_names, is_title
from outcomes.preview.cells import FoundTable, named_columns, take_text
from outcomes.preview.guesses import simple
from outcomes.preview.synonyms import KNOWN

WHOLE_BYTES = 5_000_000
"""A larger file is looked at by a sample."""
_PARTS, _PART_BYTES = 10, 250_000
_HEAD_BYTES = 200_000
_SNIFFED_ROWS = 40
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True)
class Text:
    """The text of a file or of a sample of it; `size` is that of the whole file in bytes, unpacked."""

    body: str
    encoding: str
    size: int
    is_sample: bool


def read_text(path: Path, is_packed: bool) -> Text:
    """Read a text file, or parts of a large one, each of whole lines.

    Raises
    ------
    FileRefused
        If it is empty, damaged, or no text.
    """
    data, size, is_sample = _bytes(path, is_packed)
    if not data.strip(b"\x00 \r\n\t" + codecs.BOM_UTF8):
        raise FileRefused(Refusal.EMPTY, "the file is empty", "export it again, with its header and rows")
    codec, words = _encoding(data)
    body = data.decode(codec, errors="replace" if is_sample else "strict")
    if "\x00" in body[:_HEAD_BYTES]:
        raise FileRefused(
            Refusal.UNREADABLE, "the file is not text: it holds NUL bytes",
            "export it as CSV, or give it the ending of its format",
        )  # fmt: skip
    return Text(body.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n"), words, size, is_sample)


def _bytes(path: Path, is_packed: bool) -> tuple[bytes, int, bool]:
    if is_packed:
        try:
            with gzip.open(path) as packed:
                data = packed.read(WHOLE_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise FileRefused(
                Refusal.UNREADABLE, "the file cannot be unpacked; it is cut off, damaged or no gzip file",
                "pack it again",
            ) from None  # fmt: skip
        if len(data) <= WHOLE_BYTES:
            return data, len(data), False
        part = data[: _PARTS * _PART_BYTES]
        ratio = max(1.0, path.stat().st_size / max(1, len(zlib.compress(part, 1))))
        return part[: part.rfind(b"\n") + 1], int(len(part) * ratio), True
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size <= WHOLE_BYTES:
            return stream.read(), size, False
        head = stream.read(_PART_BYTES)
        parts = [head[: head.rfind(b"\n") + 1]]
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return head[: len(head) // 4 * 4], size, True
        has_breaks = any(line.count(b'"') % 2 for line in parts[0].split(b"\n"))
        for part in range(1, 1 if has_breaks else _PARTS):
            stream.seek(size * part // _PARTS)
            rows = stream.read(_PART_BYTES)
            parts.append(rows[rows.find(b"\n") + 1 : rows.rfind(b"\n") + 1])
    return b"".join(parts), size, True


def _encoding(data: bytes) -> tuple[str, str]:
    for mark, codec, words in _MARKS:
        if data.startswith(mark):
            return codec, words
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        head = data[:_HEAD_BYTES]
        if sum(byte < 32 and byte not in b"\t\r\n\f" for byte in head) > len(head) / 100:
            raise FileRefused(
                Refusal.UNREADABLE, "the file is not text", "export it as CSV, or give it the ending of its format"
            ) from None
        try:
            data.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1", "Latin-1"
        return "cp1252", "Windows-1252 (Latin-1)"
    return "utf-8", "UTF-8"


def sniff_delimiter(body: str) -> str:
    """Tell the delimiter by which most rows have as many cells as the header, and more than one."""
    best, most = ",", 1.0
    for delimiter in DELIMITERS:
        rows = _first_rows(body, delimiter)
        if not rows or len(rows[0]) < 2:
            continue
        fitting = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        if len(rows[0]) * fitting > most:
            best, most = delimiter, len(rows[0]) * fitting
    return best


def _first_rows(body: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(body[:_HEAD_BYTES], newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows += [row] if row else []
            if len(rows) >= _SNIFFED_ROWS:
                break
    except csv.Error:
        pass
    return rows[:-1] if len(body) > _HEAD_BYTES and 1 < len(rows) < _SNIFFED_ROWS else rows


def read_delimited(con: duckdb.DuckDBPyConnection, text: Text, scratch: Path) -> FoundTable:
    """Read a text with one header row into the table of cells.

    Raises
    ------
    FileRefused
        If it has a header and no rows, or its rows cannot be told apart.
    """
    delimiter = sniff_delimiter(text.body)
    lines = io.StringIO(text.body, newline="")
    try:
        names = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error:
        raise FileRefused(
            Refusal.UNTERMINATED_QUOTE, "a quotation mark in the header is never closed", "mend the first line"
        ) from None
    start = len(text.body[: lines.tell()].encode())
    notes = _notes(names, text)
    if not _is_header(names):
        names = [""] * len(names)
        notes = (f"Its first line {NO_NAMES}.",)
    body = scratch / "text.csv"
    body.write_text(text.body, encoding="utf-8", newline="")
    n_rows, n_malformed = take_text(con, body, scratch, body_start=start, delimiter=delimiter, n_columns=len(names))
    if not n_rows:
        raise FileRefused(
            Refusal.EMPTY, f"the file has a header with {counted(len(names), 'column')} and no rows",
            "export it again, with its rows",
        )  # fmt: skip
    header = named_columns(names)
    nameless = tuple(header[place] for place, name in enumerate(names) if not name.strip())
    about_rows = round(n_rows * text.size / max(1, len(text.body.encode()))) if text.is_sample else n_rows
    return FoundTable(
        "text", header, n_rows, about_rows, text.encoding, DELIMITERS[delimiter],
        text.is_sample, n_malformed, notes, nameless,
    )  # fmt: skip


def _is_header(names: list[str]) -> bool:
    """Say whether a first line has names of columns; any other may name persons and is not shown.

    Beside a usual name a whole question may be one: its length is no sign of free text.
    """
    n_known = sum(simple(name) in KNOWN for name in names)
    if not n_known:
        return are_names(names)
    seen = {sighting.pattern for sighting in sightings(names, len(names), is_id=True)}
    return seen <= {FREE_TEXT} and not is_title(names, n_known)


def _notes(names: list[str], text: Text) -> tuple[str, ...]:
    notes = []
    if len(names) == 1:
        notes.append("It has one column only: is its delimiter a comma, a semicolon or a tab?")
    double = [name for name, times in Counter(" ".join(name.split()).casefold() for name in names).items() if times > 1]
    if [name for name in double if name]:
        notes.append(f"{counted(len(double), 'name stands', 'names stand')} more than once in the header.")
    if any(visible(name) != name or "\n" in name for name in names):
        notes.append("A column's name has a line break, or a sign that cannot be seen: give it a plain name.")
    return tuple(notes)
