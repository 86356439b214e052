"""The factors that are left after the first is eliminated: connected components in padded dense batches.

Columns are (level, random column) pairs of all remaining factors. Two columns are connected when a level of the first
factor, or a cell, has both. Components of similar size are padded to one size and factored together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from outcomes.errors import FitRefused
from outcomes.mixed.elimination.batched import symmetric_pairs

MAX_PAIRS = 200_000_000
"""Pairs of levels that meet in a level of the eliminated factor: 16 bytes each while the constants are built."""

MAX_FLAT = 200_000_000
"""Entries of all components' dense matrices, 8 bytes each and several copies: one component of 14,000 columns."""

SMALL = 500
"""Remaining columns up to which padding costs less than further batches."""


@dataclass(frozen=True)
class Bucket:
    """Components padded to one size.

    Parameters
    ----------
    members : ndarray of int, shape (n, m)
        Columns of each component; the number of columns stands for padding.
    offset : int
        Where the bucket's (n, m, m) matrices start in the flat storage.
    """

    members: np.ndarray
    offset: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the bucket's matrices."""
        n, m = self.members.shape
        return n, m, m


@dataclass(frozen=True)
class LinkedLevels:
    """Constants of the remaining factors, Q columns in all.

    Parameters
    ----------
    columns : tuple of slice
        Columns of each factor, level by level.
    widths : tuple of int
        Random columns of each factor.
    E : tuple of csr_array, each (J, Q)
        Cross-products of the eliminated factor's k random columns with the remaining ones.
    F : ndarray, shape (Q, q)
        Cross-products with [X y].
    buckets : tuple of Bucket
    lower, upper : ndarray of int
        Flat places of the entries on and below the diagonal that can differ from zero, and of their mirror images.
    D : ndarray
        Cross-products of the remaining columns at `lower`.
    C, Ct : csr_array
        N[lower] = D - C @ B, with B the stacked symmetric entries of the eliminated factor's matrices; Ct = C'.
    """

    columns: tuple[slice, ...]
    widths: tuple[int, ...]
    E: tuple[sp.csr_array, ...]
    F: np.ndarray
    buckets: tuple[Bucket, ...]
    lower: np.ndarray
    upper: np.ndarray
    D: np.ndarray
    C: sp.csr_array
    Ct: sp.csr_array

    @property
    def n_columns(self) -> int:
        """Q."""
        return self.columns[-1].stop

    def at(self, factor: int, place: int) -> slice:
        """Columns of one random column of a factor, over its levels."""
        whole = self.columns[factor]
        return slice(whole.start + place, whole.stop, self.widths[factor])

    @property
    def flat_size(self) -> int:
        """Length of the flat storage of all components' matrices."""
        return int(sum(np.prod(bucket.shape) for bucket in self.buckets))


def build_rest(
    first: tuple[np.ndarray, np.ndarray, int],
    others: list[tuple[np.ndarray, np.ndarray, int]],
    zz: np.ndarray,
    F: np.ndarray,
) -> LinkedLevels:
    """Prepare the remaining factors.

    Parameters
    ----------
    first, others : (codes, columns, n_levels)
        Codes of the cells, working columns (k, n_random), number of levels.
    zz : ndarray, shape (n_random, n_random, n_cells)
        Cross-products of the Gram's random columns by cell.
    F : ndarray, shape (Q, q)
    """
    sizes = [n_levels * len(columns) for _, columns, n_levels in others]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    n_columns = int(starts[-1])
    columns_of = tuple(slice(int(a), int(b)) for a, b in pairwise(starts))
    widths = tuple(len(columns) for _, columns, _ in others)
    codes, _, n_first = first
    E = _cross(first, others, starts, zz)
    rows, cols, values = _pair_sums(others, starts, zz)
    incidence = _incidence(codes, others, starts, n_first)
    component = _components(incidence)
    _check_size(incidence, component)
    buckets, bucket_of, position = _buckets(component, n_columns)
    flat_start, flat_stride = _flat_addresses(component, buckets, bucket_of, n_columns)

    def address(row: np.ndarray, col: np.ndarray) -> np.ndarray:
        return flat_start[row] + position[row] * flat_stride[row] + position[col]

    client, one, two, coefficients = _client_pairs(incidence, E, position)
    wanted = address(one, two)
    direct = position[rows] >= position[cols]
    lower, place = np.unique(np.concatenate([wanted, address(rows, cols)[direct]]), return_inverse=True)
    D = np.bincount(place[len(wanted) :], weights=values[direct], minlength=len(lower))
    n_pairs = len(coefficients)
    C = sp.csr_array(
        (
            np.concatenate(coefficients),
            (
                np.tile(place[: len(wanted)], n_pairs),
                np.concatenate([client + i * n_first for i in range(n_pairs)]),
            ),
        ),
        shape=(len(lower), n_pairs * n_first),
    )
    upper = _mirror(lower, buckets)
    return LinkedLevels(columns_of, widths, E, F, buckets, lower, upper, D, C, sp.csr_array(C.T))


