"""Table `responsiveness_effects`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL
from outcomes.release.codebook.vocabulary import flag, text


class After(StrEnum):
    """What the session before was like, or what guidance did in it."""

    SATISFACTION = "a session that satisfied more"
    OVERWHELM = "a session that overwhelmed more"
    MISFIT = "a session with more guidance, measured from the client's preference"
    TOWARD = "a session nearer to the client's preference"


class ResponseQuantity(StrEnum):
    """What is told of it."""

    NEXT_GUIDANCE = "guidance in the next session"
    SPREAD = "spread of this between therapists"
    SAME_SATISFACTION = "satisfaction in the same session"
    NEXT_SATISFACTION = "satisfaction in the next session"
    NEXT_MISFIT = "distance from the preference in the next session"
    ALL = ALL


class ResponseModel(StrEnum):
    """What it is estimated by."""

    DYNAMIC = "dynamic model"
    MIXED = "mixed model, given the first ratings"


RESPONSES = answer_table(
    "responsiveness_effects",
    "How therapists change guidance after a session, and what it brings to be nearer to the preference",
    {
        "after": text("What the session was like, per point", After),
        "quantity": text(
            "What goes with it. The spread is the standard deviation between therapists of the change of guidance",
            ResponseQuantity,
        ),
        "model": text("What it is estimated by", ResponseModel),
        "unit": text("Unit of the estimate"),
        "is_quoted": flag("Whether a report should quote this row; the others stand beside it"),
        **NUMBERS,
    },
)
TABLES = (RESPONSES,)
