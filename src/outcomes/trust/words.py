"""Ids as words: a word is what stands between signs that are neither letters nor digits; capitals do not count."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

MASK = "***"

_EDGES = re.compile(rb"^[^a-z0-9]+|[^a-z0-9]+$")
_RUN = re.compile(rb"[a-z0-9]+")
_MOST_OTHERS = 500  # ids in one pattern


class Needles:
    """Finds ids in bytes, all of one shape (letters, then `-`, then letters ...) in one pass.

    Parameters
    ----------
    ids : iterable of str
        What is searched for.
    others : iterable of str
        Ids of persons who stay; where one of them has a searched id as a part of it, the part does not count.
    """

    def __init__(self, ids: Iterable[str], others: Iterable[str] = ()) -> None:
        self._ids = tuple(sorted(ids, key=len, reverse=True))
        self._plain: set[bytes] = set()
        shapes: dict[tuple[bytes, ...], set[bytes]] = defaultdict(set)
        for one in self._ids:
            word = _EDGES.sub(b"", one.encode().lower())
            if _RUN.fullmatch(word):
                self._plain.add(word)
            elif word:
                shapes[tuple(_RUN.split(word)[1:-1])].add(word)
        self._shaped = [(_shape(separators), words) for separators, words in shapes.items()]
        kept = sorted((one.encode() for one in others if self._hits(one.encode().lower())), key=len, reverse=True)
        kept = [one for one in kept if one.decode() not in self._ids]
        self._others = [_any_of(kept[at : at + _MOST_OTHERS]) for at in range(0, len(kept), _MOST_OTHERS)]

    def found(self, data: bytes) -> bool:
        """Say whether some bytes hold one of the ids as a word."""
        if not self._hits(data.lower()):
            return False
        for pattern in self._others:
            data = pattern.sub(b" ", data)
        return not self._others or self._hits(data.lower())

    def masked(self, text: str) -> str:
        """Return a text with every id that stands in it as it is hidden."""
        if not self.found(text.encode("utf-8", "surrogateescape")):
            return text
        for one in self._ids:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(one)}(?![A-Za-z0-9])", MASK, text, flags=re.IGNORECASE)
        return text

    def _hits(self, lowered: bytes) -> bool:
        if self._plain and not self._plain.isdisjoint(_RUN.findall(lowered)):
            return True
        return any(not words.isdisjoint(pattern.findall(lowered)) for pattern, words in self._shaped)


def _shape(separators: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """Match words of one shape wherever they begin, also inside longer ones."""
    inner = b"".join(re.escape(one) + rb"[a-z0-9]+" for one in separators)
    return re.compile(rb"(?<![a-z0-9])(?=([a-z0-9]+" + inner + rb")(?![a-z0-9]))")


def _any_of(words: list[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![A-Za-z0-9])(?:" + b"|".join(map(re.escape, words)) + rb")(?![A-Za-z0-9])")
