"""The linear model's grouping factors and the coordinates in which their random columns are well conditioned.

The engine works with random columns that are centred (where the bracket has an intercept, so that the model stays the
same) and scaled; `WorkingFactor.to_work` carries coefficients between the two coordinates: b_work = to_work @ b.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.covariance import CovarianceFactor
from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.design.columns import LEAST_SQUARE, independent_columns
from outcomes.mixed.linear.gram import GramData


@dataclass(frozen=True)
class WorkingFactor(CovarianceFactor):
    """A grouping factor with all its random columns in working coordinates.

    Parameters
    ----------
    group : tuple of str
    names : tuple of str, length k
    columns : ndarray, shape (k, n_random)
        Each working column as a combination of the Gram's centred random columns.
    to_work : ndarray, shape (k, k)
    """

    group: tuple[str, ...]
    names: tuple[str, ...]
    columns: np.ndarray
    to_work: np.ndarray

    def original_cov(self, cov: np.ndarray) -> np.ndarray:
        """Carry a covariance of working coefficients, shape (..., k, k), to the formula's columns."""
        back = np.linalg.inv(self.to_work)
        return back @ cov @ back.T

    def work_cov(self, cov: np.ndarray) -> np.ndarray:
        """Carry a covariance of the formula's coefficients to the working columns."""
        return self.to_work @ cov @ self.to_work.T


def build_factors(design: Design, gram: GramData, *, is_part: bool = False) -> tuple[WorkingFactor, ...]:
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
        columns, to_work = _coordinates(design, gram, names, blocks)
        if not is_part:  # what does not vary in one place may vary in all of them
            _refuse_dependent(gram, ":".join(group), names, columns, blocks)
        brackets = tuple(len(block) for block in blocks)
        factors.append(WorkingFactor(brackets, group, tuple(names), columns, to_work))
    return tuple(factors)


def _refuse_dependent(
    gram: GramData, group: str, names: list[str], columns: np.ndarray, blocks: list[np.ndarray]
) -> None:
    """Refuse a bracket whose columns make up one another: its standard deviations could not be told apart."""
    products = columns @ gram.total[: gram.n_random, : gram.n_random] @ columns.T
    constant = np.abs(columns[:, 1:]).max(axis=1, initial=0.0) == 0
    for block in blocks:
        own = products[np.ix_(block, block)] / max(float(gram.total[0, 0]), 1.0)
        varies = (np.diag(own) > LEAST_SQUARE) | constant[block]
        kept = independent_columns(np.where(np.outer(varies, varies), own, 0.0))
        if not kept.all():
            name = names[block[int(np.argmin(kept))]]
            raise FitRefused(
                f"The random column {name} by {group} does not vary, or its bracket's other columns make it up.",
                "leave it out of the bracket",
            )


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
