"""The three passes over the rows of a generalised model: moments, third moments, and the score's weighted sums.

A pass reads X, the events and the cells' random coefficients, and returns sums by cell; chunks of rows stay in the
cache, parts of the rows run side by side. m = 1 with a constant column (random intercepts only) takes shorter ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcomes.links import Derivatives
from outcomes.mixed.generalised.family import OwnDerivatives, RowLikelihood
from outcomes.mixed.generalised.rows import Chunk, Rows, over_parts


@dataclass(frozen=True)
class Moments:
    """Sums by cell: loglik (without binomial coefficients), score (C, m), weight (C, m, m), third (C,) or None.

    `by_row` has the derivatives behind them where all rows are one chunk, for the pass that follows at the same place.
    """

    loglik: float
    score: np.ndarray
    weight: np.ndarray
    third: np.ndarray | None
    by_row: Derivatives | None = None


def moments(rows: Rows, likelihood: RowLikelihood, beta: np.ndarray, coefficients: np.ndarray) -> Moments:
    """Log-likelihood, score and weights at beta (p,) and the cells' random coefficients (C, m).

    `third` (the sums of dw/deta) is only computed for random intercepts, where it costs no further pass.
    """
    m, n_cells = rows.n_random_columns, rows.n_cells

    def work(chunks: Iterator[Chunk]) -> tuple:
        loglik = 0.0
        score, weight = np.zeros((n_cells, m)), np.zeros((n_cells, m, m))
        third = kept = None
        for chunk in chunks:
            row = derivatives(chunk, likelihood, beta, coefficients)
            kept = row if chunk.events.size == rows.n_rows else None
            loglik += float(row.loglik.sum())
            if chunk.Z is None:
                third = np.zeros(n_cells) if third is None else third
                chunk.add_to(score[:, 0], row.score)
                chunk.add_to(weight[:, 0, 0], row.weight)
                chunk.add_to(third, row.third)
            else:
                chunk.add_to(score, row.score[:, None] * chunk.Z)
                weighted = row.weight[:, None] * chunk.Z
                for i in range(m):
                    chunk.add_to(weight[:, i], weighted[:, i, None] * chunk.Z)
        return loglik, score, weight, third, kept

    return Moments(*over_parts(rows, work, _add))


def third_moments(
    rows: Rows, likelihood: RowLikelihood, beta: np.ndarray, coefficients: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """Sums by cell of t v z, shape (C, m), with v = z'Vz from the cells' `spread` (C, m, m)."""

    def work(chunks: Iterator[Chunk]) -> np.ndarray:
        out = np.zeros((rows.n_cells, rows.n_random_columns))
        for chunk in chunks:
            row = derivatives(chunk, likelihood, beta, coefficients)
            chunk.add_to(out, (row.third * quadratic(chunk, spread))[:, None] * chunk.Z)
        return out

    return over_parts(rows, work, np.add)


def score_of_location(
    rows: Rows,
    likelihood: RowLikelihood,
    beta: np.ndarray,
    coefficients: np.ndarray,
    spread: np.ndarray,
    adjoint: np.ndarray,
    by_row: Derivatives | None = None,
    *,
    with_score: bool = True,
) -> np.ndarray:
    """X'(-d + (t v - w z'a)/2), with v from `spread` (C, m, m) and a from `adjoint` (C, m); shape (r + p,).

    Before it the same by the family's own r parameters: sums of -l' + (w' v + d' z'a)/2, by their derivatives of the
    log-likelihood l, the score d and the weight w.

    `by_row` are the derivatives at this place, where they are known; see `Moments`. Without the score -d and -l' are
    left out.
    """

    def work(chunks: Iterator[Chunk]) -> np.ndarray:
        out = np.zeros(likelihood.n_own + rows.n_columns)
        for chunk in chunks:
            row = by_row or derivatives(chunk, likelihood, beta, coefficients)
            if chunk.Z is None:
                variance, along = chunk.spread(spread[:, 0, 0]), chunk.spread(adjoint[:, 0])
            else:
                variance, along = quadratic(chunk, spread), np.einsum("nm,nm->n", chunk.Z, chunk.spread(adjoint))
            half = 0.5 * row.third * variance - 0.5 * row.weight * along
            out[likelihood.n_own :] += chunk.weighted_sum(half - row.score if with_score else half)
            if likelihood.n_own:
                own = by_own(chunk, likelihood, beta, coefficients)
                out[: likelihood.n_own] += 0.5 * (own.weight @ variance + own.score @ along)
                out[: likelihood.n_own] -= own.loglik.sum(axis=1) if with_score else 0.0
        return out

    return over_parts(rows, work, np.add)


@dataclass(frozen=True)
class Information:
    """Information of the location (own, beta): (r + p, r + p), its score (r + p,), loglik, and by cell (C, m, r + p)
    the sums over the rows of z times minus the score's derivative (for beta w z x')."""

    loglik: float
    score: np.ndarray
    fixed: np.ndarray
    mixed: np.ndarray | None


def information(
    rows: Rows, likelihood: RowLikelihood, beta: np.ndarray, coefficients: np.ndarray | None, with_cells: bool
) -> Information:
    """Information of the location (and its products with the random columns) at beta and the coefficients."""
    r, m = likelihood.n_own, rows.n_random_columns
    p = r + rows.n_columns
    loglik, score, fixed = 0.0, np.zeros(p), np.zeros((p, p))
    mixed = np.zeros((rows.n_cells, m, p)) if with_cells else None
    for part in rows.parts():  # one after the other: the products below are BLAS's, which has threads of its own
        for chunk in part():
            row = derivatives(chunk, likelihood, beta, coefficients)
            weighted = row.weight * chunk.X
            loglik += float(row.loglik.sum())
            score[r:] += chunk.weighted_sum(row.score)
            fixed[r:, r:] += weighted @ chunk.X.T
            if r:
                own = by_own(chunk, likelihood, beta, coefficients)
                score[:r] += own.loglik.sum(axis=1)
                fixed[:r, :r] -= own.second.sum(axis=2)
                fixed[:r, r:] -= own.score @ chunk.X.T
                weighted = np.concatenate([-own.score, weighted])
            for i in range(m if with_cells else 0):
                column = weighted if chunk.Z is None else chunk.Z[:, i] * weighted
                mixed[chunk.cells, i] += np.add.reduceat(column, chunk.starts, axis=1).T
    fixed[r:, :r] = fixed[:r, r:].T
    return Information(loglik, score, fixed, mixed)


def derivatives(
    chunk: Chunk, likelihood: RowLikelihood, beta: np.ndarray, coefficients: np.ndarray | None
) -> Derivatives:
    """Log-likelihood derivatives of a chunk's rows."""
    return likelihood.derivatives(chunk.predictor(beta, coefficients), chunk.events, chunk.trials)


def by_own(
    chunk: Chunk, likelihood: RowLikelihood, beta: np.ndarray, coefficients: np.ndarray | None
) -> OwnDerivatives:
    """Derivatives of a chunk's rows by the family's own parameters."""
    return likelihood.by_own(chunk.predictor(beta, coefficients), chunk.events, chunk.trials)


def quadratic(chunk: Chunk, spread: np.ndarray) -> np.ndarray:
    """z'Vz of each row."""
    if chunk.Z is None:
        return chunk.spread(spread[:, 0, 0])
    return np.einsum("ni,nij,nj->n", chunk.Z, chunk.spread(spread), chunk.Z)


def _add(left: tuple, right: tuple) -> tuple:
    """Elementwise sum of two tuples in which absent parts stay absent."""
    return tuple(None if a is None and b is None else (a if b is None else b if a is None else a + b)
                 for a, b in zip(left, right, strict=True))  # fmt: skip
