"""Table `missing_ladder`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL
from outcomes.answers.guidance.tables import SlopePart
from outcomes.mixed import Sharing
from outcomes.release.codebook.vocabulary import count, number, text


class Rung(StrEnum):
    """How missing ratings of satisfaction are read; the last two say at which shift the conclusion flips."""

    OBSERVED = "as observed"
    WEIGHTED = "weighted by the chance of staying"
    IMPUTED = "multiple imputation"
    SHARED = "shared-parameter model"
    SHIFTED = "shifted by delta"
    SIGN = "shift at which the sign flips"
    SIGNIFICANCE = "shift at which significance flips"


class LadderEffect(StrEnum):
    """Slopes of satisfaction on guidance; and in the shared-parameter model, of dropout on levels of satisfaction."""

    WITHIN = SlopePart.WITHIN.value
    CLIENTS = SlopePart.CLIENTS.value
    DROPOUT_ON_CLIENT = "dropout on the client's level of satisfaction"
    DROPOUT_ON_THERAPIST = "dropout on the therapist's level of satisfaction"
    DROPOUT_ON_SLOPE = "dropout on how much guidance matters to the client's satisfaction"
    DROPOUT_ON_VALUE = "dropout on the satisfaction to be expected at the session"
    MODEL = "what dropout depends on"
    ALL = ALL


LADDER = answer_table(
    "missing_ladder",
    "One effect of guidance under one reading of the missing ratings",
    {
        "rung": text(
            "How missing ratings of satisfaction are read; the last two rows of an effect say at which shift the "
            "conclusion flips, and have no estimate",
            Rung,
        ),
        "effect": text(
            "Slope of satisfaction on guidance, points per point; or, in the shared-parameter model, log odds of "
            "dropping out per point of satisfaction: the client's or therapist's level, or that to be expected at the "
            "session; or one of the shared-parameter models that were compared, which has no estimate",
            LadderEffect,
        ),
        "sharing": text(
            "What of satisfaction dropout depends on in the shared-parameter model; the slopes are those of the model "
            "with the smallest AIC; empty on the other rungs",
            Sharing,
        ),
        "aic": number("AIC of that model; smaller describes ratings and dropout better"),
        "delta": number(
            "What was added to the imputed ratings; empty where nothing was, or no shift flips", "", "points"
        ),
        "n_imputed": count(
            "Sessions whose rating was imputed: not rated, or lost to dropout; empty without imputation",
            "sessions",
            "BIGINT",
        ),
        **NUMBERS,
    },
)
TABLES = (LADDER,)
