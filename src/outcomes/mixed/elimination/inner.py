"""The inner Hessian H = Lambda' Z'WZ Lambda + I of the random effects: factor, solve, log-determinant, selected
inverse.

Shapes: C cells, m distinct random columns; factor a has q_a levels with k_a effects; K = sum k_a. Everything is
computed from the cells' sums W_cell (C, m, m); no row is touched here. Vectors over effects are lists with one (q_a,
k_a) array a factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from outcomes.mixed.elimination.batched import positive_inverse
from outcomes.mixed.elimination.factored import Alone, Factored, factored
from outcomes.mixed.elimination.random_blocks import Blocks, sum_by

Effects = list[np.ndarray]


@dataclass(frozen=True)
class Inner:
    """H at given weights and covariance factors; build with `factorise`."""

    blocks: Blocks
    lambdas: tuple[np.ndarray, ...]  # (k_a, k_a)
    weights: np.ndarray  # (C, m, m)
    main_inverse: np.ndarray  # (q_0, k_0, k_0)
    coupling: np.ndarray  # (elements, k_0): columns of the main-by-rest part
    projected: np.ndarray  # (elements, k_0): main_inverse times coupling
    schur: tuple[Factored, ...]  # by bucket
    logdet: float

    @property
    def is_costly(self) -> bool:
        """Whether factoring takes longer than a pass over the rows: many effects hang together."""
        return any(isinstance(block, Alone) for block in self.schur)

    @cached_property
    def schur_inverse(self) -> np.ndarray:
        """Flat store of the inverse Schur blocks."""
        return np.concatenate([block.inverse().ravel() for block in self.schur])

    def solve(self, right: Effects) -> Effects:
        """H^-1 applied to a vector of effects."""
        first = np.einsum("lij,lj->li", self.main_inverse, right[0])
        rest = self.blocks.rest
        if rest is None:
            return [first]
        remainder = np.concatenate([r.ravel() for r in right[1:]])
        remainder = remainder - np.bincount(
            rest.element_column,
            np.einsum("ei,ei->e", self.coupling, first[rest.element_main]),
            minlength=rest.n_columns,
        )
        x = np.empty(rest.n_columns + 1)
        padded = np.append(remainder, 0.0)
        for block, bucket in zip(self.schur, rest.packing.buckets, strict=True):
            x[bucket.members] = block.solve(padded[bucket.members])
        x = x[:-1]
        first = first - sum_by(rest.element_main, self.projected * x[rest.element_column, None], first.shape[0])
        shapes = [(f.n_levels, f.k) for f in self.blocks.factors[1:]]
        edges = np.append(rest.offsets[1:], rest.n_columns)
        return [first, *(x[a:b].reshape(s) for a, b, s in zip(edges[:-1], edges[1:], shapes, strict=True))]

    @cached_property
    def main_diagonal(self) -> np.ndarray:
        """Blocks of H^-1 for the levels of the main factor, shape (q_0, k_0, k_0)."""
        rest = self.blocks.rest
        if rest is None:
            return self.main_inverse
        right = self._pulled
        outer = self.projected[:, :, None] * right[:, None, :]
        return self.main_inverse + sum_by(rest.element_main, outer, self.main_inverse.shape[0])

    def diagonal(self, a: int) -> np.ndarray:
        """Blocks of H^-1 for the levels of factor a, shape (q_a, k_a, k_a)."""
        if a == 0:
            return self.main_diagonal
        rest = self.blocks.rest
        columns = rest.places(self.blocks, a, np.arange(self.blocks.factors[a].n_levels))
        return self.schur_inverse[rest.packing.address(columns[:, :, None], columns[:, None, :])]

    @cached_property
    def _pulled(self) -> np.ndarray:
        """For each element e of main level l: sum over e' of l of Sinv[e, e'] G_e', shape (elements, k_0)."""
        return self.blocks.rest.by_twins(self.schur_inverse) @ self.projected

    @cached_property
    def half_spread(self) -> np.ndarray:
        """U = [H^-1] A' by cell, shape (C, K, m): rows are effects of the cell's levels, columns the m random
        columns."""
        blocks, factors = self.blocks, self.blocks.factors
        edges = np.cumsum([0, *(f.k for f in factors)])
        out = np.zeros((blocks.n_cells, edges[-1], blocks.n_random_columns))
        for a in range(len(factors)):
            for b in range(len(factors)):
                # inverse blocks (C, k_a, k_b) times Lambda_b', put into factor b's columns
                product = self.cell_inverse(a, b) @ self.lambdas[b].T
                for j, column in enumerate(factors[b].columns):
                    out[:, edges[a] : edges[a + 1], column] += product[:, :, j]
        return out

    def cell_inverse(self, a: int, b: int) -> np.ndarray:
        """Blocks of H^-1 between each cell's levels of factors a and b, shape (C, k_a, k_b) (or broadcastable)."""
        blocks = self.blocks
        if a == b:
            return self.diagonal(a)[blocks.levels[a]]
        rest = blocks.rest
        if a == 0 or b == 0:
            other = a + b
            pulled = self._pulled[rest.element_slices[other]]
            size = blocks.factors[other].k
            by_pair = -pulled.reshape(-1, size, pulled.shape[1])[rest.pair_of_cell[other]]
            return by_pair if b == 0 else by_pair.transpose(0, 2, 1)
        left, right = (rest.places(blocks, c, blocks.levels[c]) for c in (a, b))
        return self.schur_inverse[rest.packing.address(left[:, :, None], right[:, None, :])]

    @cached_property
    def spread(self) -> np.ndarray:
        """V by cell, shape (C, m, m): z'Vz is the conditional variance of a row's random part (given beta and
        theta)."""
        return self.loading @ self.half_spread

    @cached_property
    def loading(self) -> np.ndarray:
        """S Lambda, shape (m, K): the m random columns' coefficients from one cell's effects."""
        blocks = self.blocks
        edges = np.cumsum([0, *(f.k for f in blocks.factors)])
        loading = np.zeros((blocks.n_random_columns, edges[-1]))
        for a, factor in enumerate(blocks.factors):
            np.add.at(loading[:, edges[a] : edges[a + 1]], factor.columns, self.lambdas[a])
        return loading

    def trace_derivatives(self) -> list[np.ndarray]:
        """E_a (k_a, k_a): tr(H^-1 A'WZ Lambda_j) of the theta at (r, c) of factor a is E_a[c, r]."""
        edges = np.cumsum([0, *(f.k for f in self.blocks.factors)])
        return [
            np.einsum(
                "cKm,cmr->Kr", self.half_spread[:, edges[a] : edges[a + 1], :], self.weights[:, :, factor.columns]
            )
            for a, factor in enumerate(self.blocks.factors)
        ]


