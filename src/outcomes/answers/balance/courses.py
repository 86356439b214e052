"""Clients' usual levels, adjusted for the sessions that they come from: a long stay or a trend is no guidance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.answers.common.dynamics import TIME


@dataclass(frozen=True)
class Course:
    """What a rating does over the sessions of one client, the same for all clients.

    Attributes
    ----------
    per_session, per_log : float
        Change per session, and per unit of the logarithm of the session's number.
    session, log : float
        Mean of both over all rows: where the course is zero.
    """

    per_session: float
    per_log: float
    session: float
    log: float

    @property
    def expression(self) -> pl.Expr:
        """The course at each row's session."""
        number, log = (pl.col(name) for name in TIME)
        return self.per_session * (number - self.session) + self.per_log * (log - self.log)


def course(rows: pl.DataFrame, rating: str) -> Course:
    """Estimate a rating's course within clients (fixed effects), so that who stays longer has no part in it.

    Parameters
    ----------
    rows : pl.DataFrame
        client_id, attended_number, log_session and the rating; rows without it are left out.
    rating : str
    """
    rows = rows.drop_nulls([rating, *TIME])
    names = [*TIME, rating]
    within = rows.select(pl.col(names) - pl.col(names).mean().over("client_id")).to_numpy()
    slopes = np.linalg.lstsq(within[:, :2], within[:, 2], rcond=None)[0] if len(within) else np.zeros(2)
    session, log = (float(rows[name].mean() or 0.0) for name in TIME)
    return Course(float(slopes[0]), float(slopes[1]), session, log)


def with_usual_levels(rows: pl.DataFrame) -> pl.DataFrame:
    """Add m, the client's usual guidance, and w, the session's departure from it (d = m + w).

    The usual level is the client's mean, at the same sessions for all, drawn towards the therapist's by its
    reliability n tau2 / (n tau2 + sigma2): the raw mean of few sessions holds part of the departures, which makes a
    relative optimum look partly absolute. A therapist's mean is that of his clients' means.
    """
    rows = rows.with_columns(level=pl.col("d") - course(rows, "d").expression)
    rows = rows.with_columns(mean=pl.col("level").mean().over("client_id"), n=pl.len().over("client_id"))
    clients = rows.unique(["client_id", "therapist_id"], keep="first", maintain_order=True)
    therapists = clients.group_by("therapist_id").agg(therapist_mean=pl.col("mean").mean())
    rows = rows.join(therapists, on="therapist_id", how="left", nulls_equal=True, maintain_order="left")
    rows = rows.with_columns(deviation=pl.col("mean") - pl.col("therapist_mean"))
    clients = rows.unique("client_id", keep="first", maintain_order=True)
    sigma2 = ((rows["level"] - rows["mean"]) ** 2).sum() / max(rows.height - clients.height, 1)
    tau2 = max((clients["deviation"].var() or 0.0) - sigma2 * ((1 / clients["n"]).mean() or 0.0), 0.0)
    reliability = tau2 / (tau2 + sigma2 / pl.col("n")) if tau2 > 0 else pl.lit(0.0)
    usual = pl.col("therapist_mean") + reliability * pl.col("deviation")
    return rows.with_columns(m=usual, w=pl.col("d") - usual).drop("level", "mean", "n", "therapist_mean", "deviation")
