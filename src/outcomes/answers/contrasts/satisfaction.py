"""Mean satisfaction where guidance in a session is so: generalised least squares on cross-products by therapist."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.common.courses import with_usual_parts
from outcomes.answers.common.fitting import Answered, fit_linear_answer
from outcomes.answers.contrasts.surface import (
    RATED,
    WITHOUT_PREFERENCE,
    Level,
    Scale,
    has_preference,
    scale_of,
)
from outcomes.answers.contrasts.therapist_bootstrap import Bootstrapped, therapist_draws
from outcomes.errors import FitRefused
from outcomes.mixed import FitStatus
from outcomes.store.warehouse import sql_table
from outcomes.study.settings import StudySettings

HELD = ("usual", "client_usual", "log_session")
"""Held as they are: the therapist's usual guidance, the client's against it, and time. What a session's own guidance
goes with is then not what differs between therapists or clients."""


@dataclass(frozen=True)
class SatisfactionModel:
    """The surface of satisfaction and its bootstrap.

    Attributes
    ----------
    answered : Answered
        The mixed model whose variances weigh the sessions.
    rows : pl.DataFrame
        Complete sessions, sorted by therapist.
    names : tuple of str, length p
    beta : ndarray, shape (p,)
    draws : ndarray, shape (draws, p)
        The fit on each draw of therapists, at the variances of the whole data.
    drawn : ndarray, shape (draws, therapists)
    scale : Scale
    """

    answered: Answered
    rows: pl.DataFrame
    names: tuple[str, ...]
    beta: np.ndarray
    draws: np.ndarray
    drawn: np.ndarray
    scale: Scale

    @property
    def people(self) -> tuple[int, int, int]:
        """Sessions, clients and therapists behind the fit."""
        return (self.answered.n_sessions, self.answered.n_clients, self.answered.n_therapists)

    @property
    def preferred(self) -> np.ndarray | None:
        """Preferences, one a session; None where they are not known."""
        return self.rows["p"].to_numpy() if has_preference(self.rows) else None

    def means(self, levels: tuple[Level, ...]) -> Bootstrapped:
        """Mean satisfaction at each level over all sessions with only their own guidance set, shape (levels,).

        Mean rating as it is, plus the mean change along the surface from each session's own guidance to the level. The
        surface alone is the mean of clients with an average intercept; the content stay longer, so sessions have more
        of theirs.
        """
        p, y = self.preferred, self.rows["y"].to_numpy()
        therapist, n = self.rows["therapist"].to_numpy(), self.drawn.shape[1]
        starts = np.searchsorted(therapist, np.arange(n))
        as_is = _matrix(self.rows, self.names)
        changes = np.empty((n, len(levels), len(self.names)))
        for k, level in enumerate(levels):
            d = level.guidance(p, (self.rows.height,), self.scale)
            set_to = self.rows.with_columns(
                **{name: pl.Series(values) for name, values in self.scale.columns(d, p, RATED).items()}
            )
            changes[:, k] = np.add.reduceat(_matrix(set_to, self.names) - as_is, starts, axis=0)
        sizes, ratings = np.diff(np.append(starts, len(y))), np.add.reduceat(y, starts)
        of_draws = np.einsum("bj,jkp,bp->bk", self.drawn, changes, self.draws, optimize=True)
        of_draws += (self.drawn @ ratings)[:, None]
        point = (ratings.sum() + changes.sum(axis=0) @ self.beta) / sizes.sum()
        return Bootstrapped(point, of_draws / (self.drawn @ sizes)[:, None], n)


def satisfaction_model(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> SatisfactionModel:
    """Fit the surface over rated sessions.

    Notes
    -----
    Clients and therapists have intercepts. Given their variances, which the whole data give, V is block-diagonal over
    therapists, so X'V^-1 X and X'V^-1 y of each therapist are sufficient: a draw's estimate is exactly what a refit
    would give at these variances. A client who changed therapist counts as two here.

    Raises
    ------
    FitRefused
        Too few therapists, clients or ratings, or no convergence.
    """
    scale = scale_of(settings)
    rows = sql_table(con, "answers/answer_verdict_sessions").pl()
    if has_preference(rows):
        rows = rows.filter(pl.col("p").is_not_null())
    rows = (
        with_usual_parts(rows)
        .rename({"deviation": "client_usual"})
        .filter(pl.col("y").is_not_null() & pl.col("d").is_not_null())
        .sort("therapist_id", "client_id", maintain_order=True)
        .with_columns(
            usual=pl.col("therapist_mean") - pl.col("therapist_mean").mean(),
            therapist=pl.col("therapist_id").rank("dense").cast(pl.Int64) - 1,
        )
    )
    p = rows["p"].to_numpy() if has_preference(rows) else None
    surface = scale.columns(rows["d"].to_numpy(), p, RATED)
    rows = rows.with_columns(**{name: pl.Series(values) for name, values in surface.items()})
    terms = " + ".join([*(WITHOUT_PREFERENCE if p is None else RATED), *HELD])
    formula = f"y ~ {terms} + (1 | client_id) + (1 | therapist_id)"
    answered = fit_linear_answer(formula, con.from_arrow(rows.to_arrow()), settings.disclosure)
    if answered.status is FitStatus.NOT_CONVERGED:
        raise FitRefused("The model of satisfaction did not converge.")
    fit = answered.fit
    names, n_therapists = fit.names, rows["therapist"].n_unique()
    variances = {block.group: float(block.sd[0]) ** 2 for block in fit.variances}
    information, score = cross_products(
        _matrix(rows, names),
        rows["y"].to_numpy(),
        rows["therapist"].to_numpy(),
        rows.select(pl.struct("therapist", "client_id").rank("dense")).to_series().to_numpy(),
        variances["client_id"] / fit.sigma**2,
        variances["therapist_id"] / fit.sigma**2,
    )
    drawn = therapist_draws(n_therapists)
    n_terms = len(names)
    of_draws = (drawn @ information.reshape(n_therapists, -1)).reshape(-1, n_terms, n_terms)
    draws = np.linalg.solve(of_draws, (drawn @ score)[:, :, None])[:, :, 0]
    beta = np.linalg.solve(information.sum(axis=0), score.sum(axis=0))
    return SatisfactionModel(answered, rows, names, beta, draws, drawn, scale)


def cross_products(
    X: np.ndarray, y: np.ndarray, therapist: np.ndarray, client: np.ndarray, by_client: float, by_therapist: float
) -> tuple[np.ndarray, np.ndarray]:
    """X'V^-1 X and X'V^-1 y of each therapist, V = I + a Z Z' + b 1 1' of clients in a therapist.

    A client with n sessions has V_i^-1 = I - w 1 1' with w = a / (1 + n a); the therapist's intercept then takes off
    b u u' / (1 + b c), u = X'V^-1 1 and c = 1'V^-1 1 without it.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Rows sorted by therapist and, in them, by client.
    y : ndarray, shape (n,)
    therapist, client : ndarray of int, shape (n,)
        Sorted; therapists are 0, 1, ...
    by_client, by_therapist : float
        Variances a and b of the intercepts over that of the residual.

    Returns
    -------
    ndarrays, shapes (J, p, p), (J, p)
    """
    joined = np.column_stack([X, y])
    of_client = np.flatnonzero(np.diff(client, prepend=client[0] - 1))
    sums = np.add.reduceat(joined, of_client, axis=0)
    sizes = np.diff(np.append(of_client, len(y)))
    shrink = by_client / (1 + sizes * by_client)
    places = therapist[of_client]
    n, width = int(therapist[-1]) + 1, joined.shape[1]
    found = np.empty((n, width, width))
    rows_end, clients_end = (np.searchsorted(index, np.arange(n + 1)) for index in (therapist, places))
    for j in range(n):
        own, of_own = joined[rows_end[j] : rows_end[j + 1]], slice(clients_end[j], clients_end[j + 1])
        s, w, m = sums[of_own], shrink[of_own], sizes[of_own]
        u = (1 - w * m) @ s
        c = float(m @ (1 - w * m))
        found[j] = own.T @ own - (w[:, None] * s).T @ s - by_therapist / (1 + by_therapist * c) * np.outer(u, u)
    return found[:, :-1, :-1], found[:, :-1, -1]


def _matrix(rows: pl.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    return np.column_stack([np.ones(rows.height) if name == "(Intercept)" else rows[name].to_numpy() for name in names])
