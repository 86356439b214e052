"""Table `therapist_variation`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL, Outcome
from outcomes.release.codebook.vocabulary import text


class TherapistOutcome(StrEnum):
    """In what therapists differ."""

    SATISFACTION = Outcome.SATISFACTION.value
    DROPOUT = Outcome.DROPOUT.value
    RESPONSIVENESS = "responsiveness"


class TherapistQuantity(StrEnum):
    """What is estimated or counted; no therapist and no order of therapists is told."""

    SHARE = "share of the variance that lies between therapists"
    SPREAD = "standard deviation between therapists"
    ODDS_RATIO = "median odds ratio between two therapists"
    BELOW = "therapists below the average"
    NOT_APART = "therapists not told apart from the average"
    ABOVE = "therapists above the average"
    PAIRS = "pairs of therapists whose comparative intervals do not overlap"
    BY_EFFECT = "therapists by effect"  # where they cannot be counted apart
    RESPONSE = "next guidance per point of satisfaction, average therapist"
    RESPONSE_SPREAD = "next guidance per point of satisfaction, standard deviation between therapists"
    ALL = ALL


VARIATION = answer_table(
    "therapist_variation",
    "One measure of how much therapists differ",
    {
        "outcome": text("In what therapists differ", TherapistOutcome),
        "quantity": text(
            "What is estimated or counted; no therapist and no order of therapists is told", TherapistQuantity
        ),
        "unit": text("Unit of the estimate or of the count"),
        "adjusted_for": text("Clients' ratings that the model is adjusted for"),
        "shown": text("A count or share as it may leave: suppressed and rounded; empty where the row has an estimate"),
        **NUMBERS,
    },
)
TABLES = (VARIATION,)
