"""What guidance goes with, three ways at once: within client, between clients, between therapists; and from one session
to the next, in both directions.

The slopes share one scale: points of satisfaction per point of directiveness (guidance after satisfaction: points of
directiveness per point of satisfaction).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.common.estimates import (
    REFUSED,
    Numbers,
    as_table,
    attempt,
    in_words,
    numbers,
    of_model,
    refuse_all,
)
from outcomes.answers.common.fitting import LEVEL, Answered, fit_linear_answer
from outcomes.answers.common.sessions import session_rows
from outcomes.errors import FitRefused, UsageError
from outcomes.methods.therapists.between_effect import corrected_between, mean_reliabilities
from outcomes.mixed import wald_test
from outcomes.models.state import ModelStatus
from outcomes.study.settings import Disclosure, StudySettings

NAME = "guidance"
TABLE = "guidance_effects"
TABLES = (TABLE,)
WORDS = ("question", "part", "model")

PARTS = {
    "directiveness_within": "within client",
    "directiveness_client": "between clients",
    "directiveness_therapist": "between therapists",
}
BY_CLIENT = "(1 + directiveness_within | client_id)"
INTERCEPTS = "(1 | client_id) + (1 | therapist_id)"
MODELS = {
    "random intercepts": INTERCEPTS,
    "two levels": BY_CLIENT,
    "three levels": f"{BY_CLIENT} + (1 | therapist_id)",
    "three levels, slope by therapist": f"{BY_CLIENT} + (1 | therapist_id) + (0 + directiveness_within | therapist_id)",
}
QUOTED = {
    "directiveness_within": "three levels, slope by therapist",
    "directiveness_client": "three levels",
    "directiveness_therapist": "three levels",
}
"""The model that a report quotes for each part: the slope within needs the slope by therapist, or its interval is too
narrow where therapists differ; the slopes between are not read from it, because there the slopes depend on the
therapist's own directiveness (docs/recovery.md)."""

SLOPE, CONTEXT, CORRECTED = "slope", "contextual effect", "slope corrected for unreliable means"
NEXT_SATISFACTION = "guidance to next satisfaction"
NEXT_GUIDANCE = "satisfaction to next guidance"

LAGGED = {
    NEXT_SATISFACTION: (
        "satisfaction_next ~ directiveness_within + directiveness_within_next + satisfaction_score + log_session",
        "directiveness_within",
    ),
    NEXT_GUIDANCE: (
        "directiveness_next ~ satisfaction_score + directiveness_score + log_session",
        "satisfaction_score",
    ),
}
"""Fixed part and the term that answers. The outcome's own last rating enters as it is: centred, it would bias the rest
(Hamaker & Grasman 2015, doi 10.3389/fpsyg.2014.01492)."""

