"""Conditional modes of an approximate fit: the modes are solutions, their covariances estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.elimination.batched import multiply
from outcomes.mixed.linear.deviance import State, cross_quadratic
from outcomes.mixed.linear.factors import WorkingFactor
from outcomes.mixed.linear.modes import LinearModes
from outcomes.mixed.linear.probed.evaluation import Scaled
from outcomes.mixed.linear.probed.system import entries_at, inverse_at, solve_all

FEW_COLUMNS = 256
"""Effects of a factor up to which their covariances are solved for; estimates serve where levels are many."""


@dataclass(frozen=True)
class ProbedModes(LinearModes):
    """Modes at an optimum found by probes.

    Parameters
    ----------
    scaled : Scaled
        The linked effects' system at the optimum.
    probes, solutions : ndarray, shape (Q, n_probes)
    """

    scaled: Scaled
    probes: np.ndarray
    solutions: np.ndarray

    def _first(self, state: State) -> np.ndarray:
        """Relative covariances (J, k, k) of the eliminated factor."""
        rest = self.problem.rest
        spread = cross_quadratic(self.problem, self._between(rest.rows, rest.cols))
        return np.moveaxis(state.B + multiply(multiply(state.B, spread), state.B), 2, 0)

    def _rest(self, state: State, columns: np.ndarray, factor: WorkingFactor) -> np.ndarray:
        """Relative conditional covariances (L, k, k) of another factor."""
        of_level = columns.reshape(-1, factor.k)
        if len(columns) <= FEW_COLUMNS:
            return self._solved(columns)[np.arange(len(columns)).reshape(-1, factor.k)[..., None], of_level[:, None]]
        rows = np.repeat(of_level, factor.k, axis=1)
        return self._between(rows.ravel(), np.tile(of_level, factor.k).ravel()).reshape(-1, factor.k, factor.k)

    def _solved(self, columns: np.ndarray) -> np.ndarray:
        """Rows of Lambda S^-1 Lambda' at some columns, shape (len(columns), Q)."""
        scaled = self.scaled
        right = scaled.scale[:, None] * scaled.Lambda.T[:, columns].toarray()
        return (scaled.Lambda @ (scaled.scale[:, None] * solve_all(scaled.R, right, 0).x)).T

    def _between(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Entries of Lambda S^-1 Lambda': a level's Lambda reaches its own columns only, one at the diagonal and few
        below."""
        found, Lambda = np.zeros(len(rows)), self.scaled.Lambda
        n_bands = len(self.solved.bands)
        for a in range(n_bands):
            for b in range(n_bands):
                one, two = np.maximum(rows - a, 0), np.maximum(columns - b, 0)
                weight = entries_at(Lambda, rows, one) * entries_at(Lambda, columns, two)
                used = np.flatnonzero((weight != 0) & (rows >= a) & (columns >= b))
                inverse = inverse_at(self.scaled.R, self.probes, self.solutions, one[used], two[used])
                found[used] += weight[used] * self.scaled.scale[one[used]] * self.scaled.scale[two[used]] * inverse
        return found
