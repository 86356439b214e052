"""Levels of the grouping factors: which cells they own, and the pattern of the inner Hessian that follows.

The factor with most levels (factor 0, the main one) is eliminated in closed form: its part of the inner Hessian is
block-diagonal. What is left (the Schur complement in the other factors' effects) falls apart into connected
components, which are inverted densely, batched by size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from outcomes.errors import FitRefused
from outcomes.mixed.covariance import CovarianceFactor

MAX_SCHUR_CELLS = 150_000_000
"""Largest Schur complement, in stored numbers (1.2 GB): above it the fit is refused."""

MAX_PAIRS = 60_000_000
"""Most pairs of other levels that share a level of the main factor."""


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
    `pair_*[a]` describe the distinct (main level, level of factor a) pairs; `addresses` point into the flat store of
    Schur blocks, one block a component, blocks of similar size padded to one size and kept together (`classes`).
    """

    offsets: np.ndarray  # (factors,) first column of each factor; factor 0 has none
    n_columns: int
    pair_of_cell: tuple[np.ndarray, ...]  # factor a: (cells,) index of the cell's pair
    pair_main: tuple[np.ndarray, ...]
    pair_level: tuple[np.ndarray, ...]
    element_main: np.ndarray
    element_column: np.ndarray
    element_slices: tuple[slice, ...]
    twin_left: np.ndarray  # pairs of elements of one main level
    twin_right: np.ndarray
    twin_address: np.ndarray
    classes: tuple[tuple[int, int, int], ...]  # (first address, blocks, size)
    column_base: np.ndarray  # (columns,) first address of the column's block
    column_local: np.ndarray
    column_size: np.ndarray
    n_addresses: int
    gather: tuple[np.ndarray, ...]  # by class: (blocks, size) column at each place, n_columns where padded

    def address(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Address of element (left, right) of the Schur complement."""
        return self.column_base[left] + self.column_local[left] * self.column_size[left] + self.column_local[right]


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
    pair_of_cell, pair_main, pair_level = [np.arange(blocks.n_cells)], [levels[0]], [levels[0]]
    element_main, element_column, slices = [], [], [slice(0, 0)]
    n_elements = 0
    for a, factor in enumerate(factors[1:], start=1):
        offsets.append(total)
        key = levels[0].astype(np.int64) * factor.n_levels + levels[a]
        unique, inverse = np.unique(key, return_inverse=True)
        main, level = np.divmod(unique, factor.n_levels)
        pair_of_cell.append(inverse)
        pair_main.append(main)
        pair_level.append(level)
        element_main.append(np.repeat(main, factor.k))
        element_column.append((total + level[:, None] * factor.k + np.arange(factor.k)).ravel())
        slices.append(slice(n_elements, n_elements + element_main[-1].size))
        n_elements = slices[-1].stop
        total += factor.n_levels * factor.k
    main, column = np.concatenate(element_main), np.concatenate(element_column)
    left, right = _twins(main)
    classes, base, local, size, gather = _components(main, column, factors[0].n_levels, total)
    n_addresses = classes[-1][0] + classes[-1][1] * classes[-1][2] ** 2
    return SchurPattern(
        np.array(offsets), total, tuple(pair_of_cell), tuple(pair_main), tuple(pair_level), main, column, tuple(slices),
        left, right, base[column[left]] + local[column[left]] * size[column[left]] + local[column[right]],
        classes, base, local, size, n_addresses, gather,
    )  # fmt: skip


def _twins(main: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of elements that belong to one main level."""
    order = np.argsort(main, kind="stable")
    _, first, count = np.unique(main[order], return_index=True, return_counts=True)
    if (count.astype(np.int64) ** 2).sum() > MAX_PAIRS:
        raise FitRefused(
            "The grouping factors are crossed too densely for this engine's memory "
            f"(up to {count.max()} other effects share one level of the largest factor).",
            "leave out a grouping factor, or average the rows of each combination and use trials as weights",
        )
    repeats = np.repeat(count, count)  # for each element: how many partners
    left = np.repeat(np.arange(main.size), repeats)
    start = np.repeat(np.repeat(first, count), repeats)
    within = np.arange(left.size) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return order[left], order[start + within]


def _components(main: np.ndarray, column: np.ndarray, n_main: int, n_columns: int):
    """Connected components of the columns, in classes of similar size."""
    graph = coo_array(
        (np.ones(main.size, dtype=np.int8), (main, n_main + column)), shape=(n_main + n_columns, n_main + n_columns)
    )
    labels = connected_components(graph.tocsr(), directed=False)[1][n_main:]
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    class_of = np.ceil(np.log2(sizes)).astype(int)
    base = np.zeros(n_columns, dtype=np.int64)
    size = np.zeros(n_columns, dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    local = np.empty(n_columns, dtype=np.int64)
    local[order] = np.arange(n_columns) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    classes, gather, first = [], [], 0
    for kind in np.unique(class_of):
        members = np.flatnonzero(class_of == kind)
        s = int(sizes[members].max())
        rank = np.full(sizes.size, -1)
        rank[members] = np.arange(members.size)
        mine = np.flatnonzero(class_of[labels] == kind)
        base[mine] = first + rank[labels[mine]] * s * s
        size[mine] = s
        places = np.full((members.size, s), n_columns)
        places[rank[labels[mine]], local[mine]] = mine
        classes.append((first, members.size, s))
        gather.append(places)
        first += members.size * s * s
    if first > MAX_SCHUR_CELLS:
        raise FitRefused(
            f"The smaller grouping factors have {n_columns} connected effects: too many for a dense factor.",
            "leave out a grouping factor, or fit practices apart",
        )
    return tuple(classes), base, local, size, tuple(gather)
