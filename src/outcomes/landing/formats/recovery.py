"""Record by record through bytes whose quotes went astray: how much of the damage is one row's, how much the file's."""

from __future__ import annotations

import re

import numpy as np

from outcomes.contract import Refusal, Rule
from outcomes.landing.formats.lexing import Block
from outcomes.landing.refusal import FileRefused

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")


class QuoteRecovery:
    """Reads records one at a time, for one delimiter and number of columns."""

    def __init__(self, delimiter: str, n_columns: int) -> None:
        mark = re.escape(delimiter.encode())
        field = rb'(?:"(?:[^"]++|"")*+"|[^"\r\n' + mark + rb"]*+)"
        self._field = re.compile(field)
        self._record = re.compile(field + rb"(?:" + mark + field + rb")*+(?=\r?\n|\Z)")
        self._open_cell = re.compile(rb"(?:" + field + mark + rb')*+"(?:[^"]++|"")*+\Z')
        self._delimiter = delimiter.encode()
        self._n_columns = n_columns

    def lex(self, data: bytes, first_line: int, longest: int, *, at_end: bool) -> Block:
        """Do what `lexing.lex` does, for bytes that it cannot read.

        Raises
        ------
        FileRefused
            If an open quotation mark swallows the rows after it.
        """
        starts: list[int] = []
        ends: list[int] = []
        lines: list[int] = []
        broken: list[int] = []
        rules: dict[int, Rule] = {}
        line = place = n_crlf = n_lf = 0
        has_blanks = False
        while place < len(data):
            feed = data.find(b"\n", place)
            found = self._record.match(data, place)
            if feed < 0 and not at_end:
                break
            rule = None
            if found and (found.end() < len(data) or at_end):
                end = found.end()
            else:
                end = len(data) if feed < 0 else feed - (data[feed - 1 : feed] == b"\r")
                if self._open_cell.match(data[place:end]) and data[end:].strip():
                    if not at_end and len(data) - place <= longest:
                        break
                    raise unterminated(first_line + line)
                rule = Rule.BAD_QUOTE
            record = data[place:end]
            following = end + 1 if data[end : end + 1] == b"\n" else min(end + 2, len(data))
            if not record:
                has_blanks = True
            else:
                n_breaks = record.count(b"\n")
                if rule is None and len(self._fields(record)) != self._n_columns:
                    rule = Rule.RAGGED_ROW
                if rule is None and _CONTROL.search(record):
                    rule = Rule.CONTROL_CHARACTER
                if n_breaks:
                    broken.append(len(starts))
                if rule:
                    rules[len(starts)] = rule
                starts.append(place)
                ends.append(end)
                lines.append(line)
                line += n_breaks
            n_crlf += following - end == 2
            n_lf += following - end == 1
            line += 1
            place = following
        return Block(
            np.array(starts, np.int64), np.array(ends, np.int64), np.array(lines, np.int64), line, rules, place, broken,
            has_blanks=has_blanks, has_crlf=n_crlf > 0, has_lf=n_lf > 0,
        )  # fmt: skip

    def _fields(self, record: bytes) -> list[bytes]:
        fields, place = [], 0
        while place <= len(record):
            end = self._field.match(record, place).end()
            fields.append(record[place:end])
            place = end + 1
        return fields


def swallows_rows(record: bytes, delimiter: str, n_columns: int) -> bool:
    """Say whether a quoted cell over several lines holds what were rows: lines with as many fields as the header."""
    fields = [line.count(delimiter.encode()) + 1 for line in record.split(b"\n")]
    if n_columns < 3:
        return False
    return n_columns in fields[1:-1] or (fields[0] == fields[-1] == n_columns)


def unterminated(line: int) -> FileRefused:
    """Make the refusal for a quotation mark that is never closed."""
    return FileRefused(
        Refusal.UNTERMINATED_QUOTE,
        f"a quotation mark opens a cell on line {line:,} and is not closed there; it swallows the rows after it",
        "close the mark, or double it where it belongs to the text, and drop the file again",
    )
