"""Table `guidance_effects`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL
from outcomes.release.codebook.vocabulary import flag, number, text


class GuidanceQuestion(StrEnum):
    """What is estimated."""

    SLOPE = "slope"
    CONTEXT = "contextual effect"
    CORRECTED = "slope corrected for unreliable means"
    CODED = "slope corrected for the coders' error"
    NEXT_SATISFACTION = "guidance to next satisfaction"
    NEXT_GUIDANCE = "satisfaction to next guidance"


class SlopePart(StrEnum):
    """Between whom or when guidance differs, and differences of these."""

    WITHIN = "within client"
    CLIENTS = "between clients"
    THERAPISTS = "between therapists"
    CLIENTS_LESS_WITHIN = "between clients less within client"
    THERAPISTS_LESS_WITHIN = "between therapists less within client"
    ONE_SLOPE = "one slope at all three levels"
    ALL = ALL


class GuidanceModel(StrEnum):
    """Levels and random slopes of a model, simplest first; the last one is lagged."""

    INTERCEPTS = "random intercepts"
    TWO_LEVELS = "two levels"
    THREE_LEVELS = "three levels"
    SLOPE_BY_THERAPIST = "three levels, slope by therapist"
    FIRST_RATINGS = "random intercepts, given the first ratings"


EFFECTS = answer_table(
    "guidance_effects",
    "One effect of guidance on satisfaction, or the reverse, from one model",
    {
        "question": text(
            "What is estimated: slopes and their differences are points of satisfaction per point of directiveness; "
            "'satisfaction to next guidance' is points of directiveness per point of satisfaction",
            GuidanceQuestion,
        ),
        "part": text("Between whom or when; differences of these; all of them where refused", SlopePart),
        "model": text("Which levels and random slopes the model has", GuidanceModel),
        "is_quoted": flag("Whether a report should quote this row; the others stand beside it as sensitivity"),
        "mean_reliability": number(
            "Reliability that a slope is corrected by: mean one of clients' average directiveness, or that of a coded "
            "session's departure from it; only beside the corrected slopes",
            "0 to 1",
        ),
        **NUMBERS,
    },
)
TABLES = (EFFECTS,)
