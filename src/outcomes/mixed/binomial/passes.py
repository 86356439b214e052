"""The three passes over the rows of a binomial model: moments, third moments, and the score's weighted sums.

A pass reads X, the events and the cells' random coefficients, and returns sums by cell; chunks of rows stay in the
cache, parts of the rows run side by side. m = 1 with a constant column (random intercepts only) takes shorter ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcomes.links import Derivatives, Link
from outcomes.mixed.binomial.rows import Chunk, Rows, over_parts


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


def moments(rows: Rows, link: Link, beta: np.ndarray, coefficients: np.ndarray) -> Moments:
    """Log-likelihood, score and weights at beta (p,) and the cells' random coefficients (C, m).

    `third` (the sums of dw/deta) is only computed for random intercepts, where it costs no further pass.
    """
    m, n_cells = rows.n_random_columns, rows.n_cells

    def work(chunks: Iterator[Chunk]) -> tuple:
        loglik = 0.0
        score, weight = np.zeros((n_cells, m)), np.zeros((n_cells, m, m))
        third = kept = None
        for chunk in chunks:
            row = derivatives(chunk, link, beta, coefficients)
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


def third_moments(rows: Rows, link: Link, beta: np.ndarray, coefficients: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Sums by cell of t v z, shape (C, m), with v = z'Vz from the cells' `spread` (C, m, m)."""

    def work(chunks: Iterator[Chunk]) -> np.ndarray:
        out = np.zeros((rows.n_cells, rows.n_random_columns))
        for chunk in chunks:
            row = derivatives(chunk, link, beta, coefficients)
            chunk.add_to(out, (row.third * _quadratic(chunk, spread))[:, None] * chunk.Z)
        return out

    return over_parts(rows, work, np.add)


def score_of_beta(
    rows: Rows,
    link: Link,
    beta: np.ndarray,
    coefficients: np.ndarray,
    spread: np.ndarray,
    adjoint: np.ndarray,
    by_row: Derivatives | None = None,
) -> np.ndarray:
    """X'(-d + (t v - w z'a)/2), shape (p,), with v from `spread` (C, m, m) and a from `adjoint` (C, m).

    `by_row` are the derivatives at this place, where they are known; see `Moments`.
    """

    def work(chunks: Iterator[Chunk]) -> np.ndarray:
        out = np.zeros(rows.n_columns)
        for chunk in chunks:
            row = by_row or derivatives(chunk, link, beta, coefficients)
            if chunk.Z is None:
                half = 0.5 * row.third * chunk.spread(spread[:, 0, 0]) - 0.5 * row.weight * chunk.spread(adjoint[:, 0])
            else:
                along = np.einsum("nm,nm->n", chunk.Z, chunk.spread(adjoint))
                half = 0.5 * (row.third * _quadratic(chunk, spread) - row.weight * along)
            out += chunk.weighted_sum(half - row.score)
        return out

    return over_parts(rows, work, np.add)


@dataclass(frozen=True)
class Information:
    """X'WX (p, p), X'd (p,), loglik, and by cell the sums of w z x' (C, m, p)."""

    loglik: float
    score: np.ndarray
    fixed: np.ndarray
    mixed: np.ndarray | None


def information(
    rows: Rows, link: Link, beta: np.ndarray, coefficients: np.ndarray | None, with_cells: bool
) -> Information:
    """Information of the fixed effects (and their products with the random columns) at beta and the coefficients."""
    p, m = rows.n_columns, rows.n_random_columns
    loglik, score, fixed = 0.0, np.zeros(p), np.zeros((p, p))
    mixed = np.zeros((rows.n_cells, m, p)) if with_cells else None
    for part in rows.parts():  # one after the other: the products below are BLAS's, which has threads of its own
        for chunk in part():
            row = derivatives(chunk, link, beta, coefficients)
            weighted = row.weight * chunk.X
            loglik += float(row.loglik.sum())
            score += chunk.weighted_sum(row.score)
            fixed += weighted @ chunk.X.T
            for i in range(m if with_cells else 0):
                column = weighted if chunk.Z is None else chunk.Z[:, i] * weighted
                mixed[chunk.cells, i] += np.add.reduceat(column, chunk.starts, axis=1).T
    return Information(loglik, score, fixed, mixed)


def derivatives(chunk: Chunk, link: Link, beta: np.ndarray, coefficients: np.ndarray | None) -> Derivatives:
    """Log-likelihood derivatives of a chunk's rows."""
    eta = chunk.times(beta)
    if coefficients is not None:
        if chunk.Z is None:
            eta += chunk.spread(coefficients[:, 0])
        else:
            eta += np.einsum("nm,nm->n", chunk.Z, chunk.spread(coefficients))
    return link.derivatives(eta, chunk.events, chunk.trials)


def _quadratic(chunk: Chunk, spread: np.ndarray) -> np.ndarray:
    """z'Vz of each row."""
    return np.einsum("ni,nij,nj->n", chunk.Z, chunk.spread(spread), chunk.Z)


def _add(left: tuple, right: tuple) -> tuple:
    """Elementwise sum of two tuples in which absent parts stay absent."""
    return tuple(None if a is None and b is None else (a if b is None else b if a is None else a + b)
                 for a, b in zip(left, right, strict=True))  # fmt: skip
