"""What guidance goes with, three ways at once: within client, between clients, between therapists; and from one session
to the next, in both directions.

The slopes share one scale: points of satisfaction per point of directiveness (guidance after satisfaction: points of
directiveness per point of satisfaction).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, partial

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.estimates import Numbers, attempt, numbers, of_model, refuse_all
from outcomes.answers.common.fitting import LEVEL, Answered, fit_linear_answer
from outcomes.answers.common.sessions import refuse_steady, session_rows
from outcomes.answers.common.simplify import simplest_row
from outcomes.answers.common.tables import filled
from outcomes.answers.guidance.tables import EFFECTS, TABLES, GuidanceModel, GuidanceQuestion, SlopePart
from outcomes.errors import FitRefused, UsageError
from outcomes.methods.inference.reliability import departure_reliability
from outcomes.methods.therapists.between_effect import corrected_between, mean_reliabilities
from outcomes.mixed import wald_test
from outcomes.study.settings import AnalysisName, Disclosure, StudySettings

PARTS = {
    "directiveness_within": SlopePart.WITHIN,
    "directiveness_client": SlopePart.CLIENTS,
    "directiveness_therapist": SlopePart.THERAPISTS,
}
BY_CLIENT = "(1 + directiveness_within | client_id)"
INTERCEPTS = "(1 | client_id) + (1 | therapist_id)"
MODELS = {
    GuidanceModel.INTERCEPTS: INTERCEPTS,
    GuidanceModel.TWO_LEVELS: BY_CLIENT,
    GuidanceModel.THREE_LEVELS: f"{BY_CLIENT} + (1 | therapist_id)",
    GuidanceModel.SLOPE_BY_THERAPIST: (f"{BY_CLIENT} + (1 | therapist_id) + (0 + directiveness_within | therapist_id)"),
}
QUOTED = {
    "directiveness_within": GuidanceModel.SLOPE_BY_THERAPIST,
    "directiveness_client": GuidanceModel.THREE_LEVELS,
    "directiveness_therapist": GuidanceModel.THREE_LEVELS,
}
"""The model that a report quotes for each part: the slope within needs the slope by therapist, or its interval is too
narrow where therapists differ; the slopes between are not read from it, because there the slopes depend on the
therapist's own directiveness (docs/recovery.md)."""

LESS_WITHIN = {
    "directiveness_client": SlopePart.CLIENTS_LESS_WITHIN,
    "directiveness_therapist": SlopePart.THERAPISTS_LESS_WITHIN,
}

LAGGED = {
    GuidanceQuestion.NEXT_SATISFACTION: (
        "satisfaction_next ~ directiveness_within + directiveness_within_next + satisfaction_score + log_session",
        "directiveness_within",
    ),
    GuidanceQuestion.NEXT_GUIDANCE: (
        "directiveness_next ~ satisfaction_score + directiveness_score + log_session",
        "satisfaction_score",
    ),
}
"""Fixed part and the term that answers. The outcome's own last rating enters as it is: centred, it would bias the rest
(Hamaker & Grasman 2015, doi 10.3389/fpsyg.2014.01492)."""

