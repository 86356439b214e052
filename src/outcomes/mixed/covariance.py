"""Relative covariance factors: theta fills Lambda bracket by bracket, lower triangles by column, as in lme4."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class CovarianceFactor:
    """The random effects of one grouping factor, as its covariance parameters see them.

    Parameters
    ----------
    brackets : tuple of int
        Effects in each bracket of the formula; they sum to k. Effects of different brackets are uncorrelated.
    """

    brackets: tuple[int, ...]

    @property
    def k(self) -> int:
        """Effects per level."""
        return sum(self.brackets)

    @property
    def blocks(self) -> tuple[np.ndarray, ...]:
        """Positions of each bracket's effects."""
        ends = np.cumsum(self.brackets)
        return tuple(np.arange(end - k, end) for k, end in zip(self.brackets, ends, strict=True))

    @cached_property
    def theta_positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns in Lambda of theta's elements, each (m,)."""
        lower = [(block, *np.triu_indices(len(block))) for block in self.blocks]
        rows = np.concatenate([block[row] for block, _, row in lower])
        return rows, np.concatenate([block[column] for block, column, _ in lower])

    @property
    def rows(self) -> np.ndarray:
        """Row in Lambda of each element of theta, shape (m,)."""
        return self.theta_positions[0]

    @property
    def cols(self) -> np.ndarray:
        """Column in Lambda of each element of theta, shape (m,)."""
        return self.theta_positions[1]

    @property
    def n_theta(self) -> int:
        """Number of covariance parameters, m."""
        return self.rows.size

    def relative_factor(self, theta: np.ndarray) -> np.ndarray:
        """Lambda of one level, shape (k, k), from this factor's theta."""
        matrix = np.zeros((self.k, self.k))
        matrix[self.theta_positions] = theta
        return matrix


def lower_factor(cov: np.ndarray) -> np.ndarray:
    """Lower-triangular root with a non-negative diagonal of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(cov)
    root = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T, mode="r").T
    return root * np.where(np.diag(root) < 0, -1.0, 1.0)
