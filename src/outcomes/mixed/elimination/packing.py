"""Symmetric matrices over the effects that are left after the first factor, stored by connected component.

Two columns (effects of one level) are connected when a level of the first factor has both: only then can the matrix
differ from zero between them. Components of similar size are padded to one size and stored together, so that they are
factored in one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from outcomes.errors import FitRefused

MAX_PAIRS = 200_000_000
"""Pairs of columns that meet in a level of the first factor: 16 bytes each while the constants are built."""

MAX_FLAT = 200_000_000
"""Entries of all components' dense matrices, 8 bytes each and several copies: one component of 14,000 columns. Above
it nothing is stored densely, and the linear model is fitted approximately (`outcomes.mixed.linear.probed`)."""

SMALL = 500
"""Columns up to which padding costs less than further batches."""

ONE_BATCH = 20_000
"""Entries of all components padded to the largest one's size, up to which they are one batch."""

_FEWER = "fit practices or regions apart, nest one factor in another, or leave the largest crossed factor out"


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

    def of(self, flat: np.ndarray) -> np.ndarray:
        """The bucket's matrices (n, m, m) in a flat storage; a view."""
        return flat[self.offset : self.offset + int(np.prod(self.shape))].reshape(self.shape)


@dataclass(frozen=True)
class Packing:
    """Where the entries of such a matrix are stored.

    Parameters
    ----------
    buckets : tuple of Bucket
    start, stride, position : ndarray of int, shape (Q,)
        Of each column: start of its component's matrix in the flat storage, that matrix's row length, its place there.
    is_dense : bool
        Whether the storage can be filled. Where components are too large for it there is one bucket of all columns in
        their order, and places only tell entries apart.
    """

    buckets: tuple[Bucket, ...]
    start: np.ndarray
    stride: np.ndarray
    position: np.ndarray
    is_dense: bool = True

    @property
    def n_columns(self) -> int:
        """Q."""
        return self.position.size

    @property
    def size(self) -> int:
        """Length of the flat storage."""
        return int(sum(np.prod(bucket.shape) for bucket in self.buckets))

    def address(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Flat place of entries; both columns of one component."""
        return self.start[row] + self.position[row] * self.stride[row] + self.position[column]

    def matrices(self, flat: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Members (n, m) and matrices (n, m, m) of each bucket; views of the flat storage."""
        return ((bucket.members, bucket.of(flat)) for bucket in self.buckets)

    def refuse_sparse(self) -> None:
        """Refuse what needs the components as dense matrices, where they are too large for that.

        Raises
        ------
        FitRefused
        """
        if not self.is_dense:
            raise FitRefused(
                f"This needs an exact elimination, and {self.n_columns:,} random effects hang together through levels "
                "that they share: too many.",
                _FEWER,
            )


def pack(level: np.ndarray, column: np.ndarray, n_levels: int, n_columns: int) -> Packing:
    """Lay out the storage.

    Parameters
    ----------
    level, column : ndarray of int, shape (n,)
        Which level of the first factor meets which column, once each.
    n_levels, n_columns : int

    Raises
    ------
    FitRefused
        Where more pairs meet than can be listed.
    """
    n = n_levels + n_columns
    graph = coo_array((np.ones(level.size, dtype=np.int8), (level, n_levels + column)), shape=(n, n))
    labels = connected_components(graph.tocsr(), directed=False)[1][n_levels:]
    component, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    _refuse_entangled(np.bincount(level).astype(float), sizes)
    if np.sum(sizes.astype(float) ** 2) > MAX_FLAT:
        everything = Bucket(np.arange(n_columns)[None], 0)
        none = np.zeros(n_columns, dtype=np.int64)
        return Packing((everything,), none, np.full_like(none, n_columns), np.arange(n_columns), is_dense=False)
    order = np.argsort(component, kind="stable")
    first = np.cumsum(sizes) - sizes
    position = np.empty(n_columns, dtype=np.int64)
    position[order] = np.arange(n_columns) - np.repeat(first, sizes)
    step = 1.25 if n_columns > SMALL else 4.0  # few columns: one batch with more padding beats many batches
    padded = np.ceil(step ** np.ceil(np.log(sizes) / np.log(step) - 1e-9)).astype(np.int64)
    if len(sizes) * sizes.max() ** 2 <= ONE_BATCH:
        padded[:] = sizes.max()
    start, stride = np.empty_like(sizes), np.empty_like(sizes)
    buckets: list[Bucket] = []
    offset = 0
    for size in np.unique(padded):
        chosen = np.flatnonzero(padded == size)
        m = int(sizes[chosen].max())
        slots = first[chosen][:, None] + np.arange(m)
        is_column = np.arange(m) < sizes[chosen][:, None]
        buckets.append(Bucket(np.where(is_column, order[np.minimum(slots, n_columns - 1)], n_columns), offset))
        start[chosen], stride[chosen] = offset + np.arange(chosen.size) * m * m, m
        offset += chosen.size * m * m
    return Packing(tuple(buckets), start[component], stride[component], position)


def pairs_within(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of elements that lie in one run, each with itself included; runs of `sizes` lie end to end."""
    partners = np.repeat(sizes, sizes).astype(np.int64)
    left = np.repeat(np.arange(partners.size), partners)
    start = np.repeat(np.repeat(np.cumsum(sizes) - sizes, sizes), partners)
    return left, start + np.arange(left.size) - np.repeat(np.cumsum(partners) - partners, partners)


def _refuse_entangled(met: np.ndarray, sizes: np.ndarray) -> None:
    """Refuse pairs that cannot be listed: columns met by each level, columns of each component."""
    pairs = float(np.sum(met**2))
    if pairs > MAX_PAIRS:
        raise FitRefused(
            f"The crossed grouping factors are too entangled: {int(sizes.max())} random effects hang together and "
            f"{pairs:.0f} pairs of them meet.",
            _FEWER,
        )
