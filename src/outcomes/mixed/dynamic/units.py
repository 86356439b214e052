"""From the engine's standardised parameters to estimates in the data's units, with their joint covariance."""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag

from outcomes.mixed.design.coding import INTERCEPT_NAME
from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.columns import DynamicRows, Equation
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem
from outcomes.mixed.dynamic.results import DYNAMIC_NAMES, Conversion, DynamicFit, Part
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.modes import VarianceBlock
from outcomes.mixed.results.status import FitStatus

SINGULAR = 1e-4
"""Standard deviation, relative to the outcome's, below which a combination of intercepts counts as zero."""

FLAT = 1e-9
"""Curvature, relative to the largest, below which the data say nothing along a direction (scaled parameters)."""


def wrap_up(
    formulas: tuple[str, str],
    read: DynamicRows,
    problem: DynamicProblem,
    story: OptSummary,
    slopes: np.ndarray,
    n_groups: dict[str, int],
    timings: dict[str, float],
) -> DynamicFit:
    """The frozen result."""
    state = evaluate(problem, story.final)
    engine_cov = _joint_covariance(state.information, story.hessian, slopes)
    conversion = _conversion(read, problem, engine_cov)
    everything = conversion.linear @ np.concatenate([state.psi, story.final]) + conversion.shift
    cov = conversion.linear @ engine_cov @ conversion.linear.T
    names = (
        *read.satisfaction.names,
        *(f"guidance: {name}" for name in read.guidance.names),
        *DYNAMIC_NAMES,
    )
    parts = (
        *(Part.SATISFACTION for _ in read.satisfaction.names),
        *(Part.GUIDANCE for _ in read.guidance.names),
        *(Part.DYNAMICS for _ in DYNAMIC_NAMES),
    )
    messages = _singular(story.final, list(n_groups))
    status = FitStatus.SINGULAR if messages else FitStatus.CONVERGED
    for equation in (read.satisfaction, read.guidance):
        if equation.dropped:
            dropped = ", ".join(equation.dropped)
            messages.append(f"Dropped from {equation.outcome}'s equation as combinations of other columns: {dropped}.")
    if not story.is_converged:
        status = FitStatus.NOT_CONVERGED
        messages.append(f"The optimiser did not converge ({story.message}): no standard errors are given.")
        cov = np.full_like(cov, np.nan)
    k = len(names)
    jacobian = read.n_sessions * np.log(read.guidance.scale) + read.n_rated * np.log(read.satisfaction.scale)
    variances = tuple(
        VarianceBlock(group, ("guidance", "satisfaction"), _covariance(everything, k + 4 + 3 * i))
        for i, group in enumerate(n_groups)
    )
    return DynamicFit(
        formula=formulas[0],
        guidance_formula=formulas[1],
        names=names,
        parts=parts,
        beta=everything[:k],
        vcov=cov[:k, :k],
        parameters=everything,
        parameter_cov=cov,
        variances=variances,
        llf=float(-state.deviance / 2 - jacobian),
        n_parameters=len(everything),
        nobs=problem.n_values,
        n_sessions=read.n_sessions,
        n_rated=read.n_rated,
        n_missing=read.n_rows - read.n_sessions,
        n_groups=n_groups,
        guidance=read.guidance.outcome,
        satisfaction=read.satisfaction.outcome,
        status=status,
        messages=tuple(messages),
        optimizer=story,
        timings=timings,
        problem=problem,
        conversion=conversion,
    )


def _conversion(read: DynamicRows, problem: DynamicProblem, engine_cov: np.ndarray) -> Conversion:
    """How the engine's (psi, theta) become (beta, gamma, dynamics, log standard deviations, factors)."""
    d, y = read.guidance, read.satisfaction
    ratio = d.scale / y.scale
    scale = np.ones(problem.n_theta)
    shift = np.zeros(problem.n_theta)
    scale[[1, 2, 4]] = ratio, 1 / ratio, 1 / ratio
    shift[5 : parameters.N_DYNAMIC] = np.log([d.scale, y.scale, d.scale, y.scale])
    factors = np.array([d.scale, y.scale, y.scale])
    scale[parameters.N_DYNAMIC :] = np.tile(factors, (problem.n_theta - parameters.N_DYNAMIC) // 3)
    p_d, p_y = len(d.names), len(y.names)
    linear = block_diag(d.scale * d.back, y.scale * y.back, np.diag(scale))
    shift = np.concatenate([_center(d), _center(y), shift])
    order = np.concatenate([np.arange(p_d, p_d + p_y), np.arange(p_d), np.arange(p_d + p_y, len(linear))])
    return Conversion(linear[order], shift[order], engine_cov)


def _center(equation: Equation) -> np.ndarray:
    """The outcome's centre, which belongs to the intercept."""
    return np.array([equation.center * (name == INTERCEPT_NAME) for name in equation.names])


def _joint_covariance(information: np.ndarray, hessian: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Inverse of the observed information of (psi, theta), by blocks: the profiled Hessian is theta's Schur complement.

    Directions of theta in which the likelihood is flat (an intercept without variance has no sign and no correlation)
    are left out.
    """
    unit = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian / 2 / np.outer(unit, unit))
    is_curved = values > FLAT * values.max(initial=0.0)
    root = vectors[:, is_curved] / np.sqrt(values[is_curved]) / unit[:, None]
    theta_cov = root @ root.T
    cross = slopes @ theta_cov
    return np.block([[np.linalg.inv(information) + cross @ slopes.T, cross], [cross.T, theta_cov]])


def _covariance(values: np.ndarray, first: int) -> np.ndarray:
    """Covariance of two intercepts from three elements."""
    lower = parameters.factor(values, first)
    return lower @ lower.T


def _singular(theta: np.ndarray, groups: list[str]) -> list[str]:
    """A sentence for each group whose two intercepts are not both there and apart."""
    sentences = []
    for i, group in enumerate(groups):
        lower = parameters.factor(theta, parameters.N_DYNAMIC + 3 * i)
        if np.linalg.svd(lower, compute_uv=False)[-1] >= SINGULAR:
            continue
        sizes = np.linalg.norm(lower, axis=1)
        zero = [name for name, size in zip(("guidance", "satisfaction"), sizes, strict=True) if size < SINGULAR]
        if zero:
            sentences.append(f"Singular: {' and '.join(zero)} do not differ between levels of {group}.")
        else:
            sentences.append(f"Singular: the intercepts of guidance and satisfaction of {group} go together exactly.")
    return sentences