STARTS = {
    "random intercepts": "",
    "random intercepts, given the first ratings": " + satisfaction_first + directiveness_first",
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
    rows = level_rows(con.table("mart_session_directiveness"), settings.disclosure, "satisfaction_score")
    rows += _lagged(con, settings.disclosure)
    refuse_all(rows)
    return {TABLE: as_table(rows, WORDS)}


def level_rows(mart: duckdb.DuckDBPyRelation, rule: Disclosure, outcome: str) -> list[dict]:
    """Slopes of `outcome` at the three levels from three models, their differences, the correction for reliability.

    y = b0 + bW (d - client mean) + bC (client mean - therapist mean) + bT (therapist mean - grand mean) + b ln(session)
    (Curran & Bauer 2011, doi 10.1146/annurev.psych.093008.100356).
    """
    fixed = f"{outcome} ~ " + " + ".join(PARTS) + " + log_session"
    rows = []
    for model, random in MODELS.items():
        labels = {"question": SLOPE, "part": "all", "model": model, "is_quoted": False, "mean_reliability": None}
        rows += attempt(labels, lambda f=f"{fixed} + {random}", m=model: _levels(f, mart, rule, m))
    return rows


def settled(row: dict, rows: list[dict]) -> dict:
    """The row itself, or where its model is singular the same one of the next simpler model that converged.

    A variance at zero leaves nothing of its random effect: the simpler model fits the same. Two levels speak within
    clients only; their errors of the slopes between are too small.
    """
    if row["status"] != ModelStatus.SINGULAR or row["model"] not in MODELS:
        return row
    richest_first = list(MODELS)[::-1]
    for model in richest_first[richest_first.index(row["model"]) + 1 :]:
        for other in rows:
            same = (other["question"], other["part"], other["model"]) == (row["question"], row["part"], model)
            speaks = model != "two levels" or row["part"] == PARTS["directiveness_within"]
            if same and speaks and other["status"] == ModelStatus.CONVERGED:
                return other
    return row


def _levels(formula: str, mart: duckdb.DuckDBPyRelation, rule: Disclosure, model: str) -> Iterator[tuple]:
    answered = fit_linear_answer(formula, mart, rule)
    for term, part in PARTS.items():
        yield {"part": part, "is_quoted": QUOTED[term] == model}, numbers(answered.estimate(term), answered)
    if model == "two levels":  # its errors of the slopes between ignore that clients share therapists
        return
    words = {"question": CONTEXT, "is_quoted": model == QUOTED["directiveness_within"]}
    differences = [{term: 1.0, "directiveness_within": -1.0} for term in list(PARTS)[1:]]
    for difference, part in zip(differences, list(PARTS.values())[1:], strict=True):
        yield words | {"part": f"{part} less within client"}, numbers(answered.estimate(difference), answered)
    joint = wald_test(answered.fit, differences)
    yield words | {"part": "one slope at all three levels"}, of_model(answered, None, p_value=joint.p_value)
    yield from _corrected(answered, mart, rule, model)


def _corrected(answered: Answered, mart: duckdb.DuckDBPyRelation, rule: Disclosure, model: str) -> Iterator[tuple]:
    """The slope between clients as if every client's usual level were known exactly."""
    words = {"question": CORRECTED, "part": "between clients"}
    at = [answered.fit.names.index(term) for term in list(PARTS)[:2]]
    try:
        corrected = corrected_between(
            answered.fit.beta[at],
            answered.fit.vcov[np.ix_(at, at)],
            client_reliabilities(mart, rule),
            LEVEL,
            float(answered.fit.df_denom.iloc[at[1]]),
        )
    except (FitRefused, UsageError) as refusal:
        yield words, Numbers(reason=f"The reliability of clients' means is not known. {refusal.message}")
        return
    words |= {"mean_reliability": corrected.mean_reliability, "is_quoted": model == QUOTED["directiveness_client"]}
    yield words, numbers(corrected.corrected, answered)


def client_reliabilities(mart: duckdb.DuckDBPyRelation, rule: Disclosure) -> np.ndarray:
    """Reliability of each client's mean directiveness among the clients of a therapist, shape (n_clients,).

    lambda_i = tau^2 / (tau^2 + sigma^2 / n_i), with the variances of d ~ 1 + (1 | client) + (1 | therapist).
    """
    fit = fit_linear_answer("directiveness_score ~ 1 + (1 | client_id) + (1 | therapist_id)", mart, rule).fit
    between = next(float(block.cov[0, 0]) for block in fit.variances if block.group == "client_id")
    per_client = mart.aggregate("client_id, count(*)::double as n", "client_id").order("client_id")
    return mean_reliabilities(between, fit.sigma**2, per_client.project("n").fetchnumpy()["n"])


def _lagged(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> list[dict]:
    """Both directions of time, each with and without the episode's first ratings."""
    rows, sessions = [], session_rows(con)
    for question, (fixed, term) in LAGGED.items():
        for model, more in STARTS.items():
            labels = {"question": question, "part": "within client", "model": model}
            labels |= {"is_quoted": bool(more), "mean_reliability": None}
            rows += attempt(labels, lambda f=f"{fixed}{more} + {INTERCEPTS}", t=term: _lag(sessions, f, t, rule))
    return rows


def _lag(sessions: duckdb.DuckDBPyRelation, formula: str, term: str, rule: Disclosure) -> Iterator[tuple]:
    answered = fit_linear_answer(formula, sessions, rule)
    yield {}, numbers(answered.estimate(term), answered)


def sentences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Say the quoted rows of `guidance_effects` in plain words, states first."""
    rows = con.table(TABLE).filter("is_quoted").pl().rows(named=True)
    return [spoken for row in rows if (spoken := _spoken(row))]


_WHAT = {
    SLOPE: ("One point more guidance {who} goes with", "satisfaction"),
    NEXT_SATISFACTION: ("After a session with one point more guidance, the next one differs by", "satisfaction"),
    NEXT_GUIDANCE: ("After a session rated one point more satisfying, the next one differs by", "guidance"),
}
_WHO = {
    "within client": "than usual for the client",
    "between clients": "in a client's usual level than in the therapist's other clients",
    "between therapists": "in a therapist's usual level than in other therapists",
}


def _spoken(row: dict) -> str:
    """One quoted row in words; empty for those that the table says better."""
    if row["question"] in (CONTEXT, CORRECTED):
        return ""
    if row["status"] == REFUSED:
        return f"{row['question'].capitalize()} ({row['part']}): not estimated. {row['reason']}"
    state = "" if row["status"] == "converged" else f"({row['status'].replace('_', ' ')}) "
    what, unit = _WHAT[row["question"]]
    return f"{state}{what.format(who=_WHO.get(row['part'], ''))} {in_words(row, f'points of {unit}')}"
