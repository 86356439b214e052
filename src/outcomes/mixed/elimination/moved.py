"""How the inner Hessian's log-determinant bends: traces of products of its derivatives, for random intercepts.

With H = Lambda' Z'WZ Lambda + I and D_k its derivative along direction k, the second derivatives of log|H| need
tr(H^-1 D_j H^-1 D_k). The main factor's part of H is diagonal here, with inverse M; with U = (-M C; I), C the
main-by-rest part and S the Schur complement, H^-1 = M + U S^-1 U', and

    tr(H^-1 D_j H^-1 D_k) = tr(M D_j M D_k) + 2 tr(S^-1 U'D_j M D_k U) + tr(S^-1 S_j S^-1 S_k),    S_k = U'D_k U,

where S_k is the derivative of S: one product of dense matrices a direction, about the price of factoring S once more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from outcomes.mixed.elimination.inner import Inner
from outcomes.mixed.elimination.random_blocks import sum_by

MAX_HELD = 50_000_000
"""Entries of the products that are held at a time, 8 bytes each."""


def trace_products(inner: Inner, lambdas: np.ndarray, weights: np.ndarray, *, is_rough: bool = False) -> np.ndarray:
    """tr(H^-1 D_j H^-1 D_k), shape (P, P).

    Parameters
    ----------
    inner : Inner
        With one effect a level.
    lambdas : ndarray, shape (factors, P)
        Derivatives of the covariance factors along each direction.
    weights : ndarray, shape (C, P)
        Those of the cells' weights.
    is_rough : bool
        Where factoring is costly, of S^-1 and S_k take the diagonals alone: no product of matrices, and a few percent
        off where levels share little.
    """
    blocks = inner.blocks
    w, lam = inner.weights[:, 0, 0], [L[0, 0] for L in inner.lambdas]
    scaled = w[:, None] * lambdas[0] * (2 * lam[0]) + lam[0] ** 2 * weights
    main = blocks.to_levels(0, scaled)
    inverse = inner.main_inverse[:, 0]
    found = (inverse * main).T @ (inverse * main)
    rest = blocks.rest
    if rest is None:
        return found
    coupled = np.empty((rest.element_main.size, lambdas.shape[1]))
    for a in range(1, len(blocks.factors)):
        product = w[:, None] * (lambdas[0] * lam[a] + lam[0] * lambdas[a]) + lam[0] * lam[a] * weights
        coupled[rest.element_slices[a]] = sum_by(rest.pair_of_cell[a], product, rest.n_pairs[a])
    moved = coupled - main[rest.element_main] * inner.projected
    found += 2 * (inverse[rest.element_main] * moved).T @ (rest.by_twins(inner.schur_inverse) @ moved)
    if is_rough and inner.is_costly:
        return found + _of_diagonals(inner, lambdas, weights, coupled, moved)
    return found + _of_schur(inner, _schur_movement(inner, lambdas, weights, coupled, moved), lambdas.shape[1])


def _schur_movement(
    inner: Inner, lambdas: np.ndarray, weights: np.ndarray, coupled: np.ndarray, moved: np.ndarray
) -> Callable[[int], np.ndarray]:
    """From a direction to the Schur complement's derivative along it, stored flat, right on and above the diagonals."""
    blocks, rest = inner.blocks, inner.blocks.rest
    w, lam, projected = inner.weights[:, 0, 0], [L[0, 0] for L in inner.lambdas], inner.projected[:, 0]
    left, right, twins = rest.upper_twins
    own = range(1, len(lam))
    columns = [rest.places(blocks, a, blocks.levels[a])[:, 0] for a in own]
    addresses = np.concatenate([rest.packing.address(one, other) for one in columns for other in columns])

    def along(k: int) -> np.ndarray:
        step, change = lambdas[:, k], weights[:, k]
        values = [w * (step[a] * lam[b] + lam[a] * step[b]) + lam[a] * lam[b] * change for a in own for b in own]
        flat = np.bincount(addresses, np.concatenate(values), minlength=rest.packing.size)
        pulled = moved[left, k] * projected[right] + projected[left] * coupled[right, k]
        return flat - np.bincount(twins, pulled, minlength=flat.size)

    return along


def _of_diagonals(
    inner: Inner, lambdas: np.ndarray, weights: np.ndarray, coupled: np.ndarray, moved: np.ndarray
) -> np.ndarray:
    """About tr(S^-1 S_j S^-1 S_k), from diagonals."""
    blocks, rest, projected = inner.blocks, inner.blocks.rest, inner.projected
    diagonal = -sum_by(rest.element_column, projected * (moved + coupled), rest.n_columns)
    for a in range(1, len(blocks.factors)):
        lam = inner.lambdas[a][0, 0]
        own = 2 * lam * inner.weights[:, 0] * lambdas[a] + lam**2 * weights
        diagonal[rest.offsets[a] : rest.offsets[a] + blocks.factors[a].n_levels] += blocks.to_levels(a, own)
    every = np.arange(rest.n_columns)
    scaled = inner.schur_inverse[rest.packing.address(every, every)][:, None] * diagonal
    return scaled.T @ scaled


def _of_schur(inner: Inner, along: Callable[[int], np.ndarray], n: int) -> np.ndarray:
    """tr(S^-1 S_j S^-1 S_k), shape (n, n)."""
    packing = inner.blocks.rest.packing
    inverses = [matrices for _, matrices in packing.matrices(inner.schur_inverse)]

    def product(k: int) -> list[np.ndarray]:
        """S^-1 S_k by bucket."""
        above = [np.triu(matrices) for _, matrices in packing.matrices(along(k))]
        return [left @ (u + np.swapaxes(np.triu(u, 1), 1, 2)) for left, u in zip(inverses, above, strict=True)]

    out = np.empty((n, n))
    size = max(1, MAX_HELD // packing.size)
    for start in range(0, n, size):
        held = {j: product(j) for j in range(start, min(start + size, n))}
        for k in range(start, n):
            other = held[k] if k in held else product(k)
            for j in [j for j in held if j <= k]:
                traces = (np.vdot(a, np.swapaxes(b, 1, 2)) for a, b in zip(held[j], other, strict=True))
                out[j, k] = out[k, j] = sum(traces)
    return out
