"""Rows on which the verdict is decided: guidance split into the usual level and the departure from it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from outcomes.errors import FitRefused
from outcomes.store.warehouse import sql_table
from outcomes.study import StudySettings

MINIMUM_CLIENTS = 100
"""Fewest clients: nine coefficients, several of them between clients, need about ten clients each (Harrell 2015, doi
10.1007/978-3-319-19425-7, section 4.4)."""


@dataclass(frozen=True)
class GuidanceRows:
    """Complete rows of one outcome at one level.

    Attributes
    ----------
    outcome, level : str
        In words, as the tables name them.
    frame : pl.DataFrame
        y, d (guidance), p (preference, where known), w (departure), m (usual level; d = m + w), e (d - p), their
        products as in `structures.TERMS`, d2, client_id, therapist_id and `covariates`. d, m and p are centred at the
        middle of the scale.
    covariates : tuple of str
        Columns that every model holds constant.
    midpoint : float
        Middle of the scale of guidance.
    """

    outcome: str
    level: str
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


def session_rows(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One rated session a row; satisfaction.

    The usual level is the client's mean drawn towards the therapist's by its reliability n tau2 / (n tau2 + sigma2):
    the raw mean of few sessions holds part of the departures, which makes a relative optimum look partly absolute.
    """
    rows = sql_table(con, "answers/answer_verdict_sessions").pl()
    clients = rows.unique("client_id", keep="first", maintain_order=True)
    sigma2 = (rows["departure"] ** 2).sum() / max(rows.height - clients.height, 1)
    tau2 = max((clients["deviation"].var() or 0.0) - sigma2 * (1 / clients["n"]).mean(), 0.0)
    reliability = tau2 / (tau2 + sigma2 / pl.col("n")) if tau2 > 0 else pl.lit(0.0)
    usual = pl.col("therapist_mean") + reliability * pl.col("deviation")
    rows = rows.with_columns(m=usual, w=pl.col("d") - usual)
    return _finished("satisfaction", "session", rows, ("log_session",), settings)


def client_rows(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One client a row; the mean satisfaction of rated sessions, with the therapist of most of them."""
    rows = sql_table(con, "answers/answer_verdict_clients").pl()
    return _finished("satisfaction", "client", rows, (), settings)


def dropout_rows(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One attended session of the risk set a row; 1 where the client dropped out after it.

    The usual level is the mean of the sessions before: a mean of the whole episode would know the future.
    """
    rows = sql_table(con, "answers/answer_verdict_dropout").pl()
    covariates = ("session_1", "session_2", "session_3", "log_session")
    return _finished("dropout", "session", rows, covariates, settings)


def _finished(
    outcome: str, level: str, rows: pl.DataFrame, covariates: tuple[str, ...], settings: StudySettings
) -> GuidanceRows:
    """Centre, leave out incomplete rows, refuse what is too few, add the products."""
    scale = settings.scales["directiveness"]
    midpoint = (scale.minimum + scale.maximum) / 2
    if rows["p"].null_count() == rows.height:
        rows = rows.drop("p")
    present = [name for name in ("y", "d", "w", "m", "p", *covariates) if name in rows.columns]
    rows = rows.drop_nulls(present)
    centred = [name for name in ("d", "m", "p") if name in rows.columns]
    rows = rows.with_columns(pl.col(centred) - midpoint)
    _refuse_too_few(outcome, rows, settings)
    d, w, m, p = (pl.col(name) for name in "dwmp")
    products = {"d2": d**2, "m2": m**2}
    if "w" in rows.columns:
        products |= {"w2": w**2, "wm": w * m}
    if "p" in rows.columns:
        products |= {"e": d - p, "mp": m * p, "p2": p**2}
    if {"w", "p"} <= set(rows.columns):
        products |= {"wp": w * p}
    return GuidanceRows(outcome, level, rows.with_columns(**products), covariates, midpoint)


def _refuse_too_few(outcome: str, rows: pl.DataFrame, settings: StudySettings) -> None:
    """Refuse in words that hold no count, so that they may stand in a report."""
    if rows.is_empty():
        raise FitRefused(f"No session has both a rating of guidance and {outcome}.")
    if rows["therapist_id"].n_unique() < settings.disclosure.minimum_therapists:
        raise FitRefused(
            "There are too few therapists to say how guidance works: what is theirs cannot be told from chance.",
            "pool the data of more practices",
        )
    if rows["client_id"].n_unique() < MINIMUM_CLIENTS:
        raise FitRefused(
            f"There are too few clients for a verdict on guidance: at least {MINIMUM_CLIENTS} with complete ratings "
            "are needed.",
            "collect more data, or pool the data of more practices",
        )
    if rows["y"].n_unique() < 2 or rows["d"].n_unique() < 4:
        raise FitRefused(f"Guidance or {outcome} hardly varies, so nothing can be said about their relation.")
