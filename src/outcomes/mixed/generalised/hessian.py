"""Exact Hessian of the Laplace deviance in one pass over the rows, for models with random intercepts only whose family
has no parameters of its own.

Along parameter k a row's eta moves by e_k: x in its own column plus the movement c_k of the cell's mode. With d, w, t
and q the first four derivatives of the log-likelihood (dw = t deta, dt = q deta), z the loading of a cell's effects,
z_k its derivative by theta, v = z'H^-1 z, s = H^-1 A'(t v), a = z's and D_k the whole derivative of H,

    F_jk = sum over rows of (w + (q v - t a) / 2) e_j e_k  +  du_j'du_k
         + sum over cells of ((t v - w a) / 2 - d) (z_j'du_k + z_k'du_j) + (z_j's dd_k + z_k's dd_j) / 2
         + sum over cells of dw_j z_k'H^-1 z + dw_k z_j'H^-1 z + w z_j'H^-1 z_k  -  tr(H^-1 D_j H^-1 D_k) / 2.

The second derivatives of the modes are not needed: they meet the score, which is balanced by u, and the
log-determinant, where s stands for them. All row sums are sums by cell of w x, t x, q x and q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.elimination.moved import trace_products
from outcomes.mixed.generalised.laplace import (
    Mode,
    Model,
    logdet_derivatives,
    mode_slopes,
)


@dataclass(frozen=True)
class _RowSums:
    """X'(w + (q v - t a)/2)X (p, p), and by cell the sums of w x, t x, q x (C, p) and q (C,)."""

    fixed: np.ndarray
    weight: np.ndarray
    third: np.ndarray
    fourth: np.ndarray
    fourth_alone: np.ndarray


def laplace_hessian(
    model: Model, psi: np.ndarray, mode: Mode, *, is_rough: bool = False
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Second derivatives (P, P) of F = deviance / 2 in psi, and du/dpsi, one (q_a, 1, P) array a factor.

    Parameters
    ----------
    model : Model
        With random intercepts only, of a family without own parameters.
    psi : (P,); mode : the modes there.
    is_rough : see `trace_products`; to begin or go on with a search.
    """
    layout, blocks, now = model.layout, model.blocks, mode.moments
    p, P = layout.location.stop, psi.size
    extra = logdet_derivatives(model, psi, mode)
    v, a = extra.spread[:, 0, 0], extra.adjoint_cells[:, 0]
    score, weight, third = now.score[:, 0], now.weight[:, 0, 0], now.third
    sums = _row_sums(model, psi, mode, v, a)
    slopes = _slopes(model, mode, sums)
    by_theta = range(p, P)  # one theta per factor here
    along_effects = [u[:, 0][blocks.levels[f]] for f, u in enumerate(mode.u)]
    along_adjoint = [s[:, 0][blocks.levels[f]] for f, s in enumerate(extra.adjoint)]
    moves = [slope[:, 0][blocks.levels[f]] for f, slope in enumerate(slopes)]  # of the cells' effects u, (C, P)

    cells = sum(L[0, 0] * moved for L, moved in zip(mode.lambdas, moves, strict=True))
    for k, u in zip(by_theta, along_effects, strict=True):
        cells[:, k] += u
    d_score, d_weight = -weight[:, None] * cells, third[:, None] * cells
    d_score[:, :p] -= sums.weight
    d_weight[:, :p] += sums.third

    along = sums.weight + 0.5 * (sums.fourth * v[:, None] - sums.third * a[:, None])
    alone = weight + 0.5 * (sums.fourth_alone * v - third * a)
    hessian = cells.T @ (alone[:, None] * cells) + sum(slope[:, 0].T @ slope[:, 0] for slope in slopes)
    hessian[:p, :p] += sums.fixed

    half = np.zeros((P, P))  # what is added with its mirror image
    half[:p] += along.T @ cells
    rest = 0.5 * (third * v - weight * a) - score
    loading = mode.inner.half_spread[:, :, 0]
    for f, k in enumerate(by_theta):
        half[k] += rest @ moves[f] + 0.5 * along_adjoint[f] @ d_score + loading[:, f] @ d_weight
    hessian += half + half.T
    for f, j in enumerate(by_theta):
        for g, k in enumerate(by_theta):
            hessian[j, k] += weight @ mode.inner.cell_inverse(f, g)[:, 0, 0]
    lambdas = np.eye(P)[p:]
    hessian -= 0.5 * trace_products(mode.inner, lambdas, d_weight, is_rough=is_rough)
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
