"""Tables `dropout_effects`, `dropout_agreement`, `dropout_incidence` and `dropout_rates`: their words and columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL, Cause, HazardTerm, Reading
from outcomes.release.codebook.vocabulary import ColumnText, count, flag, number, text
from outcomes.study.settings import DropoutDefinition


class AgreementMeasure(StrEnum):
    """How agreement of two definitions is measured."""

    KAPPA = "Cohen's kappa"
    AC1 = "Gwet's AC1"
    ALL = ALL


TOLD_SESSIONS = (8, 12, 3)
"""Of the sessions that a risk is told for, the one that is told first: the first of these that there is."""


def told_session(rows: Iterable[Mapping]) -> int | None:
    """The session that a sentence quotes, of rows with risks by session; None where no row has one."""
    found = {row["session"] for row in rows}
    return next((session for session in TOLD_SESSIONS if session in found), None)


class RiskCause(StrEnum):
    """Which ending a risk is of."""

    DROPOUT = Cause.DROPOUT.value
    ANOTHER = "another ending"


class GuidanceLevel(StrEnum):
    """How much guidance there is throughout."""

    LOW = "low"
    AVERAGE = "average"
    HIGH = "high"
    DIFFERENCE = "high less low"
    ALL = ALL


_DEFINITION = text("Definition of dropout", DropoutDefinition)

EFFECTS = answer_table(
    "dropout_effects",
    "One effect of guidance on one ending under one definition of dropout",
    {
        "definition": _DEFINITION,
        "cause": text("Which ending the hazard is of", Cause),
        "reading": text("What is made of undetermined episodes", Reading),
        "effect": text(
            "Which part of guidance; the estimate is in log odds of ending after a session, per point",
            (*HazardTerm, ALL),
        ),
        "is_declared": flag("Whether it is the study's own definition"),
        "odds_ratio": number("Odds ratio per point: exp(estimate)"),
        "n_events": count("Endings of this kind behind the fit; empty where refused", "episodes", "BIGINT"),
        **NUMBERS,
    },
)

AGREEMENT = answer_table(
    "dropout_agreement",
    "The agreement of two definitions of dropout",
    {
        "definition": _DEFINITION,
        "definition_2": _DEFINITION,
        "measure": text("Measure of agreement on dropout against planned ending", AgreementMeasure),
        "observed_prop": number("Share of episodes with the same label", "0 to 1"),
        "n_episodes": count("Episodes that both definitions judge", "episodes", "BIGINT"),
        **NUMBERS,
    },
)

INCIDENCE = answer_table(
    "dropout_incidence",
    "The risk of an ending by a session at a level of guidance",
    {
        "definition": _DEFINITION,
        "cause": text("Which ending the risk is of", RiskCause),
        "guidance": text(
            "Guidance throughout: average, one standard deviation below or above it, or the difference of these risks; "
            "the estimate is a probability by the session, averaged over therapists",
            GuidanceLevel,
        ),
        "guidance_level": number("The level of guidance; empty for the difference", "", "points of the scale"),
        "session": ColumnText("BIGINT", "Attended session by which the episode has ended", "", "3 | 8 | 12"),
        **NUMBERS,
    },
)

RATES = answer_table(
    "dropout_rates",
    "The share of dropout under one definition, with bounds",
    {
        "definition": _DEFINITION,
        "is_declared": flag("Whether it is the study's own definition"),
        "lowest": number("Share if no undetermined episode were a dropout", "0 to 1"),
        "highest": number("Share if all undetermined episodes were dropouts", "0 to 1"),
        "n_episodes": count(
            "Episodes that the definition judges; the estimate is the share of dropout", "episodes", "BIGINT"
        ),
        "n_undetermined": count(
            "Episodes silent or of unknown ending; those still open are left out", "episodes", "BIGINT"
        ),
        **NUMBERS,
    },
)
TABLES = (EFFECTS, AGREEMENT, INCIDENCE, RATES)
