"""Rows on which the verdict is decided: guidance split into the usual level and the departure from it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from outcomes.answers.common.words import Grain, Outcome
from outcomes.models.refusals import (
    LEAST_VALUES,
    VERDICT_CLIENTS,
    VERDICT_VALUES,
    Refusal,
    RefusalRule,
    few_people,
    refuse,
)
from outcomes.store.warehouse import sql_table
from outcomes.study import StudySettings


@dataclass(frozen=True)
class GuidanceRows:
    """Complete rows of one outcome at one level.

    Attributes
    ----------
    outcome : Outcome
    level : Grain
    frame : pl.DataFrame
        y, d (guidance), p (preference, where known), w (departure), m (usual level; d = m + w), e (d - p), their
        products as in `curve_forms.TERMS`, d2, client_id, therapist_id and `covariates`. d, m and p are centred at the
        middle of the scale.
    covariates : tuple of str
        Columns that every model holds constant.
    midpoint : float
        Middle of the scale of guidance.
    """

    outcome: Outcome
    level: Grain
    frame: pl.DataFrame
    covariates: tuple[str, ...]
    midpoint: float

    @property
    def has_preference(self) -> bool:
        """Whether clients' preferences are known."""
        return "p" in self.frame.columns

    @property
    def has_departure(self) -> bool:
        """Whether sessions are told apart from the client's usual level."""
        return "w" in self.frame.columns


def verdict_sessions(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One rated session a row; satisfaction.

    The usual level is the client's mean drawn towards the therapist's by its reliability n tau2 / (n tau2 + sigma2):
    the raw mean of few sessions holds part of the departures, which makes a relative optimum look partly absolute.
    """
    rows = sql_table(con, "answers/answer_verdict_sessions").pl()
    refuse(Refusal(RefusalRule.RATED, rows.height, about=Outcome.SATISFACTION))
    clients = rows.unique("client_id", keep="first", maintain_order=True)
    sigma2 = (rows["departure"] ** 2).sum() / max(rows.height - clients.height, 1)
    tau2 = max((clients["deviation"].var() or 0.0) - sigma2 * (1 / clients["n"]).mean(), 0.0)
    reliability = tau2 / (tau2 + sigma2 / pl.col("n")) if tau2 > 0 else pl.lit(0.0)
    usual = pl.col("therapist_mean") + reliability * pl.col("deviation")
    rows = rows.with_columns(m=usual, w=pl.col("d") - usual)
    return _finished(Outcome.SATISFACTION, Grain.SESSION, rows, ("log_session",), settings)


def verdict_clients(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One client a row; the mean satisfaction of rated sessions, with the therapist of most of them."""
    rows = sql_table(con, "answers/answer_verdict_clients").pl()
    return _finished(Outcome.SATISFACTION, Grain.CLIENT, rows, (), settings)


def verdict_dropouts(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One attended session of the risk set a row; 1 where the client dropped out after it.

    The usual level is the mean of the sessions before: a mean of the whole episode would know the future.
    """
    rows = sql_table(con, "answers/answer_verdict_dropout").pl()
    covariates = ("session_1", "session_2", "session_3", "log_session")
    return _finished(Outcome.DROPOUT, Grain.SESSION, rows, covariates, settings)


def _finished(
    outcome: Outcome, level: Grain, rows: pl.DataFrame, covariates: tuple[str, ...], settings: StudySettings
) -> GuidanceRows:
    """Centre, leave out incomplete rows, refuse what is too few, add the products."""
    if rows["p"].null_count() == rows.height:
        rows = rows.drop("p")
    present = [name for name in ("y", "d", "w", "m", "p", *covariates) if name in rows.columns]
    rows = rows.drop_nulls(present)
    _refuse_too_few(outcome, rows, settings)
    scale = settings.scales["directiveness"]
    midpoint = (scale.minimum + scale.maximum) / 2
    centred = [name for name in ("d", "m", "p") if name in rows.columns]
    rows = rows.with_columns(pl.col(centred) - midpoint)
    d, w, m, p = (pl.col(name) for name in "dwmp")
    products = {"d2": d**2, "m2": m**2}
    if "w" in rows.columns:
        products |= {"w2": w**2, "wm": w * m}
    if "p" in rows.columns:
        products |= {"e": d - p, "mp": m * p, "p2": p**2}
    if {"w", "p"} <= set(rows.columns):
        products |= {"wp": w * p}
    return GuidanceRows(outcome, level, rows.with_columns(**products), covariates, midpoint)


def _refuse_too_few(outcome: Outcome, rows: pl.DataFrame, settings: StudySettings) -> None:
    therapists, _ = few_people(rows["client_id"].n_unique(), rows["therapist_id"].n_unique(), settings.disclosure)
    refuse(
        Refusal(RefusalRule.RATED, rows.height, about=outcome),
        therapists,
        Refusal(RefusalRule.VERDICT_CLIENTS, rows["client_id"].n_unique(), VERDICT_CLIENTS),
        Refusal(RefusalRule.VERDICT_SPREAD, rows["y"].n_unique(), LEAST_VALUES, outcome),
        Refusal(RefusalRule.VERDICT_SPREAD, rows["d"].n_unique(), VERDICT_VALUES, outcome),
    )
