"""Weights of staying: sessions of clients who were likely to have left count for those who did leave."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.common.risk_set import baseline
from outcomes.errors import FitRefused
from outcomes.methods.missing.inverse_weights import StabilisedWeights, stabilised_weights
from outcomes.mixed import fit_cluster_robust

USUAL = ("directiveness_client", "directiveness_therapist")
HISTORY = ("satisfaction_so_far", "alliance_so_far")
"""Ratings up to and with a session; those that the study has."""

OUTCOME = "is_dropout"


def staying_weights(risk_set: duckdb.DuckDBPyRelation) -> tuple[pl.DataFrame, StabilisedWeights]:
    """Stabilised, truncated weights of every attended session.

    w_t = prod_{s<t} (1 - h(s | usual guidance)) / (1 - h(s | usual guidance, ratings so far)), with logit hazards. A
    session before which nothing was rated has the ratio one.

    Returns
    -------
    pl.DataFrame
        session_id and weight.
    StabilisedWeights

    Raises
    ------
    FitRefused
        Where no rating so far is known, or a hazard cannot be fitted.
    """
    at_risk, course = baseline(risk_set, OUTCOME)
    rows = risk_set.order("episode_id, attended_number").pl()
    history = [name for name in HISTORY if rows[name].null_count() < rows.height and rows[name].n_unique() > 2]
    if not history:
        raise FitRefused("No rating before the end is known, so nothing says who was likely to leave.")
    known = at_risk.filter(" and ".join(f"{name} is not null" for name in history))
    marginal = _hazard(known, (*USUAL, *course), rows)
    full = _hazard(known, (*USUAL, *course, *history), rows)
    first, last = at_risk.aggregate("min(attended_number), max(attended_number)").fetchall()[0]
    is_at_risk = rows["attended_number"].is_between(first, last).to_numpy()
    rated = np.isfinite(full) & is_at_risk
    stay = {"marginal": np.where(rated, 1 - marginal, 1.0), "full": np.where(rated, 1 - full, 1.0)}
    before = [pl.col(name).cum_prod().shift(1, fill_value=1.0).over("episode_id").alias(name) for name in stay]
    reached = rows.select("session_id", "episode_id").with_columns(**{k: pl.Series(v) for k, v in stay.items()})
    reached = reached.with_columns(before)
    weights = stabilised_weights(np.ones(rows.height, dtype=bool), reached["full"], reached["marginal"])
    return reached.select("session_id").with_columns(weight=pl.Series(weights.weight)), weights


def _hazard(known: duckdb.DuckDBPyRelation, terms: tuple[str, ...], rows: pl.DataFrame) -> np.ndarray:
    """Hazard of every session from a logit without random effects; NaN where a term is missing."""
    fit = fit_cluster_robust(f"{OUTCOME} ~ {' + '.join(terms)}", known, cluster="therapist_id")
    full = rows.with_columns(pl.lit(1.0).alias("(Intercept)")).select(fit.names).cast(pl.Float64)
    return 1 / (1 + np.exp(-(full.fill_null(np.nan).to_numpy() @ fit.beta)))
