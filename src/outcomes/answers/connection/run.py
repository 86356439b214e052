"""The connection around guidance: alliance and feeling overwhelmed as paths, asking as feedback, further outcomes
beside satisfaction (empowerment, and scales of the study's own).

A question whose ratings were not collected is a refused row; where none were, the analysis is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.estimates import attempt, numbers, of_model, refuse_all
from outcomes.answers.common.fitting import Answered
from outcomes.answers.common.sessions import session_rows
from outcomes.answers.common.simplify import RandomEffect, fit_simplest
from outcomes.answers.common.tables import filled
from outcomes.answers.connection.tables import (
    EFFECTS,
    TABLES,
    ConnectionQuestion,
    PathWords,
    Timing,
    as_outcome,
    to_outcome,
)
from outcomes.answers.guidance.run import PARTS, level_rows, settled
from outcomes.answers.guidance.tables import GuidanceQuestion
from outcomes.contract import Column
from outcomes.methods.inference.mediation import indirect_effect
from outcomes.mixed import FitStatus
from outcomes.study.settings import AnalysisName, Disclosure, StudySettings

SEED = 1986  # of the Monte-Carlo intervals

PER_GUIDANCE = "points of satisfaction per point of directiveness"
LAST = "satisfaction_score + satisfaction_first + log_session"
"""A model of the next session holds the last rating as it is and the episode's first (see `guidance.STARTS`)."""
GUIDANCE_NOW = " + ".join(PARTS)
MISFIT_NOW = "guidance_above_within + guidance_above_client + guidance_below_within + guidance_below_client"


@dataclass(frozen=True)
class Leg:
    """One leg of a path: fixed part of its model, the term that answers, words and unit."""

    fixed: str
    term: str
    words: PathWords
    unit: str


@dataclass(frozen=True)
class Path:
    """From guidance to a session's experience and on to satisfaction."""

    question: ConnectionQuestion
    timing: Timing
    first: Leg
    second: Leg


_TO_ALLIANCE = Leg(
    f"alliance_score ~ {GUIDANCE_NOW} + log_session",
    "directiveness_within",
    PathWords.TO_ALLIANCE,
    "points of alliance per point of directiveness",
)
_TO_OVERWHELM = Leg(
    f"felt_overwhelmed_score ~ {MISFIT_NOW} + log_session",
    "guidance_above_within",
    PathWords.TO_OVERWHELM,
    "points of feeling overwhelmed per point of directiveness",
)


def _from(experience: str, words: PathWords, term: str, fixed: str) -> Leg:
    return Leg(fixed, term, words, f"points of satisfaction per point of {experience}")


PATHS = (
    Path(ConnectionQuestion.ALLIANCE, Timing.SAME, _TO_ALLIANCE, _from(
        "alliance", PathWords.FROM_ALLIANCE, "alliance_within",
        f"satisfaction_score ~ alliance_within + alliance_client + {GUIDANCE_NOW} + log_session")),
    Path(ConnectionQuestion.ALLIANCE, Timing.NEXT, _TO_ALLIANCE, _from(
        "alliance", PathWords.FROM_ALLIANCE, "alliance_score",
        "satisfaction_next ~ alliance_score + alliance_first + directiveness_within + directiveness_within_next + "
        + LAST)),
    Path(ConnectionQuestion.OVERWHELM, Timing.SAME, _TO_OVERWHELM, _from(
        "feeling overwhelmed", PathWords.FROM_OVERWHELM, "felt_overwhelmed_within",
        f"satisfaction_score ~ felt_overwhelmed_within + felt_overwhelmed_client + {MISFIT_NOW} + log_session")),
    Path(ConnectionQuestion.OVERWHELM, Timing.NEXT, _TO_OVERWHELM, _from(
        "feeling overwhelmed", PathWords.FROM_OVERWHELM, "felt_overwhelmed_score",
        f"satisfaction_next ~ felt_overwhelmed_score + felt_overwhelmed_first + {MISFIT_NOW} + {LAST}")),
)  # fmt: skip
"""Only "next session" has an order in time. There the experience enters as rated, with the episode's first rating: its
departure from a client mean that holds later sessions would be biased, as a centred lagged outcome is."""

