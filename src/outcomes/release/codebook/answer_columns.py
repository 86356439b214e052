"""Every column of the tables that the answers write, one dict a table, in the tables' order."""

from __future__ import annotations

from outcomes.release.codebook.result_columns import FIT_STATUSES
from outcomes.release.codebook.vocabulary import ColumnText, count, flag, number, text
from outcomes.study.settings import DropoutDefinition

NUMBERS: dict[str, ColumnText] = {
    "estimate": number("Estimate, in the unit that the row says; empty where refused or where the row is a joint test"),
    "std_error": number("Standard error of the estimate; empty where there is none"),
    "p_value": number("Two-sided p-value against no effect", "0 to 1"),
    "conf_low": number("Lower end of the 95% interval, in the estimate's unit"),
    "conf_high": number("Upper end of the 95% interval, in the estimate's unit"),
    "status": text("How the fit behind the row ended", FIT_STATUSES),
    "reason": text("What a reader must know of the fit; why it was refused"),
    "n_sessions": count("Sessions behind the fit; empty where refused", "sessions", "BIGINT"),
    "n_clients": count("Clients behind the fit; empty where refused", "clients", "BIGINT"),
    "n_therapists": count("Therapists behind the fit; empty where refused", "therapists", "BIGINT"),
}
"""The last columns of every table of estimates."""

_CAN = ("can answer", "can answer only large effects", "cannot answer")

RECOVERY_CARDS: dict[str, ColumnText] = {
    "estimator": text("What was tried on simulated cohorts of the study's size"),
    "question": text("The question that it answers, in plain words"),
    "unit": text("Unit of truth, bias and effects, on the simulation's scales from 0 to 10"),
    "n_cohorts": count("Simulated cohorts", "cohorts", "BIGINT"),
    "answer": text("Whether data of this size can answer the question", _CAN),
    "reason": text("Why, in plain words"),
    "status": text("Whether the cohorts gave estimates", ("converged", "refused")),
    "truth": number("What is true in the simulated world; empty for verdicts"),
    "bias": number("Mean estimate less truth"),
    "bias_mc_error": number("Standard error of the bias, from the number of cohorts", "0 or more"),
    "coverage": number("Share of the 95% Wald intervals that hold the truth; of verdicts: share of the cohorts "
                       "without any effect in which none was claimed", "0 to 1"),
    "coverage_low": number("Lower end of the coverage's 95% interval (Clopper-Pearson)", "0 to 1"),
    "coverage_high": number("Upper end of the coverage's 95% interval", "0 to 1"),
    "power": number("Share of the cohorts in which the effect of the simulated world is found; empty where there is "
                    "none; of verdicts: share of the cohorts with fit in which the verdict is fit", "0 to 1"),
    "power_low": number("Lower end of the power's 95% interval (Clopper-Pearson)", "0 to 1"),
    "power_high": number("Upper end of the power's 95% interval", "0 to 1"),
    "smallest_effect": number("Effect that 80% of such studies would find: 2.8 mean standard errors", "0 or more"),
    "effect_worth_finding": number("Effect from which on it matters, in the same unit", "0 or more"),
    "large_effect": number("Effect that counts as large, in the same unit", "0 or more"),
    "n_clients": count("Clients of a simulated cohort", "clients", "BIGINT"),
    "n_therapists": count("Therapists of a simulated cohort", "therapists", "BIGINT"),
    "sessions_per_client": number("Rated sessions for each client of a simulated cohort", "0 or more", "sessions"),
}  # fmt: skip

GUIDANCE_EFFECTS: dict[str, ColumnText] = {
    "question": text(
        "What is estimated: slopes and their differences are points of satisfaction per point of directiveness; "
        "'satisfaction to next guidance' is points of directiveness per point of satisfaction",
        (
            "slope",
            "contextual effect",
            "slope corrected for unreliable means",
            "guidance to next satisfaction",
            "satisfaction to next guidance",
        ),
    ),
    "part": text("Between whom or when: within client, between clients, between therapists, or a difference of these"),
    "model": text("Which levels and random slopes the model has"),
    "is_quoted": flag("Whether a report should quote this row; the others stand beside it as sensitivity"),
    "mean_reliability": number(
        "Mean reliability of clients' average directiveness; only beside the corrected slope", "0 to 1"
    ),
    **NUMBERS,
}

ANSWER_STATES: dict[str, ColumnText] = {
    "analysis": text("Name of the analysis"),
    "status": text("Whether it gave numbers", ("answered", "refused", "left out")),
    "reason": text("Why there are none, in plain words; empty where there are"),
}

