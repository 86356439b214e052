"""Exact Hessian of the Laplace deviance in one pass over the rows, for models with random intercepts only whose family
has no parameters of its own.

With dw = t deta and dt = q deta (q the fourth derivative of the log-likelihood), the derivative of the gradient

    dF/dbeta = X'[-d + (t v - w a) / 2]

along parameter k is  X'[(w + (q v - t a) / 2) deta_k + (t dv_k - w da_k) / 2].  deta is x in its own column plus the
movement of the cell's mode, so that all row sums are sums by cell of w x, t x, q x and q. The movements dv_k, da_k
and those of dF/dtheta depend on cells only and are differences of the cells' algebra: no further pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.mixed.elimination.inner import factorise
from outcomes.mixed.generalised.laplace import (
    Mode,
    Model,
    cell_coefficients,
    logdet_derivatives,
    mode_slopes,
    theta_gradient,
)
from outcomes.mixed.generalised.passes import Moments

STEP = 1e-5
"""Step of the cells' differences, to one side, in units of approximate standard errors: their error is a millionth."""


@dataclass(frozen=True)
class _RowSums:
    """X'(w + (q v - t a)/2)X (p, p), and by cell the sums of w x, t x, q x (C, p) and q (C,)."""

    fixed: np.ndarray
    weight: np.ndarray
    third: np.ndarray
    fourth: np.ndarray
    fourth_alone: np.ndarray


def laplace_hessian(
    model: Model, psi: np.ndarray, mode: Mode, scale: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Second derivatives (P, P) of F = deviance / 2 in psi, and du/dpsi, one (q_a, 1, P) array a factor.

    Parameters
    ----------
    model : Model
        With random intercepts only, of a family without own parameters.
    psi : (P,); mode : the modes there; scale : (P,), approximate standard errors, which set the differences' steps.
    """
    layout = model.layout
    location, theta = layout.location, layout.theta
    extra = logdet_derivatives(model, psi, mode)
    spread, adjoint, here = extra.spread[:, 0, 0], extra.adjoint_cells[:, 0], theta_gradient(model, mode, extra)
    sums = _row_sums(model, psi, mode, spread, adjoint)
    slopes = _slopes(model, mode, sums)
    along = sums.weight + 0.5 * (sums.fourth * spread[:, None] - sums.third * adjoint[:, None])
    hessian = np.zeros((psi.size, psi.size))
    hessian[location, location] = sums.fixed
    for k in range(psi.size):
        du = [slope[..., k] for slope in slopes]
        cells = _moved_coefficients(model, psi, mode, du, k)
        own = (sums.weight[:, k], sums.third[:, k], sums.fourth[:, k]) if k < theta.start else (0.0, 0.0, 0.0)
        moved = Moments(
            loglik=0.0,
            score=-(own[0] + mode.moments.weight[:, 0, 0] * cells)[:, None],
            weight=(own[1] + mode.moments.third * cells)[:, None, None],
            third=own[2] + sums.fourth_alone * cells,
        )
        step = STEP * scale[k]
        ahead = _cell_algebra(model, psi, mode, moved, du, k, step)
        d_spread, d_adjoint, d_theta = ((a - b) / step for a, b in zip(ahead, (spread, adjoint, here), strict=True))
        hessian[location, k] += along.T @ cells + 0.5 * (sums.third.T @ d_spread - sums.weight.T @ d_adjoint)
        hessian[theta, k] = d_theta
    return (hessian + hessian.T) / 2, slopes


def _row_sums(model: Model, psi: np.ndarray, mode: Mode, spread: np.ndarray, adjoint: np.ndarray) -> _RowSums:
    """The one pass over the rows."""
    rows, p = model.rows, model.layout.location.stop
    likelihood, beta = model.likelihood(psi), psi[model.layout.beta]
    fixed = np.zeros((p, p))
    by_cell = [np.zeros((rows.n_cells, p)) for _ in range(3)]
    alone = np.zeros(rows.n_cells)
    for part in rows.parts():
        for chunk in part():
            eta = chunk.predictor(beta, mode.coefficients)
            row = likelihood.derivatives(eta, chunk.events, chunk.trials)
            fourth = likelihood.fourth(eta, chunk.events, chunk.trials)
            chunk.add_to(alone, fourth)
            for target, values in zip(by_cell, (row.weight, row.third, fourth), strict=True):
                target[chunk.cells] += np.add.reduceat(values * chunk.X, chunk.starts, axis=1).T
            total = row.weight + 0.5 * (fourth * chunk.spread(spread) - row.third * chunk.spread(adjoint))
            fixed += (total * chunk.X) @ chunk.X.T
    return _RowSums(fixed, *by_cell, alone)


def _slopes(model: Model, mode: Mode, sums: _RowSums) -> list[np.ndarray]:
    """du/dpsi, one (q_a, 1, P) array a factor."""
    blocks = model.blocks
    right = [blocks.to_levels(a, sums.weight) * L[0, 0] for a, L in enumerate(mode.lambdas)]
    solved = [mode.inner.solve([r[:, j, None] for r in right]) for j in range(model.layout.location.stop)]
    by_theta = mode_slopes(model, mode)
    return [np.concatenate([-np.stack([s[a] for s in solved], axis=2), by_theta[a]], axis=2) for a in range(len(right))]


def _moved_coefficients(model: Model, psi: np.ndarray, mode: Mode, du: list[np.ndarray], k: int) -> np.ndarray:
    """Movement (C,) of the cells' coefficients along parameter k: Lambda du + dLambda u."""
    moved = [change * L[0, 0] for change, L in zip(du, mode.lambdas, strict=True)]
    a = k - model.layout.theta.start  # one theta per factor here
    if a >= 0:
        moved[a] = moved[a] + mode.u[a]
    return cell_coefficients(model.blocks, moved)[:, 0]


def _cell_algebra(
    model: Model, psi: np.ndarray, mode: Mode, moved: Moments, du: list[np.ndarray], k: int, step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """v and a by cell and dF/dtheta, with the cells' sums, the modes and theta moved by `step` along parameter k."""
    there = psi.copy()
    there[k] += step
    lambdas = model.lambdas(there)
    now = mode.moments
    shifted = Moments(
        loglik=0.0,
        score=now.score + step * moved.score,
        weight=now.weight + step * moved.weight,
        third=now.third + step * moved.third,
    )
    at = replace(
        mode,
        u=[u + step * change for u, change in zip(mode.u, du, strict=True)],
        lambdas=lambdas,
        moments=shifted,
        inner=factorise(model.blocks, lambdas, shifted.weight),
    )
    extra = logdet_derivatives(model, there, at)
    return extra.spread[:, 0, 0], extra.adjoint_cells[:, 0], theta_gradient(model, at, extra)
