"""Tables `contrasts_dropout` and `contrasts_satisfaction`: their words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL, Certainty
from outcomes.release.codebook.vocabulary import ColumnText, number, text
from outcomes.study.settings import DropoutDefinition


class ContrastBy(StrEnum):
    """What of guidance is set."""

    DISTANCE = "distance from the preference"
    AMOUNT = "amount of guidance"


class ContrastLevel(StrEnum):
    """Where guidance is set."""

    FAR_BELOW = "far too little"
    BELOW = "too little"
    AT = "as preferred"
    ABOVE = "too much"
    FAR_ABOVE = "far too much"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    ALL = ALL


class ContrastQuantity(StrEnum):
    """What is told of a level."""

    RISK = "risk"
    MEAN = "mean"
    DIFFERENCE = "difference"
    HELD = "difference, satisfaction before held"
    ALL = ALL


_HOW = (
    "Interval and standard error: bootstrap over therapists (500 draws, exact refits for satisfaction, one Newton step "
    "for the hazards), percentiles widened for few therapists"
)
_LEVEL: dict[str, ColumnText] = {
    "contrast": text("What of guidance is set for every client in every session", ContrastBy),
    "level": text(
        "Where it is set: a fifth or two fifths of the scale under or over what the client prefers; or the middle of "
        "the scale and a fifth of the scale under or over it",
        ContrastLevel,
    ),
    "points": number(
        "Guidance less the client's preference (below 0: too little), or guidance itself; empty where all is refused",
        "",
        "points of the scale directiveness",
    ),
    "scale_end_prop": number(
        "Share of clients for whom the scale ends before that distance: theirs is set to its end", "0 to 1"
    ),
}
_CERTAINTY: dict[str, ColumnText] = {
    "certainty": text(
        "How sure the difference from guidance as preferred is, by rule (table certainties: that of the finding on the "
        "distance from the preference); empty for other rows, and where that was left out",
        Certainty,
    )
}

DROPOUT = answer_table(
    "contrasts_dropout",
    "The risk of dropout by a session if guidance were so for every client in every session, standardised over the "
    f"cohort's clients, or its difference from guidance as preferred (from a medium amount). {_HOW}",
    {
        "definition": text("Definition of dropout: the study's own", DropoutDefinition),
        **_LEVEL,
        "session": ColumnText("BIGINT", "Attended session by which dropout is counted", "", "3 | 8 | 12"),
        "quantity": text(
            "Probability of having dropped out by the session, other endings competing, or a difference of two; times "
            "100 it is a number of 100 clients. The difference with satisfaction before held is of a model in which "
            "clients who were more and less satisfied with the sessions before are compared with their like",
            ContrastQuantity,
        ),
        **_CERTAINTY,
        **NUMBERS,
    },
)

SATISFACTION = answer_table(
    "contrasts_satisfaction",
    "Mean satisfaction if guidance in a session were so, standardised over the cohort's rated sessions in the "
    f"practices at hand, or its difference from guidance as preferred (from a medium amount). {_HOW}",
    {
        **_LEVEL,
        "quantity": text("Mean satisfaction, or a difference of two; points of the scale", ContrastQuantity),
        **_CERTAINTY,
        **NUMBERS,
    },
)
TABLES = (DROPOUT, SATISFACTION)
