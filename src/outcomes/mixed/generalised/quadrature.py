"""Adaptive Gauss-Hermite quadrature for one grouping factor, with its exact gradient.

Each level's integral over its k effects is taken over the product of K nodes a dimension, u_j = u + sqrt(2) C x_j
around its mode u, C = L^-T with H = L L' (Pinheiro & Bates 1995, doi 10.1080/10618600.1995.10474663; lme4's nAGQ for
k = 1):

    -log L_l = -log|C| - log sum_j w_j exp(x_j'x_j - h_l(u_j)) + k log(pi) / 2,     h_l(u) = -l_l(u) + u'u / 2

One node is the Laplace approximation. The gradient follows the nodes, which move with the parameters through u and C.
It runs backwards: from the value to C and u, from C through the Cholesky factor to H (Murray 2016, arXiv 1602.07527),
from H to the rows' weights and to u, from u by H^-1 to the parameters; Laplace's gradient is the case H-bar = H^-1 / 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import roots_hermite

from outcomes.mixed.generalised.laplace import LaplaceDeviance, Mode, Model, cell_coefficients
from outcomes.mixed.generalised.passes import by_own, derivatives, score_of_location, third_moments
from outcomes.mixed.generalised.rows import Chunk, over_parts


@dataclass(frozen=True)
class Nodes:
    """Quantities at the M nodes of each of q levels with k effects.

    x : (M, k), standard nodes; u : (q, M, k), where they lie; score : (q, M, k), sums of d z there; slope : (q, M, k),
    dh/du; share : (q, M), posterior weights; spread : (q, k, k), C; value : -log L.
    """

    x: np.ndarray
    u: np.ndarray
    score: np.ndarray
    slope: np.ndarray
    share: np.ndarray
    spread: np.ndarray
    value: float


@dataclass
class QuadratureDeviance:
    """Deviance -2 log L and its gradient by K nodes a dimension; searches its modes by way of a `LaplaceDeviance`."""

    laplace: LaplaceDeviance
    n_nodes: int

    def __call__(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient in psi = (own, beta, theta); infinite where the modes cannot be found."""
        mode = self.laplace.mode_at(psi)
        if mode is None:
            return np.inf, np.zeros(psi.size)
        model = self.laplace.model
        nodes = _nodes(model, psi, mode, self.n_nodes)
        self.laplace.n_passes += 2 * len(nodes.x)
        return 2 * nodes.value, 2 * _gradient(model, psi, mode, nodes)


def _nodes(model: Model, psi: np.ndarray, mode: Mode, n_nodes: int) -> Nodes:
    """Evaluate h and its slope at every node of every level."""
    rows, blocks, likelihood, beta = model.rows, model.blocks, model.likelihood(psi), psi[model.layout.beta]
    factor, (L,) = blocks.factors[0], mode.lambdas
    x, log_weight = _grid(n_nodes, factor.k)
    W = blocks.to_levels(0, mode.moments.weight[:, factor.columns[:, None], factor.columns])
    root = np.linalg.cholesky(L.T @ W @ L + np.eye(factor.k))
    spread = np.linalg.inv(root).transpose(0, 2, 1)
    u = mode.u[0][:, None, :] + np.sqrt(2) * np.einsum("lij,mj->lmi", spread, x)
    by_cell = [cell_coefficients(blocks, [u[:, m] @ L.T]) for m in range(len(x))]

    def work(chunks: Iterator[Chunk]) -> tuple[np.ndarray, np.ndarray]:
        loglik = np.zeros((blocks.n_cells, len(x)))
        score = np.zeros((blocks.n_cells, len(x), factor.k))
        for chunk in chunks:
            for m, coefficients in enumerate(by_cell):
                row = derivatives(chunk, likelihood, beta, coefficients)
                chunk.add_to(loglik[:, m], row.loglik)
                if chunk.Z is None:
                    chunk.add_to(score[:, m, 0], row.score)
                else:
                    chunk.add_to(score[:, m], row.score[:, None] * chunk.Z[:, factor.columns])
        return loglik, score

    loglik, score = over_parts(rows, work, lambda a, b: (a[0] + b[0], a[1] + b[1]))
    loglik, score = blocks.to_levels(0, loglik), blocks.to_levels(0, score)
    terms = log_weight + loglik - (u**2).sum(axis=2) / 2
    top = terms.max(axis=1)
    share = np.exp(terms - top[:, None])
    total = share.sum(axis=1)
    logdet = -np.log(np.diagonal(root, axis1=1, axis2=2)).sum()
    value = -(top + np.log(total)).sum() - logdet + u.shape[0] * factor.k * 0.5 * np.log(np.pi)
    return Nodes(x, u, score, u - score @ L, share / total[:, None], spread, float(value))


