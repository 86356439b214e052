"""Profile-likelihood intervals of single coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem
from outcomes.mixed.nearby import refine
from outcomes.mixed.optimise import OptSummary

MAX_STEPS = 20
CLOSE = 1e-4
"""Gap between a limit's signed root of the deviance and the quantile, below which the limit is accepted."""

Profile = Callable[[float, np.ndarray], tuple[float, np.ndarray]]
"""Maps a value of the coefficient, and parameters to start from, to the lowest deviance and where it is."""


def profile_limits(
    problem: DynamicProblem, story: OptSummary, row: np.ndarray, shift: float, estimate: float, error: float, z: float
) -> tuple[float, float]:
    """Both limits of a coefficient: values at which the deviance rises by z squared when all else is refitted.

    Parameters
    ----------
    problem, story
        The data and the search that found the optimum.
    row : ndarray, shape (p + m,); shift : float
        The coefficient is row @ (psi, theta) + shift; the row weighs either psi or one element of theta.
    estimate, error : float
        The coefficient and its standard error.
    z : float
        Normal quantile of the interval.

    Returns
    -------
    tuple of float
        NaN for a limit that was not found.
    """
    p = len(problem.size.linear)
    if row[:p].any():
        profile = _of_linear(problem, story.hessian, row[:p], shift)
    else:
        place = int(np.flatnonzero(row[p:])[0])
        profile = _of_theta(problem, story.hessian, place, row[p + place], shift)
    return tuple(_limit(profile, story, estimate, sign * z * error, z) for sign in (-1, 1))


def _limit(profile: Profile, story: OptSummary, estimate: float, step: float, z: float) -> float:
    """One limit, by stretching the step as the signed root of the deviance asks."""
    theta = story.final
    for _ in range(MAX_STEPS):
        value, theta = profile(estimate + step, theta)
        root = np.sqrt(max(value - story.value, 0.0))
        if not np.isfinite(root) or root == 0.0:
            return np.nan
        if abs(root - z) < CLOSE:
            return estimate + step * z / root
        step *= np.clip(z / root, 0.25, 4.0)
    return np.nan


def _of_linear(problem: DynamicProblem, hessian: np.ndarray, row: np.ndarray, shift: float) -> Profile:
    """Profile of a linear coefficient: least squares with its value held, the best theta outside."""

    def profile(value: float, start: np.ndarray) -> tuple[float, np.ndarray]:
        def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
            try:
                state = evaluate(problem, theta)
            except np.linalg.LinAlgError:
                return np.inf, np.zeros_like(theta)
            direction = np.linalg.solve(state.information, row)
            excess = row @ state.psi + shift - value
            psi = state.psi - direction * excess / (row @ direction)
            held = replace(state, psi=psi, deviance=state.deviance + excess**2 / float(row @ direction))
            return held.deviance, gradient(problem, held)

        theta, lowest, _ = refine(objective, start, hessian)
        return lowest, theta

    return profile


def _of_theta(problem: DynamicProblem, hessian: np.ndarray, place: int, scale: float, shift: float) -> Profile:
    """Profile of an element of theta: the others refitted."""
    others = np.delete(np.arange(problem.n_theta), place)

    def profile(value: float, start: np.ndarray) -> tuple[float, np.ndarray]:
        whole = start.copy()
        whole[place] = (value - shift) / scale

        def objective(rest: np.ndarray) -> tuple[float, np.ndarray]:
            whole[others] = rest
            try:
                state = evaluate(problem, whole)
            except np.linalg.LinAlgError:
                return np.inf, np.zeros_like(rest)
            return state.deviance, gradient(problem, state)[others]

        found, lowest, _ = refine(objective, start[others], hessian[np.ix_(others, others)])
        whole[others] = found
        return lowest, whole

    return profile
