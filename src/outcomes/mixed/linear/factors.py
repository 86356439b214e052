"""Relative covariance factors: theta fills Lambda, one lower-triangular k x k matrix a grouping factor.

The engine works with random columns that are centred (where the bracket has an intercept, so that the model stays the
same) and scaled; `Factor.to_work` carries coefficients between the two coordinates: b_work = to_work @ b.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import FormulaError
from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.linear.gram import GramData


@dataclass(frozen=True)
class Factor:
    """A grouping factor with all its random columns.

    Parameters
    ----------
    group : tuple of str
    names : tuple of str, length k
    blocks : tuple of ndarray of int
        Positions in `names` of each bracket of the formula.
    rows, cols : ndarray of int, shape (m,)
        Places in Lambda (k x k) that theta fills, bracket by bracket, column by column.
    columns : ndarray, shape (k, n_random)
        Each working column as a combination of the Gram's centred random columns.
    to_work : ndarray, shape (k, k)
    """

    group: tuple[str, ...]
    names: tuple[str, ...]
    blocks: tuple[np.ndarray, ...]
    rows: np.ndarray
    cols: np.ndarray
    columns: np.ndarray
    to_work: np.ndarray

    @property
    def k(self) -> int:
        """Random columns."""
        return len(self.names)

    @property
    def n_theta(self) -> int:
        """Covariance parameters."""
        return len(self.rows)

    def relative_factor(self, theta: np.ndarray) -> np.ndarray:
        """Relative covariance factor, shape (k, k)."""
        matrix = np.zeros((self.k, self.k))
        matrix[self.rows, self.cols] = theta
        return matrix

    def original_cov(self, cov: np.ndarray) -> np.ndarray:
        """Carry a covariance of working coefficients, shape (..., k, k), to the formula's columns."""
        back = np.linalg.inv(self.to_work)
        return back @ cov @ back.T

    def work_cov(self, cov: np.ndarray) -> np.ndarray:
        """Carry a covariance of the formula's coefficients to the working columns."""
        return self.to_work @ cov @ self.to_work.T


def build_factors(design: Design, gram: GramData) -> tuple[Factor, ...]:
    """Grouping factors of a design, with the coordinates that condition them.

    Raises
    ------
    FormulaError
        When one group has the same random column twice.
    """
    factors = []
    for group in design.groups:
        names: list[str] = []
        blocks: list[np.ndarray] = []
        for block in (block for block in design.random if block.group == group):
            blocks.append(np.arange(len(names), len(names) + len(block.columns)))
            names += block.columns
        if len(set(names)) < len(names):
            raise FormulaError(f"A random effect of {':'.join(group)} is named twice.")
        entries = [(b[i], b[j]) for b in blocks for j in range(len(b)) for i in range(j, len(b))]
        rows, cols = np.array(entries).T
        columns, to_work = _coordinates(design, gram, names, blocks)
        factors.append(Factor(group, tuple(names), tuple(blocks), rows, cols, columns, to_work))
    return tuple(factors)


def theta_slices(factors: tuple[Factor, ...]) -> tuple[slice, ...]:
    """Where each factor's parameters lie in theta."""
    ends = np.cumsum([factor.n_theta for factor in factors])
    return tuple(slice(int(end) - factor.n_theta, int(end)) for factor, end in zip(factors, ends, strict=True))


def lower_factor(cov: np.ndarray) -> np.ndarray:
    """Lower-triangular root with a non-negative diagonal of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(cov)
    root = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T, mode="r").T
    return root * np.where(np.diag(root) < 0, -1.0, 1.0)


def _coordinates(
    design: Design, gram: GramData, names: list[str], blocks: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Working columns as combinations of the Gram's, and the map of coefficients to them."""
    columns = np.zeros((len(names), gram.n_random))
    to_work = np.zeros((len(names), len(names)))
    for block in blocks:
        constant = [i for i in block if design.columns[names[i]] == ONE]
        for i in block:
            source = gram.columns.index(design.columns[names[i]])
            if source == 0:
                columns[i, 0] = to_work[i, i] = 1.0
            elif constant:
                scale = gram.scale[source]
                columns[i, source] = 1 / scale
                to_work[i, i], to_work[constant[0], i] = scale, gram.center[source]
            else:
                scale = np.hypot(gram.scale[source], gram.center[source])
                columns[i, source], columns[i, 0] = 1 / scale, gram.center[source] / scale
                to_work[i, i] = scale
    return columns, to_work