OUTCOME_AND_LEVEL: dict[str, ColumnText] = {
    "outcome": text("What guidance may act on", ("satisfaction", "dropout")),
    "level": text("What one row of the analysis is", ("session", "client")),
}

VERDICTS: dict[str, ColumnText] = {
    **OUTCOME_AND_LEVEL,
    "verdict": text(
        "What guidance does: nothing that matters; one way only; one best level for all; fit to the preference; fit "
        "and the level itself; best is what the client is used to; not to be told",
        ("no_effect", "monotone", "best_level", "fit", "fit_plus_main", "relative", "undecided"),
    ),
    "trace": text("The steps that led to the verdict, in words"),
}

BALANCE_EVIDENCE: dict[str, ColumnText] = {
    **OUTCOME_AND_LEVEL,
    "quantity": text("What is estimated or tested"),
    "estimate": number(
        "Its value. Slopes are per point of guidance: points of satisfaction, for dropout logits (of the two lines and "
        "the spline: probability); breaks and turning points are points of guidance; empty where there is none"
    ),
    "conf_low": number("Lower end of the 95% interval (of a break: of the flat range); empty for a test"),
    "conf_high": number("Upper end of the 95% interval (of a break: of the flat range); empty for a test"),
    "status": text("How the fit ended, or what the test found"),
}

REACTANCE_EFFECTS: dict[str, ColumnText] = {
    "outcome": OUTCOME_AND_LEVEL["outcome"],
    "guidance": text("Which part of guidance; its slope is per point of guidance"),
    "quantity": text(
        "A slope at a level of reactance (average of clients, one standard deviation below or above it), its change "
        "per point of reactance, or the Johnson-Neyman region in which it differs from 0 (without an estimate)"
    ),
    "unit": text("Unit of the slopes"),
    "region": text(
        "Where on the scale of reactance the slope differs from 0; only of the region",
        ("everywhere", "nowhere", "between the bounds", "outside the bounds"),
    ),
    "reactance_low": number(
        "The level of reactance, or the region's lower bound; empty where that lies beyond the scale", "", "points"
    ),
    "reactance_high": number(
        "The level of reactance, or the region's upper bound; empty where that lies beyond the scale", "", "points"
    ),
    "share_of_clients": number("Share of clients in the region; only of the region", "0 to 1"),
    **NUMBERS,
}

CONNECTION_EFFECTS: dict[str, ColumnText] = {
    "question": text("Which path, feedback or outcome the row is about"),
    "path": text("From what to what; 'indirect' is the product of both legs of a path"),
    "timing": text(
        "When the outcome was rated; only the next session has an order in time", ("same session", "next session")
    ),
    "unit": text("Unit of the estimate"),
    **NUMBERS,
}

_DEFINITION = text("Definition of dropout (field guide's lattice)", tuple(DropoutDefinition))

DROPOUT_EFFECTS: dict[str, ColumnText] = {
    "definition": _DEFINITION,
    "cause": text("Which ending the hazard is of", ("dropout", "planned", "other")),
    "reading": text(
        "What is made of undetermined episodes",
        ("as recorded", "all undetermined are dropout", "no undetermined is dropout"),
    ),
    "effect": text("Which part of guidance; the estimate is in log odds of ending after a session, per point"),
    "is_declared": flag("Whether it is the study's own definition"),
    "odds_ratio": number("Odds ratio per point: exp(estimate)"),
    "n_events": count("Endings of this kind behind the fit; empty where refused", "episodes", "BIGINT"),
    **NUMBERS,
}

DROPOUT_AGREEMENT: dict[str, ColumnText] = {
    "definition": _DEFINITION,
    "definition_2": _DEFINITION,
    "measure": text("Measure of agreement on dropout against planned ending", ("Cohen's kappa", "Gwet's AC1")),
    "observed_prop": number("Share of episodes with the same label", "0 to 1"),
    "n_episodes": count("Episodes that both definitions judge", "episodes", "BIGINT"),
    **NUMBERS,
}

DROPOUT_INCIDENCE: dict[str, ColumnText] = {
    "definition": _DEFINITION,
    "cause": text("Which ending the risk is of", ("dropout", "another ending")),
    "guidance": text(
        "Guidance throughout: average, one standard deviation below or above it, or the difference of these risks; "
        "the estimate is a probability by the session, averaged over therapists",
        ("low", "average", "high", "high less low"),
    ),
    "guidance_level": number("The level of guidance; empty for the difference", "", "points of the scale"),
    "session": ColumnText("BIGINT", "Attended session by which the episode has ended", "", "3 | 8 | 12"),
    **NUMBERS,
}

DROPOUT_RATES: dict[str, ColumnText] = {
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
}

