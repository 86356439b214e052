"""Rows on which the verdict is decided: guidance split into the usual level and the departure from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import polars as pl

from outcomes.answers.common.courses import course, with_usual_levels
from outcomes.answers.common.words import Grain, Outcome
from outcomes.answers.contrasts.usual import with_usual
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

READ = ("mart_session_directiveness", "mart_person_session")
"""Tables of a release that all verdicts are decided on."""


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
    midpoint, width : float
        Middle of the scale of guidance, and its length from end to end.
    series : pl.DataFrame, optional
        For satisfaction after sessions: `frame` with the unrated sessions (y is empty there), and episode_id,
        attended_number, log_session. One course of therapy is one series.
    """

    outcome: Outcome
    level: Grain
    frame: pl.DataFrame
    covariates: tuple[str, ...]
    midpoint: float
    width: float
    series: pl.DataFrame | None = None

    @property
    def has_preference(self) -> bool:
        """Whether clients' preferences are known."""
        return "p" in self.frame.columns

    @property
    def has_departure(self) -> bool:
        """Whether sessions are told apart from the client's usual level."""
        return "w" in self.frame.columns


def verdict_sessions(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One rated session a row; satisfaction. `series` has the sessions that were not rated as well."""
    rows = sql_table(con, "answers/answer_verdict_sessions").pl()
    n_values = rows.drop_nulls("y").group_by("client_id").agg(pl.col("d").n_unique())["d"]
    refuse(
        Refusal(RefusalRule.RATED, rows.height, about=Outcome.SATISFACTION),
        Refusal(RefusalRule.STEADY, (n_values > 1).sum(), min(n_values.len(), 1)),
    )
    rows = with_usual_levels(rows)
    found = _finished(Outcome.SATISFACTION, Grain.SESSION, rows, ("log_session",), settings)
    return replace(found, series=_ready(rows, tuple(name for name in rows.columns if name != "y"), found.midpoint))


def verdict_clients(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One client a row; the mean satisfaction of rated sessions, with the therapist of most of them.

    Means are adjusted for the sessions that they come from: where guidance falls and satisfaction rises over a therapy,
    clients who stay longer have other raw means without any effect of guidance.
    """
    rated = sql_table(con, "answers/answer_verdict_sessions").pl().drop_nulls("y")
    satisfaction, guidance = course(rated, "y"), course(rated, "d")
    rows = sql_table(
        con, "answers/answer_verdict_clients",
        satisfaction_per_session=satisfaction.per_session, satisfaction_per_log=satisfaction.per_log,
        guidance_per_session=guidance.per_session, guidance_per_log=guidance.per_log,
        session=guidance.session, log=guidance.log,
    ).pl()  # fmt: skip
    return _finished(Outcome.SATISFACTION, Grain.CLIENT, rows, (), settings)


def verdict_dropouts(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> GuidanceRows:
    """One attended session of the risk set a row; 1 where the client dropped out after it.

    The usual level is what the sessions before tell of it, drawn towards the therapist's mean by their reliability (see
    `with_usual`): a mean of the whole episode would know the future.
    """
    rows = sql_table(con, "answers/answer_verdict_dropout").pl()
    refuse(Refusal(RefusalRule.ENDINGS, rows.filter("is_last")["y"].count()))
    rows = with_usual(rows.drop("is_last").filter(pl.col("d").is_not_null()))
    usual = pl.col("therapist_mean") + pl.col("client_usual")
    rows = rows.with_columns(m=usual, w=pl.col("d") - usual)
    covariates = ("session_1", "session_2", "session_3", "log_session")
    return _finished(Outcome.DROPOUT, Grain.SESSION, rows, covariates, settings)


def _finished(
    outcome: Outcome, level: Grain, rows: pl.DataFrame, covariates: tuple[str, ...], settings: StudySettings
) -> GuidanceRows:
    """Centre, leave out incomplete rows, refuse what is too few, add the products."""
    scale = settings.scales["directiveness"]
    midpoint = (scale.minimum + scale.maximum) / 2
    _refuse_too_few(outcome, rows.drop_nulls(_needed(rows, ("y", *covariates))), settings)
    frame = _ready(rows, ("y", *covariates), midpoint)
    return GuidanceRows(outcome, level, frame, covariates, midpoint, scale.maximum - scale.minimum)


def _needed(rows: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """These columns and those of guidance that the rows have; a preference that nobody gave is none."""
    has_preference = "p" in rows.columns and rows["p"].null_count() < rows.height
    wanted = dict.fromkeys([*columns, "d", "w", "m", *(["p"] if has_preference else [])])
    return [name for name in wanted if name in rows.columns and (name != "p" or has_preference)]


def _ready(rows: pl.DataFrame, columns: tuple[str, ...], midpoint: float) -> pl.DataFrame:
    """Leave out incomplete rows, centre, add the products."""
    needed = _needed(rows, columns)
    rows = rows.drop_nulls(needed)
    if "p" not in needed and "p" in rows.columns:
        rows = rows.drop("p")
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
    return rows.with_columns(**products)


def _refuse_too_few(outcome: Outcome, rows: pl.DataFrame, settings: StudySettings) -> None:
    therapists, _ = few_people(rows["client_id"].n_unique(), rows["therapist_id"].n_unique(), settings.disclosure)
    refuse(
        Refusal(RefusalRule.RATED, rows.height, about=outcome),
        therapists,
        Refusal(RefusalRule.VERDICT_CLIENTS, rows["client_id"].n_unique(), VERDICT_CLIENTS),
        Refusal(RefusalRule.VERDICT_SPREAD, rows["y"].n_unique(), LEAST_VALUES, outcome),
        Refusal(RefusalRule.VERDICT_SPREAD, rows["d"].n_unique(), VERDICT_VALUES, outcome),
    )
