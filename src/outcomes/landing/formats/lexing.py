"""Where the records of a CSV file start and end, found by arrays: one pass over the bytes, no field is built.

DuckDB's reader loses rows silently where quotes are not closed and stops where line endings are mixed. So landing finds
the records itself, sets the malformed ones aside, and lets DuckDB read only what is well-formed; counts must agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from outcomes.contract import Rule

_DELIMITER, _LF, _QUOTE, _CR, _CONTROL = 1, 2, 3, 4, 5
# Controls beyond ASCII: C1 codes, zero-width and direction marks, byte order marks within the text.
_HIDDEN_CHARACTER = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf")


class Strayed(Exception):
    """A quotation mark stands where CSV allows none: the block must be read record by record."""


@dataclass(frozen=True)
class Block:
    """The records of one stretch of bytes.

    Attributes
    ----------
    starts, ends : ndarray of int64, shape (n,)
        Byte offsets within the stretch; `ends` leaves the line ending out.
    lines : ndarray of int64, shape (n,)
        Physical line of each record's start, relative to the stretch, from 0.
    n_lines : int
        Physical lines consumed.
    rules : dict of int to Rule
        The malformed records by their place in the arrays.
    consumed : int
        Bytes consumed; what follows is the beginning of a record that is not complete.
    broken : list of int
        Records that hold a quoted line break, by their place in the arrays.
    has_blanks, has_crlf, has_lf : bool
        Blank lines; lines that end in CR LF or in LF alone.
    """

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    n_lines: int
    rules: dict[int, Rule]
    consumed: int
    broken: list[int]
    has_blanks: bool
    has_crlf: bool
    has_lf: bool


def byte_classes(delimiter: str, *, quotes: bool = True) -> bytes:
    """Return the translation table from bytes to structural classes."""
    table = np.zeros(256, np.uint8)
    table[:32] = _CONTROL
    table[127] = _CONTROL
    table[[9, 10, 13]] = 0, _LF, _CR
    if delimiter:
        table[ord(delimiter)] = _DELIMITER
    if quotes:
        table[34] = _QUOTE
    return table.tobytes()


def lex(data: bytes, classes: bytes, n_columns: int) -> Block:
    """Find the complete records of `data`, which starts at the beginning of a record.

    Records whose number of fields is not `n_columns` are ragged; 0 asks for no number.

    Raises
    ------
    Strayed
        If the quoting is not as CSV asks.
    """
    class_of_byte = np.frombuffer(data.translate(classes), np.uint8)
    places = np.flatnonzero(class_of_byte)
    kinds = class_of_byte[places]
    highest = kinds.max(initial=0)
    breaks = places[:0]
    if highest >= _QUOTE and (kinds == _QUOTE).any():
        places, kinds, breaks = _outside_quotes(data, places, kinds)
    strange = [places[kinds == _CONTROL]] if highest >= _CONTROL else []
    is_crlf = None
    if highest >= _CR:
        carriages = places[kinds == _CR]
        follows = np.append(class_of_byte, _LF)[carriages + 1] == _LF
        strange.append(carriages[~follows])
        is_crlf = np.zeros(len(data) + 1, bool)
        is_crlf[carriages[follows] + 1] = True
    if highest > _LF:
        keep = kinds <= _LF
        places, kinds = places[keep], kinds[keep]
    at = np.flatnonzero(kinds == _LF)
    if not at.size:
        return _NOTHING
    feeds = places[at]
    consumed = int(feeds[-1]) + 1
    starts = np.concatenate([[0], feeds[:-1] + 1])
    ends = feeds if is_crlf is None else feeds - is_crlf[feeds]
    breaks = breaks[breaks < consumed]
    lines = np.arange(feeds.size)
    if breaks.size:
        lines = lines + np.searchsorted(breaks, starts)
    n_crlf = 0 if is_crlf is None else int(np.count_nonzero(is_crlf[feeds]))
    rules = {}
    if n_columns:
        rules = dict.fromkeys(np.flatnonzero(np.diff(at, prepend=-1) != n_columns).tolist(), Rule.RAGGED_ROW)
    if not data.isascii():
        strange.append(np.array([found.start() for found in _HIDDEN_CHARACTER.finditer(data)], dtype=np.int64))
    for record in {int(record) for part in strange for record in np.searchsorted(feeds, part[part < consumed])}:
        rules.setdefault(record, Rule.CONTROL_CHARACTER)
    broken = np.unique(np.searchsorted(feeds, breaks))
    blank = ends <= starts
    if blank.any():
        kept = np.flatnonzero(~blank)
        new_place = np.cumsum(~blank) - 1
        rules = {int(new_place[old]): rule for old, rule in rules.items() if not blank[old]}
        starts, ends, lines, broken = starts[kept], ends[kept], lines[kept], new_place[broken]
    return Block(
        starts, ends, lines, int(feeds.size + breaks.size), rules, consumed, broken.tolist(),
        has_blanks=bool(blank.any()), has_crlf=n_crlf > 0, has_lf=n_crlf < feeds.size,
    )  # fmt: skip


_EMPTY = np.zeros(0, np.int64)
_NOTHING = Block(_EMPTY, _EMPTY, _EMPTY, 0, {}, 0, [], has_blanks=False, has_crlf=False, has_lf=False)


def _outside_quotes(data: bytes, places: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep the structural bytes outside quotes, and the quoted line feeds apart; check where the quotes stand."""
    is_quote = kinds == _QUOTE
    quotes = places[is_quote]
    inside = (np.cumsum(is_quote) & 1).astype(bool)
    opening, closing = quotes[::2], quotes[1::2]
    # A mark may only touch a delimiter, a line ending or another mark: all of them structural bytes.
    is_structural = np.zeros(len(data) + 2, bool)
    is_structural[places + 1] = True
    before = is_structural[opening] | (opening == 0)
    after = is_structural[closing + 2] | (closing + 1 == len(data))
    if not (before.all() and after.all()):
        raise Strayed
    breaks = places[inside & (kinds == _LF)]
    keep = (~inside | (kinds == _CONTROL)) & ~is_quote
    return places[keep], kinds[keep], breaks