THERAPIST_VARIATION: dict[str, ColumnText] = {
    "outcome": text("In what therapists differ", ("satisfaction", "dropout", "responsiveness")),
    "quantity": text("What is estimated or counted; no therapist and no order of therapists is told"),
    "unit": text("Unit of the estimate or of the count"),
    "adjusted_for": text("Clients' ratings that the model is adjusted for"),
    "shown": text("A count or share as it may leave: suppressed and rounded; empty where the row has an estimate"),
    **NUMBERS,
}

_OF_SPECS: dict[str, ColumnText] = {
    "outcome": text("What guidance may act on"),
    "effect": text("Which part of guidance the estimates are of"),
    "unit": text("Unit of the estimates"),
    "pool": text(
        "Choices of dimensions that are not equivalent, or uncertain: only specifications of one pool are pooled"
    ),
}

MULTIVERSE_SPECS: dict[str, ColumnText] = {
    "spec": text("Name of the specification in this release"),
    **_OF_SPECS,
    "satisfaction_rating": text(
        "Scale that satisfaction was rated on, stretched onto the range of the scale satisfaction"
    ),
    "guidance_rating": text("Scale that guidance was rated on, stretched onto the range of the scale directiveness"),
    "lag": text("When satisfaction was rated", ("same session", "next session")),
    "covariates": text("What is held constant of the client"),
    "exclusions": text("Which clients take part"),
    "structure": text("Levels and random slopes of the model", ("two levels", "three levels", "slope by therapist")),
    "centring": text("What the client's usual guidance is compared with"),
    "detrending": text("What is held constant of the course over sessions", ("none", "linear", "log")),
    "formula": text("The model in lme4's syntax"),
    "p_adjusted": number("p-value adjusted for all specifications of the pool (step-down max-T)", "0 to 1"),
    **NUMBERS,
}

MULTIVERSE_TESTS: dict[str, ColumnText] = {
    **_OF_SPECS,
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
}

MISSING_LADDER: dict[str, ColumnText] = {
    "rung": text(
        "How missing ratings of satisfaction are read; the last two rows of an effect say at which shift the "
        "conclusion flips, and have no estimate",
        (
            "as observed",
            "weighted by the chance of staying",
            "multiple imputation",
            "shared-parameter model",
            "shifted by delta",
            "shift at which the sign flips",
            "shift at which significance flips",
        ),
    ),
    "effect": text(
        "Slope of satisfaction on guidance, points per point; or, in the shared-parameter model, log odds of dropping "
        "out per point of the client's or therapist's level of satisfaction",
        (
            "within client",
            "between clients",
            "dropout on the client's level of satisfaction",
            "dropout on the therapist's level of satisfaction",
            "all",
        ),
    ),
    "delta": number("What was added to the imputed ratings; empty where nothing was, or no shift flips", "", "points"),
    "n_imputed": count(
        "Sessions whose rating was imputed: not rated, or lost to dropout; empty without imputation",
        "sessions",
        "BIGINT",
    ),
    **NUMBERS,
}

ANSWER_TABLES: dict[str, tuple[str, dict[str, ColumnText]]] = {
    "recovery_cards": ("One estimator on simulated cohorts of the study's size", RECOVERY_CARDS),
    "guidance_effects": ("One effect of guidance on satisfaction, or the reverse, from one model", GUIDANCE_EFFECTS),
    "connection_effects": (
        "One leg of a path from guidance to satisfaction, one effect of asking, or one effect on empowerment",
        CONNECTION_EFFECTS,
    ),
    "dropout_effects": ("One effect of guidance on one ending under one definition of dropout", DROPOUT_EFFECTS),
    "dropout_agreement": ("The agreement of two definitions of dropout", DROPOUT_AGREEMENT),
    "dropout_incidence": ("The risk of an ending by a session at a level of guidance", DROPOUT_INCIDENCE),
    "dropout_rates": ("The share of dropout under one definition, with bounds", DROPOUT_RATES),
    "therapist_variation": ("One measure of how much therapists differ", THERAPIST_VARIATION),
    "multiverse_specs": ("One specification of the multiverse", MULTIVERSE_SPECS),
    "multiverse_tests": ("One pool of specifications that differ in equivalent choices only", MULTIVERSE_TESTS),
    "missing_ladder": ("One effect of guidance under one reading of the missing ratings", MISSING_LADDER),
    "answer_states": ("One analysis and whether it gave an answer", ANSWER_STATES),
    "verdicts": ("What guidance does to one outcome at one level", VERDICTS),
    "balance_evidence": ("One quantity behind a verdict", BALANCE_EVIDENCE),
    "reactance_effects": ("The effect of guidance at a level of clients' reactance", REACTANCE_EFFECTS),
}
"""Table: what one row is, and its columns."""
