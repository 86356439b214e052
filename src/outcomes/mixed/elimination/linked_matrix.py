"""One component's symmetric matrix over linked effects: kept sparse where it is large and few of its effects meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

SPARSE_COLUMNS = 300
"""Columns below which a dense product is faster whatever the zeros."""

SPARSE_SHARE = 0.1
"""Share of entries that differ from zero above which a dense product is faster."""

ALONE = 64
"""Columns above which one matrix is worked on by LAPACK alone."""

_BLOCK = 256


class LinkedMatrix(Protocol):
    """Matrices N of the components of one bucket, (n, m, m)."""

    def times(self, columns: np.ndarray) -> np.ndarray:
        """N @ columns; columns (n, m, c)."""

    def diagonals(self, band: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Diagonals on and below the main one of N Lambda inverse, shape (bands, n, m): place c of band d is at
        (c + d, c); Lambda by its bands, `inverse` (n, m, m) symmetric."""


@dataclass(frozen=True)
class Dense:
    """All entries.

    Parameters
    ----------
    entries : ndarray, shape (n, m, m)
    """

    entries: np.ndarray

    def times(self, columns: np.ndarray) -> np.ndarray:
        """See `LinkedMatrix`."""
        return self.entries @ columns

    def diagonals(self, band: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """See `LinkedMatrix`."""
        n, m, _ = self.entries.shape
        scaled = right(self.entries, band)
        found = np.zeros((len(band), n, m))
        for d in range(len(band)):
            found[d, :, : m - d] = np.einsum("nij,nij->ni", scaled[:, d:], inverse[:, : m - d])
        return found


@dataclass(frozen=True)
class Sparse:
    """Entries that can differ from zero, of one component.

    Parameters
    ----------
    entries : csr_array, shape (m, m)
    """

    entries: sp.csr_array

    def times(self, columns: np.ndarray) -> np.ndarray:
        """See `LinkedMatrix`."""
        return (self.entries @ columns[0])[None]

    def diagonals(self, band: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """See `LinkedMatrix`."""
        m = self.entries.shape[0]
        Lambda = sp.diags_array([one[0, : m - d] for d, one in enumerate(band)], offsets=[-d for d in range(len(band))])
        scaled = sp.coo_array(self.entries @ Lambda)
        rows, columns = scaled.coords
        found = np.zeros((len(band), 1, m))
        for d in range(len(band)):
            here = rows >= d
            values = scaled.data[here] * inverse[0, columns[here], rows[here] - d]
            found[d, 0] = np.bincount(rows[here] - d, values, minlength=m)
        return found


def right(N: np.ndarray, band: np.ndarray) -> np.ndarray:
    """N Lambda; N (..., n, m, m), band (bands, ..., n, m): band d of column c is Lambda[c + d, c]."""
    result = N * band[0][..., None, :]
    for d in range(1, len(band)):
        result[..., :-d] += N[..., d:] * band[d][..., None, :-d]
    return result


def left(N: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Lambda' N."""
    result = N * band[0][..., None]
    for d in range(1, len(band)):
        result[..., :-d, :] += N[..., d:, :] * band[d][..., :-d, None]
    return result


def left_transposed(N: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Lambda N."""
    result = N * band[0][..., None]
    for d in range(1, len(band)):
        result[..., d:, :] += N[..., :-d, :] * band[d][..., :-d, None]
    return result


def right_transposed(N: np.ndarray, band: np.ndarray) -> np.ndarray:
    """N Lambda'."""
    return np.swapaxes(left_transposed(np.swapaxes(N, -1, -2), band), -1, -2)


def invert_in_place(matrix: np.ndarray) -> float:
    """Replace one positive definite matrix (m, m), rows contiguous, by its inverse; returns its log determinant.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where it is not positive definite.
    """
    columns = matrix.T  # Fortran's order, which LAPACK works on without a copy
    factor, info = lapack.dpotrf(columns, lower=1, overwrite_a=1, clean=0)
    if info:
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    log_det = 2 * float(np.log(np.diagonal(factor)).sum())
    inverse, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if not np.shares_memory(inverse, matrix):
        columns[...] = inverse
    mirror(matrix)
    return log_det


def mirror(matrix: np.ndarray) -> None:
    """Copy what stands above the diagonal of (m, m), rows contiguous, below it."""
    for start in range(0, len(matrix), _BLOCK):
        stop = start + _BLOCK
        corner = matrix[start:stop, start:stop]
        corner[...] = np.triu(corner) + np.triu(corner, 1).T
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T