def _incidence(codes: np.ndarray, others: list, starts: np.ndarray, n_first: int) -> sp.csr_array:
    """Which columns each level of the first factor meets, as ones (J, Q)."""
    rows, cols = [], []
    for (other, columns, _), start in zip(others, starts, strict=False):
        k = len(columns)
        for a in range(k):
            rows.append(codes)
            cols.append(start + other.astype(np.int64) * k + a)
    rows, cols = np.concatenate(rows), np.concatenate(cols)
    keys = np.unique(rows.astype(np.int64) * starts[-1] + cols)
    rows, cols = np.divmod(keys, starts[-1])
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_first))])
    return sp.csr_array((np.ones(len(cols)), cols, pointers), shape=(n_first, int(starts[-1])))


def _cross(first: tuple, others: list, starts: np.ndarray, zz: np.ndarray) -> tuple[sp.csr_array, ...]:
    """E: cross-products of the first factor's columns with all others, one (J, Q) matrix a column."""
    codes, columns, n_first = first
    parts = []
    for a in range(len(columns)):
        rows, cols, values = [], [], []
        for (other, other_columns, _), start in zip(others, starts, strict=False):
            k = len(other_columns)
            for b in range(k):
                rows.append(codes)
                cols.append(start + other.astype(np.int64) * k + b)
                values.append(np.einsum("a,b,abc->c", columns[a], other_columns[b], zz))
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
        matrix = sp.csr_array(sp.coo_array(entries, shape=(n_first, int(starts[-1]))))
        matrix.sort_indices()
        parts.append(matrix)
    return tuple(parts)


