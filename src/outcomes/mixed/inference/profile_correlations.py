"""Profile-likelihood intervals of correlations of a linear fit's random effects.

Holding a correlation is a constraint on theta; the deviance is minimised under it by sequential quadratic programming.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize

from outcomes.mixed.covariance import lower_factor
from outcomes.mixed.inference.profile import Row
from outcomes.mixed.linear.factors import WorkingFactor
from outcomes.mixed.linear.fit import profiled
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.results.modes import correlation_name

FARTHEST = 0.999
"""Correlation beyond which the limit is taken to be one."""

STEP = 1e-6
"""Step of the constraint's derivative by theta."""

FLAT = 1e-5
"""Standard deviation relative to sigma below which a correlation does not exist."""


def correlation_rows(best: LinearFit, limit: float) -> list[Row]:
    """Limits of every correlation of a maximum-likelihood fit; those of effects without variance are missing."""
    problem = best.engine_state.problem
    rows: list[Row] = []
    for factor, part in zip(problem.factors, problem.slices, strict=True):
        for block in factor.blocks:
            for j in range(1, len(block)):
                for i in range(j):
                    a, b = block[i], block[j]
                    name = correlation_name(factor.names[a], factor.names[b])
                    estimate = _correlation(factor, best.theta[part], a, b)
                    ends: list[float | None] = [None, None]
                    if np.isfinite(estimate):
                        ends = [_limit(best, factor, part, (a, b), sign, limit) for sign in (-1.0, 1.0)]
                    rows.append((":".join(factor.group), name, estimate, *ends))
    return rows


def _limit(
    best: LinearFit, factor: WorkingFactor, part: slice, pair: tuple[int, int], sign: float, limit: float
) -> float | None:
    """Where the profile reaches the quantile on one side; the bound itself where it is not excluded."""
    objective = profiled(best.engine_state.problem, reml=False)
    estimate = _correlation(factor, best.theta[part], *pair)
    start = best.theta

    def excess(value: float) -> float:
        nonlocal start
        lowest, start = _held(objective, factor, part, pair, value, start)
        return float(np.sqrt(max(lowest - best.criterion, 0.0))) - limit

    if abs(estimate) > FARTHEST:
        estimate = float(np.sign(estimate)) * FARTHEST
        if sign == np.sign(estimate):
            return sign
    inner, outer = estimate, estimate
    while abs(outer) < FARTHEST or outer == estimate:
        outer = float(np.clip(np.tanh(np.arctanh(inner) + sign * 0.3), -FARTHEST, FARTHEST))
        if excess(outer) >= 0:
            return float(brentq(excess, inner, outer, xtol=1e-5))
        if abs(outer) >= FARTHEST:
            return sign
        inner = outer
    return sign


def _held(
    objective: Callable, factor: WorkingFactor, part: slice, pair: tuple[int, int], value: float, start: np.ndarray
) -> tuple[float, np.ndarray]:
    """Lowest deviance and theta with the correlation held."""

    def gap(theta: np.ndarray) -> float:
        return _correlation(factor, theta[part], *pair) - value

    def slope(theta: np.ndarray) -> np.ndarray:
        out = np.zeros(len(theta))
        for j in range(*part.indices(len(theta))):
            step = np.zeros(len(theta))
            step[j] = STEP
            out[j] = (gap(theta + step) - gap(theta - step)) / (2 * STEP)
        return out

    found = minimize(
        objective,
        _with_correlation(factor, part, pair, value, start),
        jac=True,
        method="SLSQP",
        constraints={"type": "eq", "fun": gap, "jac": slope},
        options={"ftol": 1e-9, "maxiter": 200},
    )
    return float(found.fun), found.x


def _correlation(factor: WorkingFactor, theta: np.ndarray, a: int, b: int) -> float:
    """Correlation of two effects in the formula's coordinates; NaN where one of them has no variance."""
    Lambda = factor.relative_factor(theta)
    cov = factor.original_cov(Lambda @ Lambda.T)
    scale = float(np.sqrt(max(cov[a, a], 0.0) * max(cov[b, b], 0.0)))
    work = factor.to_work[a, a] * factor.to_work[b, b]
    return float(cov[a, b] / scale) if scale * work > FLAT**2 else float("nan")


def _with_correlation(
    factor: WorkingFactor, part: slice, pair: tuple[int, int], value: float, theta: np.ndarray
) -> np.ndarray:
    """Theta with the same standard deviations and the correlation asked for, where that is a covariance."""
    a, b = pair
    Lambda = factor.relative_factor(theta[part])
    cov = factor.original_cov(Lambda @ Lambda.T)
    cov[a, b] = cov[b, a] = value * np.sqrt(cov[a, a] * cov[b, b])
    if np.linalg.eigvalsh(cov)[0] <= 0:
        return theta
    start = theta.copy()
    start[part] = lower_factor(factor.work_cov(cov))[factor.rows, factor.cols]
    return start
