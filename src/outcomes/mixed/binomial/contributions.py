"""What single rows, and single levels of one grouping factor, contribute to the answers about a binomial model.

Nothing of this leaves a place: it serves to see what the sums of many answers give away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outcomes.links import Derivatives
from outcomes.mixed.binomial.shares import Asked, PlaceRows, modes_at
from outcomes.mixed.design.columns import FixedPart
from outcomes.mixed.generalised.laplace import Model, logdet_derivatives
from outcomes.mixed.generalised.passes import derivatives

STEP = 1e-4
"""Of the differences that make second derivatives, on both sides: their error is a hundred-millionth."""


def effects(
    rows: PlaceRows, fixed: FixedPart, order: Sequence[tuple[str, ...]], asked: Asked, at: np.ndarray
) -> list[np.ndarray]:
    """What each random term adds to the linear predictor of each row at a question, by the modes there.

    Parameters
    ----------
    rows : PlaceRows
    fixed : FixedPart
    order : sequence of tuple of str
        The terms' grouping factors, as their parameters stand in `at`.
    asked : Asked
    at : ndarray
        As in `Place.share`.

    Returns
    -------
    list of ndarray, shape (n,)
        One a term, in the order of the rows as they were read; zeros where the question has no random effects.

    Raises
    ------
    FloatingPointError
        Where there are no modes.
    """
    if asked is Asked.INFORMATION:
        return [np.zeros(rows.events.size) for _ in order]
    mode = modes_at(rows.place(fixed, [":".join(group) for group in order]).model, at)
    return [
        L[0, 0] * u[rows.rows.groups[group].codes, 0] for group, L, u in zip(order, mode.lambdas, mode.u, strict=True)
    ]


def row_derivatives(
    rows: PlaceRows, fixed: FixedPart, order: Sequence[tuple[str, ...]], asked: Asked, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Derivatives]:
    """Working columns (n, p), their part of the linear predictor (n,), and the derivatives of the rows' log-likelihood.

    Parameters and errors are those of `effects`.
    """
    columns = ((rows.rows.X - fixed.center) / fixed.scale)[:, fixed.kept]
    along = columns @ at[: columns.shape[1]]
    eta = along + sum(effects(rows, fixed, order, asked, at), np.zeros(along.size))
    return columns, along, rows.link.derivatives(eta, rows.events, rows.trials)


def contributions(model: Model, asked: Asked, at: np.ndarray) -> np.ndarray:
    """The numbers of `Share.to_vector` by level, for a model with one random intercept.

    Parameters
    ----------
    model : Model
        With one grouping factor; its cells are the levels.
    asked : Asked
    at : ndarray, shape (p,) or (p + 1,)
        As in `Place.share`.

    Returns
    -------
    ndarray, shape (levels, numbers)
        They sum to the share.
    """
    if asked is Asked.INFORMATION:
        return _without_effects(model, at)
    found = _deviance(model, at)
    if asked is Asked.DEVIANCE:
        return found
    second = np.stack([_slope(model, at, k) for k in range(at.size)], axis=1)
    upper = np.triu_indices(at.size)
    return np.concatenate([found, second[:, upper[0], upper[1]]], axis=1)


def _slope(model: Model, psi: np.ndarray, k: int) -> np.ndarray:
    """Derivative of half the gradient along parameter k, (levels, m)."""
    step = np.zeros(psi.size)
    step[k] = STEP
    return (_deviance(model, psi + step) - _deviance(model, psi - step))[:, 1:] / (4 * STEP)


def _without_effects(model: Model, beta: np.ndarray) -> np.ndarray:
    """Log-likelihood, score and information without random effects, by level."""
    upper = np.triu_indices(beta.size)
    out = np.zeros((model.rows.n_cells, 1 + beta.size + upper[0].size))
    for part in model.rows.parts():
        for chunk in part():
            row = derivatives(chunk, model.family, beta, None)
            X = chunk.X
            by_row = np.concatenate([row.loglik[None], row.score * X, row.weight * X[upper[0]] * X[upper[1]]])
            out[chunk.cells] += np.add.reduceat(by_row, chunk.starts, axis=1).T
    return out


def _deviance(model: Model, psi: np.ndarray) -> np.ndarray:
    """Laplace deviance and its gradient, by level; see `outcomes.mixed.generalised.laplace`."""
    mode = modes_at(model, psi)
    extra = logdet_derivatives(model, psi, mode)
    beta = psi[model.layout.beta]
    by_rows = np.zeros((model.rows.n_cells, 1 + beta.size))
    for part in model.rows.parts():
        for chunk in part():
            row = derivatives(chunk, model.family, beta, mode.coefficients)
            variance, along = chunk.spread(extra.spread[:, 0, 0]), chunk.spread(extra.adjoint_cells[:, 0])
            half = 0.5 * row.third * variance - 0.5 * row.weight * along - row.score
            by_row = np.concatenate([row.loglik[None], half * chunk.X])
            by_rows[chunk.cells] += np.add.reduceat(by_row, chunk.starts, axis=1).T
    u, adjoint, third = mode.u[0][:, 0], extra.adjoint[0][:, 0], extra.third[0][:, 0]
    score, weight = mode.moments.score[:, 0], mode.moments.weight[:, 0, 0]
    pull = weight * extra.adjoint_cells[:, 0]
    theta = weight * mode.inner.half_spread[:, 0, 0] + (0.5 * third - 0.5 * pull - score) * u + 0.5 * score * adjoint
    value = -2 * by_rows[:, 0] + u * u - np.log(mode.inner.main_inverse[:, 0, 0])
    return np.column_stack([value, 2 * by_rows[:, 1:], 2 * theta])