def _grid(n_nodes: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (M, k) of the product rule, and log weight + x'x of each."""
    x, w = roots_hermite(n_nodes)
    grid = np.array(list(product(x, repeat=k)))
    return grid, np.log(np.array(list(product(w, repeat=k)))).sum(axis=1) + (grid**2).sum(axis=1)


def _gradient(model: Model, psi: np.ndarray, mode: Mode, nodes: Nodes) -> np.ndarray:
    """Gradient of -log L with the nodes moving."""
    rows, blocks, likelihood, beta = model.rows, model.blocks, model.likelihood(psi), psi[model.layout.beta]
    factor, (L,), found = blocks.factors[0], mode.lambdas, mode.moments
    columns, share, u = factor.columns, nodes.share, mode.u[0]
    by_H = _through_cholesky(nodes)
    spread = np.zeros_like(found.weight)
    spread[:, columns[:, None], columns] = (L @ by_H @ L.T)[blocks.levels[0]]
    if found.third is not None:
        third = found.third[:, None] * spread[:, :, 0]
    else:
        third = third_moments(rows, likelihood, beta, mode.coefficients, spread)
    third = blocks.to_levels(0, third[:, columns])
    by_mode = np.einsum("lm,lmi->li", share, nodes.slope) + third @ L
    (adjoint,) = mode.inner.solve([by_mode])
    cells = cell_coefficients(blocks, [adjoint @ L.T])
    location = score_of_location(
        rows, likelihood, beta, mode.coefficients, 2 * spread, 2 * cells, found.by_row, with_score=False
    )
    location += _at_nodes(model, psi, L, nodes)
    score = blocks.to_levels(0, found.score[:, columns])
    weight = blocks.to_levels(0, found.weight[:, columns[:, None], columns])
    by_lambda = -np.einsum("lm,lmr,lmc->rc", share, nodes.score, nodes.u)
    by_lambda += 2 * np.einsum("lij,lkj->ik", weight @ L, by_H)
    by_lambda += third.T @ u + score.T @ adjoint
    by_lambda -= np.einsum("lrs,ls,lc->rc", weight, adjoint @ L.T, u)
    return model.layout.join(location, by_lambda[factor.theta_positions])


def _through_cholesky(nodes: Nodes) -> np.ndarray:
    """Derivative of the value by H (q, k, k), through C = L^-T."""
    C = nodes.spread
    root_t = np.linalg.inv(C)  # L'
    by_C = -root_t.transpose(0, 2, 1) + np.sqrt(2) * np.einsum("lm,lmi,mj->lij", nodes.share, nodes.slope, nodes.x)
    by_L = np.tril(-C @ by_C.transpose(0, 2, 1) @ C)
    half = np.tril(root_t @ by_L)
    diagonal = np.arange(C.shape[1])
    half[:, diagonal, diagonal] /= 2
    found = C @ half @ C.transpose(0, 2, 1)
    return (found + found.transpose(0, 2, 1)) / 2


def _at_nodes(model: Model, psi: np.ndarray, L: np.ndarray, nodes: Nodes) -> np.ndarray:
    """Derivatives by the location with the nodes held: the mean over the nodes of the score's sums."""
    rows, blocks, likelihood, beta = model.rows, model.blocks, model.likelihood(psi), psi[model.layout.beta]
    by_cell = [cell_coefficients(blocks, [nodes.u[:, m] @ L.T]) for m in range(len(nodes.x))]
    share = nodes.share[blocks.levels[0]]
    r = likelihood.n_own

    def work(chunks: Iterator[Chunk]) -> np.ndarray:
        out = np.zeros(model.layout.location.stop)
        for chunk in chunks:
            total = np.zeros(chunk.events.size)
            for m, coefficients in enumerate(by_cell):
                weight = chunk.spread(share[:, m])
                total -= derivatives(chunk, likelihood, beta, coefficients).score * weight
                if r:
                    out[:r] -= by_own(chunk, likelihood, beta, coefficients).loglik @ weight
            out[r:] += chunk.weighted_sum(total)
        return out

    return over_parts(rows, work, np.add)


def deviance_by_nodes(laplace: LaplaceDeviance, nagq: int) -> LaplaceDeviance | QuadratureDeviance:
    """Laplace's deviance for one node, quadrature for more."""
    return laplace if nagq == 1 else QuadratureDeviance(laplace, nagq)