STARTS = {
    GuidanceModel.INTERCEPTS: "",
    GuidanceModel.FIRST_RATINGS: " + satisfaction_first + directiveness_first",
}
"""A lagged outcome goes with the client's random intercept; the episode's first ratings take most of that up, and only
later sessions take part (Wooldridge 2005, doi 10.1002/jae.770)."""


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with table `guidance_effects`.

    Raises
    ------
    FitRefused
        Where no part can be answered.
    """
    mart = con.table("mart_session_directiveness")
    refuse_steady(mart.filter("satisfaction_score is not null"))
    rows = level_rows(mart, settings.disclosure, "satisfaction_score", coders=coders_of(con))
    rows += _lagged(con, settings.disclosure)
    refuse_all(rows)
    return {EFFECTS.name: filled(EFFECTS, rows)}


@dataclass(frozen=True)
class Coders:
    """What is known of the error of directiveness that was made of codes; the reliability is None where nothing is."""

    reliability: float | None


def coders_of(con: duckdb.DuckDBPyConnection) -> Coders | None:
    """Return how reliable coded sessions are, over all batches by their sessions; None where none was coded."""
    n, reliability = con.execute(
        "select count(*), sum(reliability * n_sessions) filter (reliability is not null) "
        "/ sum(n_sessions) filter (reliability is not null) from core_agreement where scale = 'directiveness'"
    ).fetchall()[0]
    return Coders(reliability) if n else None


def level_rows(
    mart: duckdb.DuckDBPyRelation,
    rule: Disclosure,
    outcome: str,
    models: Collection[GuidanceModel] = tuple(MODELS),
    corrected: Collection[GuidanceModel] = tuple(MODELS),
    coders: Coders | None = None,
) -> list[dict]:
    """Slopes of `outcome` at the three levels from these models, their differences; of those in `corrected`, the slope
    between clients corrected for reliability.

    y = b0 + bW (d - client mean) + bC (client mean - therapist mean) + bT (therapist mean - grand mean) + b ln(session)
    (Curran & Bauer 2011, doi 10.1146/annurev.psych.093008.100356).

    Parameters
    ----------
    coders : Coders, optional
        Where directiveness was coded: the slope within clients is then given without the coders' error too.
    """
    fixed = f"{outcome} ~ " + " + ".join(PARTS) + " + log_session"
    rows = []
    reliabilities = cache(lambda: client_reliabilities(mart, rule))  # the same for all models

    def told(model: GuidanceModel) -> Iterator[tuple]:
        answered = fit_linear_answer(f"{fixed} + {MODELS[model]}", mart, rule)
        yield from _levels(answered, model)
        if coders:
            yield _without_coders_error(answered, mart, rule, model, coders)
        if model in corrected and model is not GuidanceModel.TWO_LEVELS:  # see `_levels`
            yield from _corrected(answered, reliabilities, model)

    for model in models:
        labels = {"question": GuidanceQuestion.SLOPE, "part": SlopePart.ALL, "model": model, "is_quoted": False}
        rows += attempt(labels, partial(told, model))
    return rows


def settled(row: dict, rows: list[dict]) -> dict:
    """The row that speaks: itself, or where its model is singular the same one of the next simpler model.

    Two levels speak within clients only; their errors of the slopes between are too small.
    """
    simpler = list(MODELS)[: list(MODELS).index(row["model"])][::-1] if row["model"] in MODELS else []
    if row["part"] != SlopePart.WITHIN and GuidanceModel.TWO_LEVELS in simpler:
        simpler.remove(GuidanceModel.TWO_LEVELS)
    same = {other["model"]: other for other in rows if all(other[name] == row[name] for name in ("question", "part"))}
    return simplest_row(row, (same[model] for model in simpler if model in same))


def _levels(answered: Answered, model: GuidanceModel) -> Iterator[tuple]:
    for term, part in PARTS.items():
        yield {"part": part, "is_quoted": QUOTED[term] == model}, numbers(answered.estimate(term), answered)
    if model is GuidanceModel.TWO_LEVELS:  # its errors of the slopes between ignore that clients share therapists
        return
    words = {"question": GuidanceQuestion.CONTEXT, "is_quoted": model is QUOTED["directiveness_within"]}
    differences = [{term: 1.0, "directiveness_within": -1.0} for term in LESS_WITHIN]
    for difference, part in zip(differences, LESS_WITHIN.values(), strict=True):
        yield words | {"part": part}, numbers(answered.estimate(difference), answered)
    joint = wald_test(answered.fit, differences)
    yield words | {"part": SlopePart.ONE_SLOPE}, of_model(answered, None, p_value=joint.p_value)


def _corrected(answered: Answered, reliabilities: Callable[[], np.ndarray], model: GuidanceModel) -> Iterator[tuple]:
    """The slope between clients as if every client's usual level were known exactly."""
    words = {"question": GuidanceQuestion.CORRECTED, "part": SlopePart.CLIENTS}
    at = [answered.fit.names.index(term) for term in list(PARTS)[:2]]
    try:
        corrected = corrected_between(
            answered.fit.beta[at],
            answered.fit.vcov[np.ix_(at, at)],
            reliabilities(),
            LEVEL,
            float(answered.fit.df_denom.iloc[at[1]]),
        )
    except (FitRefused, UsageError) as refusal:
        yield words, Numbers(reason=f"The reliability of clients' means is not known. {refusal.message}")
        return
    words |= {"mean_reliability": corrected.mean_reliability, "is_quoted": model == QUOTED["directiveness_client"]}
    yield words, numbers(corrected.corrected, answered)