def _pair_sums(others: list, starts: np.ndarray, zz: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cross-products among the remaining columns as (row, column, value) by cell, in every order."""
    rows, cols, values = [], [], []
    for (left, left_columns, _), left_start in zip(others, starts, strict=False):
        for (right, right_columns, _), right_start in zip(others, starts, strict=False):
            for a in range(len(left_columns)):
                for b in range(len(right_columns)):
                    rows.append(left_start + left.astype(np.int64) * len(left_columns) + a)
                    cols.append(right_start + right.astype(np.int64) * len(right_columns) + b)
                    values.append(np.einsum("a,b,abc->c", left_columns[a], right_columns[b], zz))
    return np.concatenate(rows), np.concatenate(cols), np.concatenate(values)


def _check_size(incidence: sp.csr_array, component: np.ndarray) -> None:
    """Refuse designs whose remaining factors are too entangled for dense components."""
    pairs = float(np.sum(np.diff(incidence.indptr).astype(float) ** 2))
    largest = np.bincount(component).astype(float)
    if pairs > MAX_PAIRS or np.sum(largest**2) > MAX_FLAT:
        raise FitRefused(
            f"The crossed grouping factors are too entangled: {int(largest.max())} random effects hang together and "
            f"{pairs:.0f} pairs of them meet.",
            "fit practices or regions apart, nest one factor in another, or leave the largest crossed factor out",
        )


def _components(incidence: sp.csr_array) -> np.ndarray:
    """Connected component of each column: columns that meet in a level of the first factor."""
    graph = sp.block_array([[None, incidence], [incidence.T, None]])
    labels = connected_components(graph, directed=False)[1][incidence.shape[0] :]
    return np.unique(labels, return_inverse=True)[1]


def _buckets(component: np.ndarray, n_columns: int) -> tuple[tuple[Bucket, ...], np.ndarray, np.ndarray]:
    """Pad components to sizes in steps of a quarter; returns buckets, each component's place and column positions."""
    sizes = np.bincount(component)
    order = np.argsort(component, kind="stable")
    first = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    position = np.empty(n_columns, dtype=np.int64)
    position[order] = np.arange(n_columns) - np.repeat(first, sizes)
    step = 1.25 if n_columns > SMALL else 4.0  # few columns: one batch with more padding beats many batches
    padded = np.ceil(step ** np.ceil(np.log(sizes) / np.log(step) - 1e-9)).astype(np.int64)
    buckets: list[Bucket] = []
    place = np.empty((len(sizes), 2), dtype=np.int64)
    offset = 0
    for size in np.unique(padded):
        chosen = np.flatnonzero(padded == size)
        m = int(sizes[chosen].max())
        slots = first[chosen][:, None] + np.arange(m)
        is_column = np.arange(m) < sizes[chosen][:, None]
        members = np.where(is_column, order[np.minimum(slots, n_columns - 1)], n_columns)
        place[chosen, 0], place[chosen, 1] = len(buckets), np.arange(len(chosen))
        buckets.append(Bucket(members, offset))
        offset += members.shape[0] * m * m
    return tuple(buckets), place, position


def _flat_addresses(
    component: np.ndarray, buckets: tuple[Bucket, ...], place: np.ndarray, n_columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Start of each column's component matrix in the flat storage, and its row length."""
    size = np.array([bucket.members.shape[1] for bucket in buckets])
    offset = np.array([bucket.offset for bucket in buckets])
    bucket, index = place[component].T
    return offset[bucket] + index * size[bucket] ** 2, size[bucket]


def _client_pairs(
    incidence: sp.csr_array, E: tuple[sp.csr_array, ...], position: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """All pairs of columns that one level of the first factor meets, lower half, with E'E products.

    Returns the level, the two columns, and for each symmetric place (a, b) the coefficient of B[a, b].
    """
    degree = np.diff(incidence.indptr).astype(np.int64)
    client = np.repeat(np.arange(len(degree)), degree)
    repeats = degree[client]
    one = np.repeat(np.arange(len(client)), repeats)
    within = np.arange(len(one)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    two = incidence.indptr[client[one]] + within
    columns = incidence.indices
    keep = position[columns[one]] >= position[columns[two]]
    one, two = one[keep], two[keep]
    data = [matrix.data for matrix in E]  # E has the pattern of the incidence, zeros included
    coefficients = []
    for a, b in symmetric_pairs(len(E)):
        value = data[a][one] * data[b][two]
        if a != b:
            value = value + data[b][one] * data[a][two]
        coefficients.append(value)
    return client[one], columns[one], columns[two], coefficients


def _mirror(lower: np.ndarray, buckets: tuple[Bucket, ...]) -> np.ndarray:
    """Flat places of the transposed entries."""
    upper = np.empty_like(lower)
    for bucket in buckets:
        n, m, _ = bucket.shape
        inside = (lower >= bucket.offset) & (lower < bucket.offset + n * m * m)
        matrix, rest = np.divmod(lower[inside] - bucket.offset, m * m)
        row, col = np.divmod(rest, m)
        upper[inside] = bucket.offset + matrix * m * m + col * m + row
    return upper
