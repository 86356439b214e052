"""Conditional modes that an engine computed at once, behind the same door as those computed on demand."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.errors import UsageError
from outcomes.mixed.results.fit import Modes


@dataclass(frozen=True)
class StoredModes:
    """Modes by grouping factor."""

    by_group: dict[str, Modes]

    def modes(self, group: str) -> Modes:
        """Conditional modes of one grouping factor.

        Raises
        ------
        UsageError
            When the engine has none.
        """
        if group not in self.by_group:
            raise UsageError(f"This fit has no conditional modes by {group}.")
        return self.by_group[group]


NO_MODES = StoredModes({})
"""For models without random effects."""
