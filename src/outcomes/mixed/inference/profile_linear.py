"""Profile-likelihood intervals of a linear fit, from the maximum-likelihood deviance as in lme4.

The signed root of the deviance's rise, zeta(v) = sign(v - estimate) sqrt(d(v) - d_min), is nearly straight; a limit is
where |zeta| meets the normal quantile. d(v) minimises over every other parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError
from outcomes.mixed.covariance import lower_factor
from outcomes.mixed.inference.profile import interval_table, meeting_point, names_to_profile
from outcomes.mixed.inference.profile_correlations import correlation_rows
from outcomes.mixed.linear.deviance import gradient, solve
from outcomes.mixed.linear.factors import WorkingFactor
from outcomes.mixed.linear.fit import fit_crossproducts
from outcomes.mixed.linear.fit import profiled as profiled_deviance
from outcomes.mixed.linear.problem import LinearProblem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.nearby import refine

Profiled = Callable[[float, np.ndarray], tuple[float, np.ndarray]]
"""Maps (value held, start of theta) to (lowest deviance, theta there)."""


@dataclass(frozen=True)
class _Curve:
    """One parameter's profile: how to evaluate it and where to look."""

    component: str
    name: str
    estimate: float
    step: float
    least: float
    profiled: Profiled


def profile_intervals(
    fit: LinearFit, level: float = 0.95, names: tuple[str, ...] | None = None, *, correlations: bool = False
) -> pl.DataFrame:
    """Profile-likelihood intervals.

    Parameters
    ----------
    fit : LinearFit
        Of engine="outcomes"; a REML fit is fitted again by maximum likelihood, as lme4 does.
    level : float
        Of the intervals.
    names : tuple of str, optional
        Fixed effects to profile; default all. Standard deviations and sigma are always profiled.
    correlations : bool
        Profile the correlations too, which takes longest.

    Returns
    -------
    polars.DataFrame
        component ("fixed", the group, or "Residual"), name (``corr(a, b)`` for correlations), estimate (maximum
        likelihood), conf_low, conf_high. A lower limit of zero of a standard deviation means that zero is not excluded,
        a limit of 1 or -1 of a correlation that this is not; a missing limit was not found.

    Raises
    ------
    UsageError
        Unknown names, or a fit of another engine.
    """
    best = _maximum_likelihood(fit)
    curves = (
        [_fixed_curve(best, name) for name in names_to_profile(names, best.names)]
        + _sd_curves(best)
        + [_sigma_curve(best)]
    )
    limit = scipy.stats.norm.ppf((1 + level) / 2)
    rows = []
    for curve in curves:
        ends = [_limit(curve, best, sign, limit) for sign in (-1.0, 1.0)]
        rows.append((curve.component, curve.name, curve.estimate, *ends))
    return interval_table(rows + (correlation_rows(best, limit) if correlations else []))