def factorise(blocks: Blocks, lambdas: tuple[np.ndarray, ...], weights: np.ndarray) -> Inner:
    """Factor H from the cells' sums of weights.

    Parameters
    ----------
    blocks : Blocks
    lambdas : tuple of (k_a, k_a) arrays
    weights : ndarray, shape (C, m, m)
        Sums over the rows of each cell of w z z'.
    """
    main = blocks.factors[0]
    columns = main.columns
    by_level = blocks.to_levels(0, weights[:, columns[:, None], columns])
    hessian = lambdas[0].T @ by_level @ lambdas[0] + np.eye(main.k)
    inverse, logdet = positive_inverse(hessian)
    rest = blocks.rest
    if rest is None:
        empty = np.empty((0, main.k))
        return Inner(blocks, lambdas, weights, inverse, empty, empty, (), logdet)
    coupling = np.empty((rest.element_main.size, main.k))
    values = []
    addresses = []
    for a, factor in enumerate(blocks.factors[1:], start=1):
        cross = sum_by(rest.pair_of_cell[a], weights[:, columns[:, None], factor.columns], rest.n_pairs[a])
        cross = lambdas[0].T @ cross @ lambdas[a]  # (pairs, k_0, k_a)
        coupling[rest.element_slices[a]] = cross.transpose(0, 2, 1).reshape(-1, main.k)
        for b in range(1, len(blocks.factors)):
            other = blocks.factors[b]
            left, right = (rest.places(blocks, c, blocks.levels[c]) for c in (a, b))
            addresses.append(rest.packing.address(left[:, :, None], right[:, None, :]).ravel())
            product = lambdas[a].T @ weights[:, factor.columns[:, None], other.columns] @ lambdas[b]
            values.append(product.ravel())
    projected = np.einsum("eij,ej->ei", inverse[rest.element_main], coupling)
    left, right, twins = rest.upper_twins  # what stands below the diagonal is not read
    flat = np.bincount(np.concatenate(addresses), np.concatenate(values), minlength=rest.packing.size)
    flat -= np.bincount(twins, sum(c[left] * p[right] for c, p in zip(coupling.T, projected.T, strict=True)), flat.size)
    schur = []
    for members, block in rest.packing.matrices(flat):
        diagonal = np.arange(members.shape[1])
        block[:, diagonal, diagonal] += 1.0
        found, log_det = factored(block)
        schur.append(found)
        logdet += log_det
    return Inner(blocks, lambdas, weights, inverse, coupling, projected, tuple(schur), float(logdet))