_ASKED = "asked_within + asked_client"
SINGLE = (
    (ConnectionQuestion.ALLIANCE, _TO_ALLIANCE, Timing.SAME),
    (ConnectionQuestion.OVERWHELM, _TO_OVERWHELM, Timing.SAME),
    (ConnectionQuestion.ASKING, Leg(f"misfit_size_next ~ {_ASKED} + misfit_size + log_session", "asked_within",
                  PathWords.ASKED_DISTANCE, "points of directiveness"), Timing.NEXT),
    (ConnectionQuestion.ASKING, Leg(f"satisfaction_next ~ {_ASKED} + {LAST}", "asked_within",
                  PathWords.ASKED_SATISFACTION, "points of satisfaction"), Timing.NEXT),
    (ConnectionQuestion.MODERATOR, Leg(
        f"misfit_size_next ~ {_ASKED} + misfit_size + asked:misfit_size + log_session", "asked:misfit_size",
        PathWords.MODERATED_DISTANCE,
        "points of directiveness per point of directiveness"), Timing.NEXT),
    (ConnectionQuestion.MODERATOR, Leg(
        f"satisfaction_next ~ {_ASKED} + misfit_size + asked:misfit_size + {LAST}", "asked:misfit_size",
        PathWords.MODERATED_SATISFACTION, PER_GUIDANCE), Timing.NEXT),
)  # fmt: skip


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with table `connection_effects`.

    Raises
    ------
    FitRefused
        Where no part can be answered.
    """
    rule, sessions = settings.disclosure, session_rows(con)
    rows = []
    for path in PATHS:
        words = {"question": path.question, "path": PathWords.INDIRECT, "timing": path.timing, "unit": PER_GUIDANCE}
        rows += attempt(words, lambda p=path: along(p, sessions, rule))
    for question, leg, timing in SINGLE:
        words = {"question": question, "path": leg.words, "timing": timing, "unit": leg.unit}
        rows += attempt(words, lambda leg=leg: one_leg(leg, sessions, rule))
    for outcome in settings.further_outcomes:
        rows += _further_outcome(con, rule, outcome)
    refuse_all(rows)
    return {EFFECTS.name: filled(EFFECTS, rows)}


def along(path: Path, sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Iterator[tuple]:
    """The second leg, and the product a b of both with a Monte-Carlo interval; slopes are alike for all clients.

    The legs come from separate models, so their sampling covariance is 0 (Bauer, Preacher & Gil 2006, doi
    10.1037/1082-989X.11.2.142).
    """
    models = [_fitted(leg, sessions, rule) for leg in (path.first, path.second)]
    legs = [model.estimate(leg.term) for model, leg in zip(models, (path.first, path.second), strict=True)]
    yield {"path": path.second.words, "unit": path.second.unit}, numbers(legs[1], models[1])
    covariance = np.diag([found.std_error**2 for found in legs])
    product = indirect_effect([found.value for found in legs], covariance, np.random.default_rng(SEED))
    worse = next((model for model in models if model.status is not FitStatus.CONVERGED), models[1])
    yield {}, of_model(worse, product.value, conf_low=product.conf_low, conf_high=product.conf_high)


def one_leg(leg: Leg, sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Iterator[tuple]:
    model = _fitted(leg, sessions, rule)
    yield {}, numbers(model.estimate(leg.term), model)


def _fitted(leg: Leg, sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Answered:
    """The model of one leg; where therapists do not differ at all, the same one without them."""
    return fit_simplest(f"{leg.fixed} + (1 | client_id)", (RandomEffect("therapist_id"),), sessions, rule)


def _further_outcome(con: duckdb.DuckDBPyConnection, rule: Disclosure, outcome: Column) -> list[dict]:
    """The three parts of guidance with a further outcome: the rows that guidance_effects would quote."""
    found = level_rows(con.table("mart_session_directiveness"), rule, outcome.published)
    labels = {
        "question": as_outcome(outcome.spoken),
        "timing": Timing.SAME,
        "unit": f"points of {outcome.spoken} per point of directiveness",
    }
    if all(row["status"] == FitStatus.REFUSED for row in found):
        return [_renamed(found[0], labels, to_outcome(outcome.spoken))]
    quoted = [
        settled(row, found)
        for row in found
        if row["is_quoted"] and row["question"] in (GuidanceQuestion.SLOPE, GuidanceQuestion.CONTEXT)
    ]
    return [_renamed(row, labels, f"{row['question']} {row['part']}") for row in quoted]


def _renamed(row: dict, labels: dict[str, str], path: str) -> dict:
    kept = {
        name: value for name, value in row.items() if name not in ("part", "model", "is_quoted", "mean_reliability")
    }
    return kept | labels | {"path": path}


ANALYSIS = Analysis(AnalysisName.CONNECTION, TABLES, run)