def profile_zeta(fit: LinearFit, values: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Signed roots of the deviance's rise when parameters are held, one at a time.

    Parameters
    ----------
    fit : LinearFit
    values : dict of (component, name) to float
        Components as in `profile_intervals`. A value lies in the interval of a level exactly when its |zeta| is
        at most the normal quantile.

    Raises
    ------
    UsageError
        Unknown parameters.
    """
    best = _maximum_likelihood(fit)
    curves = {(curve.component, curve.name): curve for curve in [*_sd_curves(best), _sigma_curve(best)]}
    curves |= {("fixed", name): _fixed_curve(best, name) for component, name in values if name in best.names}
    if unknown := [key for key in values if key not in curves]:
        raise UsageError(f"The model has no parameter {unknown[0]!r}.")
    if any(value <= 0 for (component, _), value in values.items() if component != "fixed"):
        raise UsageError("A standard deviation can only be held above zero.", "compare the fit without it (`compare`)")
    return {
        key: float(np.sign(value - curves[key].estimate))
        * float(np.sqrt(max(curves[key].profiled(value, best.theta)[0] - best.criterion, 0.0)))
        for key, value in values.items()
    }


def _maximum_likelihood(fit: LinearFit) -> LinearFit:
    """The fit by maximum likelihood, on the same cross-products."""
    return fit if not fit.reml else fit_crossproducts(fit.formula, fit.engine_state.gram, reml=False)


def _limit(curve: _Curve, best: LinearFit, sign: float, limit: float) -> float | None:
    """Where the profile reaches the quantile on one side."""
    known = {curve.estimate: (-limit, best.theta)}

    def excess(value: float) -> float:
        if value not in known:
            nearest = min(known, key=lambda other: abs(other - value))
            lowest, theta = curve.profiled(value, known[nearest][1])
            known[value] = np.sqrt(max(lowest - best.criterion, 0.0)) - limit, theta
        return known[value][0]

    return meeting_point(excess, curve.estimate, curve.step, curve.least, sign, limit)


def _fixed_curve(best: LinearFit, name: str) -> _Curve:
    """Profile of one fixed effect: beta_k is solved from the constraint, and its column moves into the outcome."""
    problem = best.engine_state.problem
    index = problem.names.index(name)
    contrast = problem.to_original[index] * problem.y_scale  # name's coefficient = contrast @ working + shift
    shift = problem.y_center if name == "(Intercept)" else 0.0
    pivot = int(np.argmax(np.abs(contrast) * np.sqrt(np.diag(problem.XX)[:-1])))
    others = [i for i in range(problem.p) if i != pivot]
    names = tuple(problem.names[i] for i in others)

    def profiled(value: float, theta: np.ndarray) -> tuple[float, np.ndarray]:
        W = np.zeros((problem.p + 1, problem.p))
        for column, i in enumerate(others):
            W[i, column], W[pivot, column] = 1.0, -contrast[i] / contrast[pivot]
        W[problem.p, -1], W[pivot, -1] = 1.0, -(value - shift) / contrast[pivot]
        held = problem.with_columns(W, names)
        found, lowest, _ = refine(profiled_deviance(held, reml=False), theta, best.optimizer.hessian)
        return lowest, found

    se = float(np.sqrt(best.vcov[index, index]))
    return _Curve("fixed", name, float(best.beta[index]), se, -np.inf, profiled)


def _held_sigma(problem: LinearProblem, sigma: float, theta: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Deviance at a working sigma, its gradient by theta at fixed sigma, and y'Py."""
    solution = solve(problem, theta)
    value = solution.log_det_v - problem.log_weights + solution.r2 / sigma**2
    value += problem.n * np.log(2 * np.pi * (sigma * problem.y_scale) ** 2)
    return value, gradient(problem, solution, theta, reml=False, precision=1 / sigma**2), solution.r2


def _sigma_curve(best: LinearFit) -> _Curve:
    """Profile of the residual standard deviation."""
    problem = best.engine_state.problem

    def profiled(value: float, theta: np.ndarray) -> tuple[float, np.ndarray]:
        def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
            return _held_sigma(problem, value / problem.y_scale, values)[:2]

        found, lowest, _ = refine(objective, theta, best.optimizer.hessian)
        return lowest, found

    return _Curve("Residual", "sigma", best.sigma, best.sigma / np.sqrt(2 * problem.n), best.sigma * 1e-3, profiled)


def _sd_curves(best: LinearFit) -> list[_Curve]:
    """Profiles of the random effects' standard deviations.

    With rho(theta) the relative standard deviation, holding sd = s means sigma = s / rho(theta).
    """
    problem = best.engine_state.problem
    curves = []
    for factor, part, n_levels in zip(problem.factors, problem.slices, problem.n_levels, strict=True):
        back = np.linalg.inv(factor.to_work)
        for a, name in enumerate(factor.names):

            def relative(theta: np.ndarray, back=back[a], factor=factor, part=part) -> tuple[float, np.ndarray]:
                row = back @ factor.relative_factor(theta[part])
                rho = float(np.linalg.norm(row))
                slope = np.zeros(len(theta))
                if rho > 0:
                    slope[part] = np.outer(back, row)[factor.rows, factor.cols] / rho
                return rho, slope

            def profiled(
                value: float, theta: np.ndarray, relative=relative, factor=factor, part=part, a=a
            ) -> tuple[float, np.ndarray]:
                def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
                    rho, slope = relative(values)
                    sigma = value / problem.y_scale / rho
                    deviance_held, by_theta, r2 = _held_sigma(problem, sigma, values)
                    by_sigma = 2 * problem.n / sigma - 2 * r2 / sigma**3
                    return deviance_held, by_theta - by_sigma * sigma / rho * slope

                start = _rescaled(factor, part, a, theta, value / best.sigma)
                found, lowest, _ = refine(objective, start, best.optimizer.hessian)
                return lowest, found

            estimate = best.sigma * relative(best.theta)[0]
            unit = best.sigma / factor.to_work[a, a]
            step = max(estimate / np.sqrt(2 * n_levels), 0.1 * unit)
            least = 1e-5 * unit
            curves.append(_Curve(":".join(factor.group), name, estimate, step, least, profiled))
    return curves


def _rescaled(factor: WorkingFactor, part: slice, a: int, theta: np.ndarray, rho: float) -> np.ndarray:
    """Theta whose relative standard deviation of effect `a` is rho: where a search that holds it may start."""
    Lambda = factor.relative_factor(theta[part])
    cov = factor.original_cov(Lambda @ Lambda.T)
    if cov[a, a] > 1e-12:
        stretch = np.ones(factor.k)
        stretch[a] = rho / np.sqrt(cov[a, a])
        cov = cov * np.outer(stretch, stretch)
    else:
        cov[a, a] = rho**2
    start = theta.copy()
    start[part] = lower_factor(factor.work_cov(cov))[factor.rows, factor.cols]
    return start
