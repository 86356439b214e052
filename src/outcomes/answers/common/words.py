"""Words that the tables of several answers share, each said here once."""

from __future__ import annotations

from enum import StrEnum

ALL = "all"
"""What stands in a row that speaks for all of its kind: mostly one that was refused as a whole."""


class Outcome(StrEnum):
    """What guidance may act on."""

    SATISFACTION = "satisfaction"
    DROPOUT = "dropout"


class Grain(StrEnum):
    """What one row of an analysis is; the column is called level."""

    SESSION = "session"
    CLIENT = "client"


class Cause(StrEnum):
    """What ends an episode."""

    DROPOUT = "dropout"
    PLANNED = "planned"
    OTHER = "other"


class Reading(StrEnum):
    """What is made of episodes whose ending is not known."""

    AS_RECORDED = "as recorded"
    ALL_DROPOUT = "all undetermined are dropout"
    NONE_DROPOUT = "no undetermined is dropout"


class HazardTerm(StrEnum):
    """Parts of guidance that know nothing of the future; effects on a hazard are of these."""

    SO_FAR = "usual guidance up to now, per point"
    CHANGE = "more guidance than before, per point"


class Certainty(StrEnum):
    """How sure a finding is, in GRADE's four words; a rule makes it (`answers/certainty/rule.py`)."""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"
    VERY_LOW = "very low"

    @property
    def is_enough(self) -> bool:
        """Whether a finding may be told as one: what is very low decides nothing, whatever its numbers are."""
        return self is not Certainty.VERY_LOW