def _without_coders_error(
    answered: Answered, mart: duckdb.DuckDBPyRelation, rule: Disclosure, model: GuidanceModel, coders: Coders
) -> tuple[dict, Numbers]:
    """The slope within clients as if coders did not err; the reliability counts as known.

    That between clients needs no further correction: the coders' error is part of what makes clients' means unreliable.
    """
    words = {
        "question": GuidanceQuestion.CODED, "part": SlopePart.WITHIN,
        "is_quoted": QUOTED["directiveness_within"] == model,
    }  # fmt: skip
    if coders.reliability is None:
        return words, Numbers(reason="Too few sessions were coded twice, so the coders' error is not known.")
    try:
        total = float(mart.aggregate("var_samp(directiveness_score)").fetchall()[0][0])
        fit = fit_linear_answer(OF_GUIDANCE, mart, rule).fit
        reliability = departure_reliability(coders.reliability, total, fit.sigma**2)
    except FitRefused as refusal:
        return words, Numbers(reason=f"The slope cannot be freed from the coders' error. {refusal.message}")
    found = answered.estimate({"directiveness_within": 1 / reliability})
    return words | {"mean_reliability": reliability}, numbers(found, answered)


OF_GUIDANCE = "directiveness_score ~ 1 + (1 | client_id) + (1 | therapist_id)"


def client_reliabilities(mart: duckdb.DuckDBPyRelation, rule: Disclosure) -> np.ndarray:
    """Reliability of each client's mean directiveness among the clients of a therapist, shape (n_clients,).

    lambda_i = tau^2 / (tau^2 + sigma^2 / n_i), with the variances of d ~ 1 + (1 | client) + (1 | therapist).
    """
    fit = fit_linear_answer(OF_GUIDANCE, mart, rule).fit
    between = next(float(block.cov[0, 0]) for block in fit.variances if block.group == "client_id")
    per_client = mart.aggregate("client_id, count(*)::double as n", "client_id").order("client_id")
    return mean_reliabilities(between, fit.sigma**2, per_client.project("n").fetchnumpy()["n"])


def _lagged(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> list[dict]:
    """Both directions of time, each with and without the episode's first ratings."""
    sessions = session_rows(con)
    return [row for question in LAGGED for model in STARTS for row in lag_rows(sessions, rule, question, model)]


def lag_rows(
    sessions: duckdb.DuckDBPyRelation, rule: Disclosure, question: GuidanceQuestion, model: GuidanceModel
) -> list[dict]:
    """One direction of time, with or without the episode's first ratings."""
    (fixed, term), more = LAGGED[question], STARTS[model]
    labels = {"question": question, "part": SlopePart.WITHIN, "model": model, "is_quoted": bool(more)}
    return attempt(labels, lambda: _lag(sessions, f"{fixed}{more} + {INTERCEPTS}", term, rule))


def _lag(sessions: duckdb.DuckDBPyRelation, formula: str, term: str, rule: Disclosure) -> Iterator[tuple]:
    answered = fit_linear_answer(formula, sessions, rule)
    yield {}, numbers(answered.estimate(term), answered)


ANALYSIS = Analysis(AnalysisName.GUIDANCE, TABLES, run)
