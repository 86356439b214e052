"""Conditional modes of a linear fit, computed when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import no_such
from outcomes.mixed.elimination.batched import multiply
from outcomes.mixed.linear.deviance import State, cross_quadratic, rest_covariance, rest_covariance_at_lower
from outcomes.mixed.linear.factors import WorkingFactor
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.problem import LinearProblem
from outcomes.mixed.linear.satterthwaite import CovarianceGradient, covariance_gradient
from outcomes.mixed.results.modes import Modes


@dataclass(frozen=True)
class LinearModes:
    """Conditional modes at an optimum.

    Parameters
    ----------
    gram : GramData
    problem : LinearProblem
    theta : ndarray
        Working covariance parameters.
    sigma : float
        Residual standard deviation in the outcome's units.
    solved : State
        The eliminations at the optimum.
    """

    gram: GramData
    problem: LinearProblem
    theta: np.ndarray
    sigma: float
    solved: State

    def covariance_gradient(self, hessian: np.ndarray, vcov: np.ndarray, *, reml: bool) -> CovarianceGradient:
        """Derivatives behind Satterthwaite's degrees of freedom."""
        return covariance_gradient(self.problem, self.solved, self.theta, hessian, vcov, reml=reml)

    def factor_index(self, group: str) -> int:
        """Position of a grouping factor in the problem."""
        names = [":".join(factor.group) for factor in self.problem.factors]
        if group not in names:
            raise no_such("grouping factor of the model", group, names)
        return names.index(group)

    def modes(self, group: str) -> Modes:
        """Modes with their conditional covariances, in the formula's coordinates."""
        index = self.factor_index(group)
        factor, state = self.problem.factors[index], self.solved
        weights = np.append(-state.beta, 1.0) * self.problem.y_scale
        mode = self.coefficients(state, weights)[index]
        if index == 0:
            cov = self._first(state)
        else:
            mine = self.problem.rest.columns[index - 1]
            cov = self._rest(state, np.arange(mine.start, mine.stop), factor)
        back = np.linalg.inv(factor.to_work)
        labels = self.gram.levels[factor.group].labels
        return Modes(labels, factor.names, mode @ back.T, self.sigma**2 * factor.original_cov(cov))

    def coefficients(self, state: State, weights: np.ndarray) -> list[np.ndarray]:
        """Working modes of every factor, each (L, k), for the residual [X y] @ weights."""
        problem, rest = self.problem, self.problem.rest
        remaining = problem.ZX @ weights
        others = []
        if rest is not None:
            of_rest = state.Gamma @ weights
            remaining = remaining - np.stack([E @ of_rest for E in rest.E])
            others = [
                of_rest[mine].reshape(-1, factor.k)
                for mine, factor in zip(rest.columns, problem.factors[1:], strict=True)
            ]
        return [np.einsum("abj,bj->ja", state.B, remaining), *others]

    def _first(self, state: State) -> np.ndarray:
        """Relative covariances (J, k, k) of the eliminated factor."""
        problem = self.problem
        cov = state.B
        if problem.rest is not None:
            spread = cross_quadratic(problem, rest_covariance_at_lower(problem, state))
            cov = cov + multiply(multiply(state.B, spread), state.B)
        return np.moveaxis(cov, 2, 0)

    def _rest(self, state: State, columns: np.ndarray, factor: WorkingFactor) -> np.ndarray:
        """Relative conditional covariances (L, k, k) of another factor."""
        k = factor.k
        first = columns.reshape(-1, k)[:, 0]
        result = np.empty((len(first), k, k))
        level = {int(c): i for i, c in enumerate(first)}
        for bucket, M in zip(self.problem.rest.packing.buckets, rest_covariance(self.problem, state), strict=True):
            for component, members in enumerate(bucket.members):
                for position, column in enumerate(members):
                    if int(column) in level:
                        here = slice(position, position + k)
                        result[level[int(column)]] = M[component, here, here]
        return result
