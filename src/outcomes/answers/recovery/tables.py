"""Table `recovery_cards`: its words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import answer_table
from outcomes.answers.common.words import Outcome
from outcomes.answers.connection.tables import ConnectionQuestion, PathWords
from outcomes.answers.guidance.tables import GuidanceQuestion
from outcomes.mixed import FitStatus
from outcomes.release.codebook.vocabulary import count, number, text


class CanAnswer(StrEnum):
    """Whether data of this size can answer a question."""

    YES = "can answer"
    LARGE = "can answer only large effects"
    NO = "cannot answer"


class EstimatorName(StrEnum):
    """What is tried on simulated cohorts: estimates that a report quotes."""

    WITHIN = "slope within client"
    CLIENTS = "slope between clients"
    CLIENTS_CORRECTED = "slope between clients, corrected"
    THERAPISTS = "slope between therapists"
    CLIENT_CONTEXT = "contextual effect of clients"
    THERAPIST_CONTEXT = "contextual effect of therapists"
    REACTANCE = "reactance and the slope within client"
    NEXT_SATISFACTION = GuidanceQuestion.NEXT_SATISFACTION.value
    NEXT_GUIDANCE = GuidanceQuestion.NEXT_GUIDANCE.value
    DROPOUT_SO_FAR = "dropout and usual guidance so far"
    DROPOUT_CHANGE = "dropout and more guidance than before"
    DROPOUT_RISK = "risk of dropout, high less low guidance"
    ALLIANCE = ConnectionQuestion.ALLIANCE.value
    OVERWHELM = ConnectionQuestion.OVERWHELM.value
    ASKED_DISTANCE = PathWords.ASKED_DISTANCE.value
    ASKED_SATISFACTION = PathWords.ASKED_SATISFACTION.value
    THERAPIST_SHARE = "therapists' share of satisfaction"
    THERAPIST_ODDS = "median odds ratio of dropout"
    RESPONSE = "therapists' response to satisfaction"
    TOO_LITTLE_DROPOUT = "risk of dropout, too little less as preferred"
    TOO_MUCH_DROPOUT = "risk of dropout, too much less as preferred"
    TOO_LITTLE_SATISFACTION = "satisfaction, too little less as preferred"
    TOO_MUCH_SATISFACTION = "satisfaction, too much less as preferred"


class TriedVerdict(StrEnum):
    """Verdicts that are tried on simulated cohorts."""

    SATISFACTION = f"verdict on {Outcome.SATISFACTION}"
    DROPOUT = f"verdict on {Outcome.DROPOUT}"


CARDS = answer_table(
    "recovery_cards",
    "One estimator on simulated cohorts of the study's size",
    {
        "estimator": text("What was tried on simulated cohorts of the study's size", (*EstimatorName, *TriedVerdict)),
        "question": text("The question that it answers, in plain words"),
        "unit": text("Unit of truth, bias and effects, on the simulation's scales from 0 to 10"),
        "n_cohorts": count("Simulated cohorts", "cohorts", "BIGINT"),
        "answer": text("Whether data of this size can answer the question", CanAnswer),
        "reason": text("Why, in plain words"),
        "status": text("Whether the cohorts gave estimates", (FitStatus.CONVERGED, FitStatus.REFUSED)),
        "truth": number("What is true in the simulated world; empty for verdicts"),
        "bias": number("Mean estimate less truth"),
        "bias_mc_error": number("Standard error of the bias, from the number of cohorts", "0 or more"),
        "coverage": number("Share of the 95% intervals that hold the truth; of verdicts: share of the cohorts "
                           "without any effect in which none was claimed", "0 to 1"),
        "coverage_low": number("Lower end of the coverage's 95% interval (Clopper-Pearson)", "0 to 1"),
        "coverage_high": number("Upper end of the coverage's 95% interval", "0 to 1"),
        "power": number("Share of the cohorts in which the effect of the simulated world is found; empty where there "
                        "is none; of verdicts: share of the cohorts with fit in which the verdict is fit", "0 to 1"),
        "power_low": number("Lower end of the power's 95% interval (Clopper-Pearson)", "0 to 1"),
        "power_high": number("Upper end of the power's 95% interval", "0 to 1"),
        "smallest_effect": number("Effect that 80% of such studies would find: 2.8 mean standard errors", "0 or more"),
        "effect_worth_finding": number("Effect from which on it matters, in the same unit", "0 or more"),
        "large_effect": number("Effect that counts as large, in the same unit", "0 or more"),
        "n_clients": count("Clients of a simulated cohort", "clients", "BIGINT"),
        "n_therapists": count("Therapists of a simulated cohort", "therapists", "BIGINT"),
        "sessions_per_client": number("Rated sessions for each client of a simulated cohort", "0 or more", "sessions"),
    },
)  # fmt: skip
TABLES = (CARDS,)
