"""Table `connection_effects`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.release.codebook.vocabulary import text


class ConnectionQuestion(StrEnum):
    """Which path or feedback a row is about; a further outcome is named by `as_outcome`."""

    ALLIANCE = "alliance as the path"
    OVERWHELM = "feeling overwhelmed as the path"
    ASKING = "asking about the guidance"
    MODERATOR = "asking as moderator"


class Timing(StrEnum):
    """When the outcome was rated."""

    SAME = "same session"
    NEXT = "next session"


class PathWords(StrEnum):
    """From what to what."""

    INDIRECT = "indirect"
    TO_ALLIANCE = "more guidance than usual to alliance"
    TO_OVERWHELM = "guidance above the preferred level to feeling overwhelmed"
    FROM_ALLIANCE = "alliance to satisfaction"
    FROM_OVERWHELM = "feeling overwhelmed to satisfaction"
    ASKED_DISTANCE = "asked to next distance from the preferred level"
    ASKED_SATISFACTION = "asked to next satisfaction"
    MODERATED_DISTANCE = "asked, times distance from the preferred level, to the next distance"
    MODERATED_SATISFACTION = "asked, times distance from the preferred level, to next satisfaction"


def as_outcome(name: str) -> str:
    """Name the question whose outcome is another rating than satisfaction."""
    return f"{name} as outcome"


def to_outcome(name: str) -> str:
    """Name the path from guidance to another rating than satisfaction."""
    return f"more guidance to {name}"


EFFECTS = answer_table(
    "connection_effects",
    "One leg of a path from guidance to satisfaction, one effect of asking, or one effect on a further outcome",
    {
        "question": text("Which path, feedback or outcome the row is about"),
        "path": text("From what to what; 'indirect' is the product of both legs of a path"),
        "timing": text("When the outcome was rated; only the next session has an order in time", Timing),
        "unit": text("Unit of the estimate"),
        **NUMBERS,
    },
)
TABLES = (EFFECTS,)
