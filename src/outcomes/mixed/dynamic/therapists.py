"""The therapists' intercepts after the clients are eliminated: exact, in dense blocks of linked therapists.

Two therapists are linked when a client saw both. Linked sets of similar size are padded to one size and factored
together; the inverse is needed whole, for the gradient reads it wherever two therapists share a client.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from scipy.sparse.csgraph import connected_components

from outcomes.errors import FitRefused
from outcomes.mixed.dynamic.sequences import Pairs

MAX_LINKED = 5_000
"""Therapists in one linked set: two effects each, so 10,000 columns and 800 MB a matrix."""

LARGE = 200
"""Columns of a block from which LAPACK's Cholesky beats the batched one."""


@dataclass(frozen=True)
class Bucket:
    """Linked sets padded to one size: `shape` (n, m, m) of their matrices, `offset` in the flat storage."""

    shape: tuple[int, int, int]
    offset: int

    @property
    def part(self) -> slice:
        """Its part of the flat storage."""
        return slice(self.offset, self.offset + int(np.prod(self.shape)))


@dataclass(frozen=True)
class Layout:
    """Where the therapists' effects lie.

    Parameters
    ----------
    n : int
        Therapists.
    buckets : tuple of Bucket
    row : ndarray of int, shape (n,)
        Place of a therapist's first column among all padded columns.
    origin : ndarray of int, shape (n,)
        Place in the flat storage of a therapist's own first entry, and `stride`, the columns of its bucket.
    label : ndarray of int, shape (n,)
        Linked set of each therapist.
    """

    n: int
    buckets: tuple[Bucket, ...]
    row: np.ndarray
    origin: np.ndarray
    stride: np.ndarray
    label: np.ndarray

    @property
    def n_rows(self) -> int:
        """Padded columns of all buckets."""
        return sum(bucket.shape[0] * bucket.shape[1] for bucket in self.buckets)

    @property
    def n_flat(self) -> int:
        """Length of the flat storage."""
        return sum(int(np.prod(bucket.shape)) for bucket in self.buckets)

    def places(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Flat places, shape (..., 2, 2), of the blocks of pairs of linked therapists."""
        stride = self.stride[one]
        corner = self.origin[one] + (self.row[other] - self.row[one])
        two = np.arange(2)
        return corner[..., None, None] + two[:, None] * stride[..., None, None] + two


@dataclass(frozen=True)
class Factored:
    """Inverse (flat) and log-determinant of the therapists' matrix."""

    inverse: np.ndarray
    log_det: float


def lay_out(pairs: Pairs) -> Layout:
    """Find the linked sets.

    Raises
    ------
    FitRefused
        When more than `MAX_LINKED` therapists are linked through clients who changed.
    """
    n = int(pairs.therapist.max()) + 1
    n_clients = int(pairs.client.max()) + 1
    seen = sp.csr_array((np.ones(pairs.n), (pairs.client, pairs.therapist)), shape=(n_clients, n))
    _, label = connected_components(seen.T @ seen, directed=False)
    size = np.bincount(label)
    if size.max() > MAX_LINKED:
        raise FitRefused(
            f"{size.max():,} therapists are linked by clients who changed therapist (at most {MAX_LINKED:,}).",
            "leave the therapists out, or fit practices apart",
        )
    padded = 2 ** np.ceil(np.log2(size)).astype(int)
    padded = np.where(size * 2 > LARGE, size, padded)  # a large set is not worth padding
    members = np.argsort(label, kind="stable")
    rank = np.empty(n, dtype=np.int64)
    rank[members] = np.arange(n) - np.repeat(np.cumsum(size) - size, size)
    row, origin, stride = np.empty((3, n), dtype=np.int64)
    buckets, rows, offset = [], 0, 0
    for width in np.unique(padded):
        sets = np.flatnonzero(padded == width)
        order = np.full(len(size), -1)
        order[sets] = np.arange(len(sets))
        own = np.flatnonzero(order[label] >= 0)
        m = 2 * int(width)
        row[own] = rows + order[label[own]] * m + 2 * rank[own]
        origin[own] = offset + order[label[own]] * m * m + 2 * rank[own] * (m + 1)
        stride[own] = m
        bucket = Bucket((len(sets), m, m), offset)
        buckets.append(bucket)
        rows, offset = rows + len(sets) * m, bucket.part.stop
    return Layout(n, tuple(buckets), row, origin, stride, label)


def invert(layout: Layout, flat: np.ndarray) -> Factored:
    """Factor I + `flat`, blocks as `Layout.places` has them."""
    inverse = np.empty_like(flat)
    log_det = 0.0
    for bucket in layout.buckets:
        N = flat[bucket.part].reshape(bucket.shape).copy()
        diagonal = np.arange(bucket.shape[1])
        N[:, diagonal, diagonal] += 1.0
        if bucket.shape[1] >= LARGE:
            found = np.empty_like(N)
            for i, block in enumerate(N):
                lower, info = lapack.dpotrf(block, lower=1, overwrite_a=0)
                if info:
                    raise np.linalg.LinAlgError("the therapists' matrix is not positive definite")
                log_det += 2 * np.log(np.diag(lower)).sum()
                half, _ = lapack.dpotri(lower, lower=1)
                found[i] = np.tril(half) + np.tril(half, -1).T
        else:
            lower = np.linalg.cholesky(N)
            log_det += 2 * np.log(np.diagonal(lower, axis1=1, axis2=2)).sum()
            found = np.linalg.inv(N)
        inverse[bucket.part] = found.ravel()
    return Factored(inverse, float(log_det))


def solve(layout: Layout, factored: Factored, right: np.ndarray) -> np.ndarray:
    """The inverse times `right`, shape (n, 2, q)."""
    q = right.shape[2]
    padded = np.zeros((layout.n_rows, q))
    rows = layout.row[:, None] + np.arange(2)
    padded[rows] = right
    first = 0
    for bucket in layout.buckets:
        n, m, _ = bucket.shape
        part = padded[first : first + n * m].reshape(n, m, q)
        padded[first : first + n * m] = (factored.inverse[bucket.part].reshape(bucket.shape) @ part).reshape(n * m, q)
        first += n * m
    return padded[rows]
