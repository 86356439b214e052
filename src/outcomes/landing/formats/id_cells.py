"""Where the rows of a source file have client and episode, and which cells count as empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outcomes.contract import Kind
from outcomes.landing.formats.base import Pair
from outcomes.landing.rules.columns import normal
from outcomes.study.settings import StudySettings


class IdCells:
    """The id columns of one kind of source file."""

    def __init__(self, kind: Kind | str, settings: StudySettings) -> None:
        source = settings.sources[Kind(kind)]
        self.client = normal(source.columns.get("client_id", "client_id"))
        self.episode = normal(source.columns.get("episode_id", "episode_id"))
        self._missing = {code.strip().lower() for code in source.missing}

    def of(self, row: Mapping[str, Any]) -> Pair | None:
        """Return client and episode of a row by column names; None where a cell is nested and says neither."""
        cells = {normal(name): value for name, value in row.items()}
        found = cells.get(self.client), cells.get(self.episode)
        if any(isinstance(cell, dict | list) for cell in found):
            return None
        return self.text(found[0]), self.text(found[1])

    def text(self, value: Any) -> str:
        """Return a cell as text; '' where it is missing."""
        text = "" if value is None else str(value).strip()
        return "" if text.lower() in self._missing else text
