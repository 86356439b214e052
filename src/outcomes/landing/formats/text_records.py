"""The records of a text file: found, checked for UTF-8, and copied without the malformed ones where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from outcomes.contract import Refusal, Rule
from outcomes.landing.formats.lexing import Block, Strayed, byte_classes, lex
from outcomes.landing.formats.recovery import QuoteRecovery, swallows_rows, unterminated
from outcomes.landing.refusal import FileRefused

_CHUNK_BYTES = 4_000_000
LONGEST_RECORD = 1_000_000  # bytes; a row of ratings has some hundred
_RECORDS_A_COPY = 20_000
_IS_DIGIT = np.isin(np.arange(256), list(b"0123456789"))


@dataclass(frozen=True)
class TextRecords:
    """Records of a text file by byte offsets.

    `is_plain` says that DuckDB can read the file as it is: one kind of line ending, nothing malformed, no blank lines.
    `has_breaks` says that quoted cells run over lines, `has_joined_digits` that an underscore stands between two digits
    (DuckDB reads 1_0 as ten), `has_spaces` that there are such.
    """

    path: Path
    body_start: int
    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    malformed: dict[int, Rule]
    is_plain: bool
    has_breaks: bool
    has_joined_digits: bool
    has_spaces: bool

    def raw(self, records: Iterator[int] | list[int]) -> Iterator[bytes]:
        """Read records as they stand in the file."""
        with self.path.open("rb") as stream:
            for record in records:
                stream.seek(int(self.starts[record]))
                yield stream.read(int(self.ends[record] - self.starts[record]))


def find_records(path: Path, body_start: int, first_line: int, delimiter: str, n_columns: int) -> TextRecords:
    """Find every record from `body_start` on; an empty delimiter means that every line is one record.

    Raises
    ------
    FileRefused
        If the file is not UTF-8, an open quote swallows rows, or one record is longer than `LONGEST_RECORD`.
    """
    classes = byte_classes(delimiter, quotes=bool(delimiter))
    recovery = QuoteRecovery(delimiter, n_columns) if delimiter else None
    starts, ends, lines = [], [], []
    malformed: dict[int, Rule] = {}
    n_records, line, offset = 0, first_line, body_start
    has_crlf = has_lf = has_blanks = has_breaks = has_joined_digits = has_spaces = False
    with path.open("rb") as stream:
        stream.seek(body_start)
        carried, at_end = b"", False
        while not at_end:
            chunk = stream.read(_CHUNK_BYTES)
            at_end = len(chunk) < _CHUNK_BYTES
            data = carried + chunk
            has_joined_digits = has_joined_digits or _joins_digits(data)
            has_spaces = has_spaces or b" " in chunk
            if at_end and data and not data.endswith(b"\n"):
                data += b"\n"
            for block in _blocks(data, classes, n_columns, recovery, line, at_end=at_end):
                _check_utf8(data[: block.consumed], line, offset)
                if recovery:
                    _refuse_swallowed(data, block, line, delimiter, n_columns)
                if (block.ends - block.starts).max(initial=0) > LONGEST_RECORD:
                    raise _too_long(line + int(block.lines[(block.ends - block.starts).argmax()]))
                starts.append(block.starts + offset)
                ends.append(block.ends + offset)
                lines.append(block.lines + line)
                malformed.update({n_records + record: rule for record, rule in block.rules.items()})
                n_records += block.starts.size
                line += block.n_lines
                offset += block.consumed
                has_crlf, has_lf = has_crlf or block.has_crlf, has_lf or block.has_lf
                has_blanks, has_breaks = has_blanks or block.has_blanks, has_breaks or bool(block.broken)
                data = data[block.consumed :]
            if len(data) > LONGEST_RECORD:
                raise _too_long(line)
            carried = data
    return TextRecords(
        path, body_start,
        np.concatenate(starts) if starts else np.zeros(0, np.int64),
        np.concatenate(ends) if ends else np.zeros(0, np.int64),
        np.concatenate(lines) if lines else np.zeros(0, np.int64),
        malformed, is_plain=not (malformed or has_blanks or (has_crlf and has_lf)), has_breaks=has_breaks,
        has_joined_digits=has_joined_digits, has_spaces=has_spaces,
    )  # fmt: skip


def _joins_digits(data: bytes) -> bool:
    if b"_" not in data:
        return False
    text = np.frombuffer(data, np.uint8)
    inner = np.flatnonzero(text[1:-1] == ord("_"))
    return bool((_IS_DIGIT[text[inner]] & _IS_DIGIT[text[inner + 2]]).any())


def _blocks(
    data: bytes, classes: bytes, n_columns: int, recovery: QuoteRecovery | None, line: int, *, at_end: bool
) -> Iterator[Block]:
    """Yield one block, or two where the last quote of the file is open."""
    consumed = 0
    try:
        block = lex(data, classes, n_columns)
        if block.consumed:
            yield block
        consumed, line = block.consumed, line + block.n_lines
    except Strayed:
        pass
    rest = data[consumed:]
    is_stuck = len(rest) > LONGEST_RECORD or (at_end and rest) or (rest and not consumed)
    if recovery and is_stuck:
        yield recovery.lex(rest, line, LONGEST_RECORD, at_end=at_end)


def _refuse_swallowed(data: bytes, block: Block, line: int, delimiter: str, n_columns: int) -> None:
    for record in block.broken:
        text = data[block.starts[record] : block.ends[record]]
        if block.rules.get(record) is Rule.RAGGED_ROW or swallows_rows(text, delimiter, n_columns):
            raise unterminated(line + int(block.lines[record]))


def _check_utf8(data: bytes, line: int, offset: int) -> None:
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise not_utf8(line + data.count(b"\n", 0, broken.start), offset + broken.start) from None


def not_utf8(line: int, position: int, what: str = "the file is not UTF-8") -> FileRefused:
    """Make the refusal for another encoding."""
    return FileRefused(
        Refusal.ENCODING,
        f"{what}: the first strange byte is on line {line:,}, byte {position + 1:,} of the file",
        "save it as UTF-8 (in spreadsheet programs: CSV UTF-8) and drop it again, or name its encoding in [sources] of "
        'study.toml: encoding = "windows-1252" (or "utf-16", "latin-1")',
    )


def _too_long(line: int) -> FileRefused:
    return FileRefused(
        Refusal.TOO_LARGE,
        f"line {line:,} is longer than {LONGEST_RECORD:,} bytes",
        "check that the file is what its name says and that its lines end",
    )


def copy_well_formed(records: TextRecords, target: Path) -> None:
    """Write the well-formed records, one a line with LF at its end."""
    good = np.ones(records.starts.size, bool)
    good[list(records.malformed)] = False
    kept = np.flatnonzero(good)
    starts, ends = records.starts[kept], records.ends[kept]
    if not kept.size:
        target.touch()
        return
    # A run breaks where something other than one line ending stands between two records.
    gaps = starts[1:] - ends[:-1]
    is_carriage = np.memmap(records.path, np.uint8, mode="r")[ends[:-1]] == ord("\r")
    follows = (gaps == 1) | ((gaps == 2) & is_carriage)
    edges = np.concatenate([[0], np.flatnonzero(~follows) + 1, [kept.size]])
    with records.path.open("rb") as source, target.open("wb") as copy:
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            for begin in range(first, last, _RECORDS_A_COPY):
                end = min(begin + _RECORDS_A_COPY, last)
                source.seek(int(starts[begin]))
                text = source.read(int(ends[end - 1] - starts[begin]))
                copy.write(text.replace(b"\r\n", b"\n") + b"\n")
