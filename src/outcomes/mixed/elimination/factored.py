"""Cholesky factors of the components of one bucket: alone by LAPACK where a component is large, else all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from outcomes.mixed.elimination.linked_matrix import ALONE, mirror


class Factored(Protocol):
    """Positive definite matrices (n, m, m)."""

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Solutions (n, m) for right sides (n, m)."""

    def inverse(self) -> np.ndarray:
        """Inverses (n, m, m)."""


@dataclass(frozen=True)
class Alone:
    """One matrix, as its factor.

    Parameters
    ----------
    factor : ndarray, shape (m, m), in Fortran's order
        Lower triangle; what stands above is not read.
    """

    factor: np.ndarray

    def solve(self, right: np.ndarray) -> np.ndarray:
        """See `Factored`."""
        return lapack.dpotrs(self.factor, right[0], lower=1)[0][None]

    def inverse(self) -> np.ndarray:
        """See `Factored`."""
        columns, _ = lapack.dpotri(self.factor, lower=1)
        rows = columns.T
        mirror(rows)
        return rows[None]


@dataclass(frozen=True)
class Together:
    """Many small matrices.

    Parameters
    ----------
    blocks : ndarray, shape (n, m, m)
    """

    blocks: np.ndarray

    def solve(self, right: np.ndarray) -> np.ndarray:
        """See `Factored`."""
        return np.linalg.solve(self.blocks, right[..., None])[..., 0]

    def inverse(self) -> np.ndarray:
        """See `Factored`."""
        return np.linalg.inv(self.blocks)


def factored(blocks: np.ndarray) -> tuple[Factored, float]:
    """Factor matrices (n, m, m) given above their diagonals, and written over; also the sum of their log determinants.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where one is not positive definite.
    """
    if len(blocks) > 1 or blocks.shape[1] <= ALONE:
        blocks = np.triu(blocks) + np.swapaxes(np.triu(blocks, 1), 1, 2)
        diagonals = np.diagonal(np.linalg.cholesky(blocks), axis1=1, axis2=2)
        return Together(blocks), 2.0 * float(np.log(diagonals).sum())
    factor, info = lapack.dpotrf(blocks[0].T, lower=1, overwrite_a=1, clean=0)
    if info:
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return Alone(factor), 2.0 * float(np.log(np.diagonal(factor)).sum())
