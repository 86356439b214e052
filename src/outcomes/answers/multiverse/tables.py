"""Tables `multiverse_specs` and `multiverse_tests`: their words and columns."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import Outcome
from outcomes.answers.guidance.tables import SlopePart
from outcomes.release.codebook.vocabulary import ColumnText, count, number, text
from outcomes.study.tables.multiverse import Centring, Covariates, Detrending, Exclusion, Lag, Responsiveness, Structure


class Choosing(StrEnum):
    """Columns of `multiverse_specs` that say how a specification was chosen: the dimensions of the multiverse."""

    SATISFACTION_RATING = "satisfaction_rating"
    GUIDANCE_RATING = "guidance_rating"
    LAG = "lag"
    COVARIATES = "covariates"
    EXCLUSIONS = "exclusions"
    STRUCTURE = "structure"
    CENTRING = "centring"
    DETRENDING = "detrending"
    RESPONSIVENESS = "responsiveness"


OUTCOME, EFFECT, UNIT = Outcome.SATISFACTION, SlopePart.WITHIN, "points of satisfaction per point of guidance"


def choice_words(name: str) -> str:
    """A choice or dimension as people read it."""
    return str(name).replace("_", " ")


def _chosen(description: str, choices: type[StrEnum]) -> ColumnText:
    return text(description, map(choice_words, choices))


_POOLED: dict[str, ColumnText] = {
    "outcome": text("What guidance may act on", (OUTCOME,)),
    "effect": text("Which part of guidance the estimates are of", (EFFECT,)),
    "unit": text("Unit of the estimates", (UNIT,)),
    "pool": text(
        "Choices of dimensions that are not equivalent, or uncertain: only specifications of one pool are pooled"
    ),
}

SPECS = answer_table(
    "multiverse_specs",
    "One specification of the multiverse",
    {
        "spec": text("Name of the specification in this release"),
        **_POOLED,
        Choosing.SATISFACTION_RATING.value: text(
            "Scale that satisfaction was rated on, stretched onto the range of the scale satisfaction"
        ),
        Choosing.GUIDANCE_RATING.value: text(
            "Scale that guidance was rated on, stretched onto the range of the scale directiveness"
        ),
        Choosing.LAG.value: _chosen("When satisfaction was rated", Lag),
        Choosing.COVARIATES.value: _chosen("What is held constant of the client", Covariates),
        Choosing.EXCLUSIONS.value: _chosen("Which clients take part", Exclusion),
        Choosing.STRUCTURE.value: _chosen("Levels and random slopes of the model", Structure),
        Choosing.CENTRING.value: _chosen("What the client's usual guidance is compared with", Centring),
        Choosing.DETRENDING.value: _chosen("What is held constant of the course over sessions", Detrending),
        Choosing.RESPONSIVENESS.value: _chosen(
            "Whether therapists' responses to the session before are allowed for, by the dynamic model", Responsiveness
        ),
        "formula": text("The model in lme4's syntax; of the dynamic model the equation of satisfaction"),
        "p_adjusted": number("p-value adjusted for all specifications of the pool (step-down max-T)", "0 to 1"),
        **NUMBERS,
    },
)

TESTS = answer_table(
    "multiverse_tests",
    "One pool of specifications that differ in equivalent choices only",
    {
        **_POOLED,
        "pooled_over": text("Dimensions whose choices the study declares equivalent"),
        "left_out": text("Dimensions and choices that the study or its data do not allow"),
        "n_specs": count("Specifications of the pool", "specifications", "BIGINT"),
        "n_estimated": count("Of these with an estimate", "specifications", "BIGINT"),
        "n_singular": count("Of these singular: no estimate is given", "specifications", "BIGINT"),
        "n_not_converged": count("Of these not converged: no estimate is given", "specifications", "BIGINT"),
        "n_refused": count("Of these refused", "specifications", "BIGINT"),
        "lowest": number("Lowest estimate of the pool"),
        "highest": number("Highest estimate of the pool"),
        "same_sign_prop": number("Share of the estimates with the sign of the middle one", "0 to 1"),
        "significant_prop": number("Share of the estimates with p below 0.05 on their own", "0 to 1"),
        "n_flips": count("Random sign patterns of therapists behind the joint test", "patterns", "BIGINT"),
        **NUMBERS,
        "estimate": number("The middle (lower median) estimate of the pool, with its own interval and people"),
        "p_value": number("Joint test against no effect in any specification: smallest adjusted p-value", "0 to 1"),
        "reason": text("Why there is no joint test; empty where there is one"),
    },
)
TABLES = (SPECS, TESTS)
