"""The profiled deviance as a function of theta that remembers where it was evaluated last."""

from __future__ import annotations

import numpy as np

from outcomes.mixed.linear.deviance import State, deviance, gradient, solve
from outcomes.mixed.linear.problem import LinearProblem
from outcomes.mixed.linear.search.curvature import exact_hessian


class Profiled:
    """Deviance, gradient and second derivatives of one specification.

    Parameters
    ----------
    problem : LinearProblem
    reml : bool
    """

    def __init__(self, problem: LinearProblem, *, reml: bool) -> None:
        self.problem, self.reml, self.n_evaluations = problem, reml, 0
        self._theta: np.ndarray | None = None
        self._state: State | None = None
        self._found: tuple[float, np.ndarray] | None = None

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Deviance and gradient."""
        state = self.state(theta)
        if self._found is None:
            slope = gradient(self.problem, state, theta, reml=self.reml)
            self._found = deviance(self.problem, state, reml=self.reml), slope
        return self._found

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        """Second derivatives."""
        return exact_hessian(self.problem, self.state(theta), theta, reml=self.reml)

    def state(self, theta: np.ndarray) -> State:
        """The eliminations at theta."""
        if self._theta is None or not np.array_equal(self._theta, theta):
            self._state = self._found = None  # the last one's matrices make room
            self.n_evaluations += 1
            self._state, self._theta = solve(self.problem, theta), theta.copy()
        return self._state
