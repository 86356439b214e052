"""What a format of source files is: how it is told, read, searched for ids and rewritten without some rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from outcomes.contract import Kind
from outcomes.landing.formats.source_rows import SourceRows
from outcomes.landing.rules.columns import ColumnPlan
from outcomes.study.settings import StudySettings

Pair = tuple[str, str]
"""Client and episode of a row; '' for what is missing."""


class Owners(Protocol):
    """Who is to go: tells a row by its ids, and a text that cannot be split by whether it mentions them."""

    def owns(self, client: str, episode: str) -> bool:
        """Say whether a row is theirs."""

    def mentions(self, data: bytes) -> bool:
        """Say whether some bytes hold one of their ids."""

    @property
    def are_known_as_given(self) -> bool:
        """Whether all their ids are known as source files have them, so that a search of bytes can tell."""


@dataclass(frozen=True)
class Format:
    """One format of source files; content is unpacked already.

    Attributes
    ----------
    name : str
        As messages name it.
    suffixes : tuple of str
        Endings of file names that tell the format, in lower case with their dot.
    read : callable
        (connection, content, scratch folder, kind, settings) to a plan and rows for the rules. Raises FileRefused.
    pairs : callable
        (content, kind, settings) to the pairs of client and episode in it. Raises FileRefused or DuckDB's errors where
        nobody can say which they are: a file that is misread never counts as one without ids.
    rewrite : callable
        (content, target, kind, settings, owners) to the number of rows that went; with 0 there is no `target`. Raises
        like `pairs`.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[duckdb.DuckDBPyConnection, Path, Path, Kind, StudySettings], tuple[ColumnPlan, SourceRows]]
    pairs: Callable[[Path, Kind, StudySettings], set[Pair]]
    rewrite: Callable[[Path, Path, Kind, StudySettings, Owners], int]
