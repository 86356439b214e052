"""The persons who withdraw: their ids as files, batches and releases have them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from outcomes.landing.pseudonyms import PseudonymKey
from outcomes.trust.words import Needles

_SHORTEST = 6  # characters of an id that is not met by chance
_SHORTEST_NUMBER = 9  # the same for an id of digits alone


_WORD = re.compile(rb"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Persons:
    """Ids of the clients and of the episodes that are theirs alone.

    Attributes
    ----------
    clients, episodes : frozenset of str
        As landed: pseudonyms where the study makes them; clients also as they were given.
    key : PseudonymKey or None
        Turns the ids of source files into landed ones; None where the study takes ids as they are.
    others : frozenset of str
        Landed ids of everybody else: where one of them has one of these ids as a part, the part does not count.
    """

    clients: frozenset[str]
    episodes: frozenset[str] = frozenset()
    key: PseudonymKey | None = field(default=None, repr=False)
    others: frozenset[str] = field(default=frozenset(), repr=False)

    def has_client(self, cell: str) -> bool:
        """Say whether a cell of a client column is one of the clients."""
        return cell in self.clients or bool(self.key and self.key.pseudonym("client_id", cell) in self.clients)

    def has_episode(self, cell: str) -> bool:
        """Say whether a cell of an episode column is one of the episodes."""
        return cell in self.episodes or bool(self.key and self.key.pseudonym("episode_id", cell) in self.episodes)

    def owns(self, client: str, episode: str) -> bool:
        """Say whether a row is theirs: by its client, or by its episode where the client is empty."""
        return self.has_client(client) if client else bool(episode) and self.has_episode(episode)

    def mentions(self, data: bytes) -> bool:
        """Say whether some bytes, of a row that nothing but a search can tell, hold one of the ids."""
        return self.every.finds(data)

    @property
    def are_known_as_given(self) -> bool:
        """Whether source files have the ids as landed; else a file that cannot be read may hold unknown ones."""
        return self.key is None

    @property
    def ids(self) -> frozenset[str]:
        """Clients and episodes together."""
        return self.clients | self.episodes

    @cached_property
    def distinctive(self) -> Needles:
        """Search for ids that are not met by chance, as short ones and plain numbers are, wherever they stand."""
        return Needles(filter(_is_distinctive, self.ids), self.others)

    @property
    def n_distinctive(self) -> int:
        """How many ids are not met by chance."""
        return sum(map(_is_distinctive, self.ids))

    @cached_property
    def every(self) -> IdSearch:
        """Search for all ids, for rows that nothing but a search can tell."""
        return IdSearch(self.ids)


class IdSearch:
    """Finds ids that stand as words of their own in bytes; most are plain words, which one pass finds all at once."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = tuple(sorted(ids))
        self._words = {one.encode() for one in self.ids if _WORD.fullmatch(one.encode())}
        others = (re.escape(one.encode()) for one in self.ids if one.encode() not in self._words)
        self._others = [re.compile(rb"(?<![A-Za-z0-9_-])" + one + rb"(?![A-Za-z0-9_-])") for one in others]

    def finds(self, data: bytes) -> bool:
        """Say whether some bytes hold one of the ids."""
        is_word = bool(self._words) and not self._words.isdisjoint(_WORD.findall(data))
        return is_word or any(pattern.search(data) for pattern in self._others)


def _is_distinctive(one: str) -> bool:
    if one.isdigit():
        return len(one) >= _SHORTEST_NUMBER
    return len(one) >= _SHORTEST and any(character.isdigit() for character in one)
