"""Levels of the grouping factors: which cells they own, and the pattern of the inner Hessian that follows.

The factor with most levels (factor 0, the main one) is eliminated in closed form: its part of the inner Hessian is
block-diagonal. What is left (the Schur complement in the other factors' effects) falls apart into connected
components, which are inverted densely, batched by size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from outcomes.mixed.covariance import CovarianceFactor
from outcomes.mixed.elimination.packing import Packing, pack, pairs_within


@dataclass(frozen=True)
class LevelFactor(CovarianceFactor):
    """One grouping factor with all its brackets.

    Parameters
    ----------
    name : str
    n_levels : int
    columns : ndarray of int, shape (k,)
        Which of the m distinct random-effect columns each effect multiplies.
    """

    name: str
    n_levels: int
    columns: np.ndarray


@dataclass(frozen=True)
class Blocks:
    """Static structure of factors over cells; `levels` is (factors, cells), sorted by factor 0."""

    factors: tuple[LevelFactor, ...]
    levels: np.ndarray
    n_random_columns: int

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.levels.shape[1]

    @property
    def n_theta(self) -> int:
        """Number of covariance parameters."""
        return sum(factor.n_theta for factor in self.factors)

    def to_levels(self, a: int, by_cell: np.ndarray) -> np.ndarray:
        """Sum an array (cells, ...) over the cells of each level of factor a."""
        return sum_by(self.levels[a], by_cell, self.factors[a].n_levels)

    @cached_property
    def rest(self) -> SchurPattern | None:
        """Structure of the factors other than the main one; None when there is only one factor."""
        return None if len(self.factors) == 1 else _rest(self)


@dataclass(frozen=True)
class SchurPattern:
    """Columns of the other factors' effects and where their products go.

    An element is one nonzero column of the main-by-rest part for one level of the main factor.
    `pair_of_cell[a]` and `n_pairs[a]` describe the distinct (main level, level of factor a) pairs.
    """

    offsets: np.ndarray  # (factors,) first column of each factor; factor 0 has none
    pair_of_cell: tuple[np.ndarray, ...]  # factor a: (cells,) index of the cell's pair
    n_pairs: tuple[int, ...]
    element_main: np.ndarray
    element_column: np.ndarray
    element_slices: tuple[slice, ...]
    twin_left: np.ndarray  # pairs of elements of one main level
    twin_right: np.ndarray
    twin_address: np.ndarray
    packing: Packing  # storage of the Schur complement

    @property
    def n_columns(self) -> int:
        """Effects of the other factors."""
        return self.packing.n_columns

    @cached_property
    def upper_twins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Twins on and above the diagonal: left and right elements, and their flat places."""
        position = self.packing.position[self.element_column]
        upper = np.flatnonzero(position[self.twin_left] <= position[self.twin_right])
        return self.twin_left[upper], self.twin_right[upper], self.twin_address[upper]

    @cached_property
    def _twins(self) -> sp.csr_array:
        """Flat places of the Schur complement's entries between the elements of one main level (elements, elements)."""
        n = self.element_main.size
        return sp.csr_array(sp.coo_array((self.twin_address, (self.twin_left, self.twin_right)), shape=(n, n)))

    def by_twins(self, flat: np.ndarray) -> sp.csr_array:
        """A matrix stored flat, between the elements of one main level; zero between others (elements, elements)."""
        twins = self._twins
        return sp.csr_array((flat[twins.data], twins.indices, twins.indptr), shape=twins.shape)

    def places(self, blocks: Blocks, a: int, levels: np.ndarray) -> np.ndarray:
        """Columns (n, k_a) of factor a's effects at some levels (n,)."""
        k = blocks.factors[a].k
        return self.offsets[a] + levels[:, None] * k + np.arange(k)


def sum_by(index: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Sum of `values` (n, ...) by `index` (n,), shape (size, ...)."""
    flat = values.reshape(len(index), -1)
    out = np.empty((size, flat.shape[1]))
    for j in range(flat.shape[1]):
        out[:, j] = np.bincount(index, flat[:, j], minlength=size)
    return out.reshape(size, *values.shape[1:])


def _rest(blocks: Blocks) -> SchurPattern:
    """Work out the pattern once."""
    factors, levels = blocks.factors, blocks.levels
    offsets, total = [0], 0
    pair_of_cell, n_pairs = [np.arange(blocks.n_cells)], [blocks.n_cells]
    element_main, element_column, slices = [], [], [slice(0, 0)]
    n_elements = 0
    for a, factor in enumerate(factors[1:], start=1):
        offsets.append(total)
        key = levels[0].astype(np.int64) * factor.n_levels + levels[a]
        unique, inverse = np.unique(key, return_inverse=True)
        main, level = np.divmod(unique, factor.n_levels)
        pair_of_cell.append(inverse)
        n_pairs.append(main.size)
        element_main.append(np.repeat(main, factor.k))
        element_column.append((total + level[:, None] * factor.k + np.arange(factor.k)).ravel())
        slices.append(slice(n_elements, n_elements + element_main[-1].size))
        n_elements = slices[-1].stop
        total += factor.n_levels * factor.k
    main, column = np.concatenate(element_main), np.concatenate(element_column)
    order = np.argsort(main, kind="stable")
    packing = pack(main, column, factors[0].n_levels, total)
    packing.refuse_sparse()
    left, right = (order[side] for side in pairs_within(np.bincount(main, minlength=factors[0].n_levels)))
    return SchurPattern(
        offsets=np.array(offsets),
        pair_of_cell=tuple(pair_of_cell),
        n_pairs=tuple(n_pairs),
        element_main=main,
        element_column=column,
        element_slices=tuple(slices),
        twin_left=left,
        twin_right=right,
        twin_address=packing.address(column[left], column[right]),
        packing=packing,
    )
