"""The persons who withdraw: their ids as files, batches and releases have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from outcomes.contract import Kind
from outcomes.landing.pseudonyms import PseudonymKey
from outcomes.landing.rules.columns import normal
from outcomes.study.settings import StudySettings

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
    """

    clients: frozenset[str]
    episodes: frozenset[str] = frozenset()
    key: PseudonymKey | None = field(default=None, repr=False)

    def has_client(self, cell: str) -> bool:
        """Say whether a cell of a client column is one of the clients."""
        return cell in self.clients or bool(self.key and self.key.pseudonym("client_id", cell) in self.clients)

    def has_episode(self, cell: str) -> bool:
        """Say whether a cell of an episode column is one of the episodes."""
        return cell in self.episodes or bool(self.key and self.key.pseudonym("episode_id", cell) in self.episodes)

    def owns(self, client: str, episode: str) -> bool:
        """Say whether a row is theirs: by its client, or by its episode where the client is empty."""
        return self.has_client(client) if client else bool(episode) and self.has_episode(episode)

    @property
    def ids(self) -> frozenset[str]:
        """Clients and episodes together."""
        return self.clients | self.episodes

    @cached_property
    def distinctive(self) -> IdSearch:
        """Search for ids that are not met by chance, as short ones and plain numbers are."""
        return IdSearch(filter(_is_distinctive, self.ids))

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


class IdCells:
    """Where the rows of one kind of source file have client and episode, and which cells count as empty."""

    def __init__(self, kind: Kind | str, settings: StudySettings) -> None:
        source = settings.sources[Kind(kind)]
        self.client = normal(source.columns.get("client_id", "client_id"))
        self.episode = normal(source.columns.get("episode_id", "episode_id"))
        self._missing = {code.strip().lower() for code in source.missing}

    def of(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """Return client and episode of a row by column names; '' for what is missing."""
        cells = {normal(name): value for name, value in row.items()}
        return self.text(cells.get(self.client)), self.text(cells.get(self.episode))

    def text(self, value: Any) -> str:
        """Return a cell as text; '' where it is missing."""
        text = "" if value is None else str(value).strip()
        return "" if text.lower() in self._missing else text


def _is_distinctive(one: str) -> bool:
    if one.isdigit():
        return len(one) >= _SHORTEST_NUMBER
    return len(one) >= _SHORTEST and any(character.isdigit() for character in one)
