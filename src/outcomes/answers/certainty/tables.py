"""Table `certainties`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.certainty.rule import (
    Agreement,
    Ground,
    IntervalState,
    RecoveryState,
    SealingState,
)
from outcomes.answers.common.tables import answer_table
from outcomes.answers.common.words import Certainty
from outcomes.release.codebook.vocabulary import count, text


class FindingName(StrEnum):
    """What reports say as a finding of its own."""

    SATISFACTION_VERDICT = "verdict on satisfaction"
    CLIENTS_VERDICT = "verdict on satisfaction between clients"
    DROPOUT_VERDICT = "verdict on dropout"
    FIT_DROPOUT = "distance from the preference and dropout"
    FIT_SATISFACTION = "distance from the preference and satisfaction"
    AMOUNT_DROPOUT = "amount of guidance and dropout"
    MORE_SATISFACTION = "more guidance than usual and satisfaction"
    ASKING = "asking about the guidance and the next distance from the preference"
    REACTANCE = "reactance and the effect of guidance"
    THERAPISTS = "differences between therapists in satisfaction"


CERTAINTIES = answer_table(
    "certainties",
    "How sure one finding is, with the state of every ground",
    {
        "finding": text("What the report says as a finding", FindingName),
        Ground.INTERVAL.value: text("What the interval, or the verdict, decides", IntervalState),
        Ground.RECOVERY.value: text("Whether simulated studies of this size could answer", RecoveryState),
        Ground.MISSING.value: text(
            "Whether other readings of missing ratings, or of unknown endings, say the same", Agreement
        ),
        Ground.ANALYSES.value: text(
            "Whether other defensible analyses, or other definitions of dropout, say the same", Agreement
        ),
        Ground.RESPONSIVENESS.value: text(
            "Whether it stands where therapists respond to the session before", Agreement
        ),
        Ground.SEALING.value: text("Whether the analysis was fixed before outcomes were seen", SealingState),
        "points": count("Points that these states take away", "points", "BIGINT"),
        "certainty": text("How sure the finding is, by rule", Certainty),
    },
)
TABLES = (CERTAINTIES,)
