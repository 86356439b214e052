"""The linear model's factors that are left after the first is eliminated; columns are (level, random column) pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from outcomes.mixed.elimination.batched import chunks, symmetric_pairs
from outcomes.mixed.elimination.linked_matrix import SPARSE_COLUMNS, SPARSE_SHARE, Dense, LinkedMatrix, Sparse
from outcomes.mixed.elimination.packing import Packing, pack, pairs_within
from outcomes.mixed.layout import consecutive

Chunk = tuple[slice, tuple[sp.csr_array, ...], tuple[sp.csc_array, ...]]
"""Some levels of the eliminated factor: which, their rows of E, and these transposed."""


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
    packing : Packing
        Storage of matrices over the columns.
    lower, upper : ndarray of int
        Flat places of the entries on and below the diagonal that can differ from zero, and of their mirror images.
    rows, cols : ndarray of int
        Columns (in 0 .. Q - 1) that meet at `lower`.
    D : ndarray
        Cross-products of the remaining columns at `lower`.
    C, Ct : csr_array
        N[lower] = D - C @ B, with B the stacked symmetric entries of the eliminated factor's matrices; Ct = C'.
    """

    columns: tuple[slice, ...]
    widths: tuple[int, ...]
    E: tuple[sp.csr_array, ...]
    F: np.ndarray
    packing: Packing
    lower: np.ndarray
    upper: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
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

    @cached_property
    def by_chunk(self) -> tuple[Chunk, ...]:
        """E a few levels at a time."""
        found = []
        for part in chunks(self.E[0].shape[0]):
            rows = tuple(E[part] for E in self.E)
            found.append((part, rows, tuple(E.T for E in rows)))
        return tuple(found)

    @cached_property
    def patterns(self) -> tuple[sp.csr_array | None, ...]:
        """Of each bucket that is one large sparse matrix: its entries' places among the values at `lower`."""
        found: list[sp.csr_array | None] = []
        for bucket in self.packing.buckets:
            n, m, _ = bucket.shape
            mine = np.flatnonzero((self.lower >= bucket.offset) & (self.lower < bucket.offset + n * m * m))
            few = m >= SPARSE_COLUMNS and 2 * len(mine) <= SPARSE_SHARE * m * m
            if self.packing.is_dense and (n > 1 or not few):
                found.append(None)
                continue
            row, col = self.packing.position[self.rows[mine]], self.packing.position[self.cols[mine]]
            off = row != col
            places = np.concatenate([mine, mine[off]])
            coords = (np.concatenate([row, col[off]]), np.concatenate([col, row[off]]))
            found.append(sp.csr_array(sp.coo_array((places, coords), shape=(m, m))))
        return tuple(found)

    def with_products(self, F: np.ndarray) -> LinkedLevels:
        """The same levels with other cross-products with [X y]; what was prepared of them is kept."""
        other = replace(self, F=F)
        prepared = {name: value for name, value in vars(self).items() if name in ("by_chunk", "patterns")}
        vars(other).update(prepared)
        return other

    def flat(self, values: np.ndarray) -> np.ndarray:
        """Flat storage of the symmetric matrices with these values at `lower`."""
        flat = np.zeros(self.packing.size)
        flat[self.lower] = flat[self.upper] = values
        return flat

    def matrices(self, values: np.ndarray) -> tuple[LinkedMatrix, ...]:
        """The symmetric matrices with these values at `lower`, by bucket."""
        flat = self.flat(values) if any(pattern is None for pattern in self.patterns) else None
        return tuple(
            Dense(bucket.of(flat))
            if pattern is None
            else Sparse(sp.csr_array((values[pattern.data], pattern.indices, pattern.indptr), shape=pattern.shape))
            for bucket, pattern in zip(self.packing.buckets, self.patterns, strict=True)
        )


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
    columns_of = consecutive(sizes)
    widths = tuple(len(columns) for _, columns, _ in others)
    codes, _, n_first = first
    E = _cross(first, others, starts, zz)
    rows, cols, values = _pair_sums(others, starts, zz)
    incidence = _incidence(codes, others, starts, n_first)
    level, column = np.repeat(np.arange(n_first), np.diff(incidence.indptr)), incidence.indices
    packing = pack(level, column, n_first, n_columns)
    position = packing.position
    client, one, two, coefficients = _client_pairs(incidence, E, position)
    wanted = packing.address(one, two)
    direct = position[rows] >= position[cols]
    lower, place = _distinct(np.concatenate([wanted, packing.address(rows, cols)[direct]]), packing.size)
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
    upper = np.empty_like(lower)
    upper[place] = np.concatenate([packing.address(two, one), packing.address(cols, rows)[direct]])
    meeting = np.empty((2, len(lower)), dtype=np.int64)
    meeting[:, place] = np.stack([np.concatenate([one, rows[direct]]), np.concatenate([two, cols[direct]])])
    return LinkedLevels(columns_of, widths, E, F, packing, lower, upper, *meeting, D, C, sp.csr_array(C.T))


def _distinct(addresses: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct addresses below `size` in order, and the place of each among them."""
    if size > 8 * addresses.size:
        return np.unique(addresses, return_inverse=True)
    is_used = np.zeros(size, dtype=bool)
    is_used[addresses] = True
    return np.flatnonzero(is_used), (np.cumsum(is_used) - 1)[addresses]


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


def _client_pairs(
    incidence: sp.csr_array, E: tuple[sp.csr_array, ...], position: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """All pairs of columns that one level of the first factor meets, lower half, with E'E products.

    Returns the level, the two columns, and for each symmetric place (a, b) the coefficient of B[a, b].
    """
    degree = np.diff(incidence.indptr).astype(np.int64)
    client = np.repeat(np.arange(len(degree)), degree)
    one, two = pairs_within(degree)
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
