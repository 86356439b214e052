"""From the engine's standardised parameters to estimates in the data's units, with their joint covariance."""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag

from outcomes.mixed.design.coding import INTERCEPT_NAME
from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.likelihood import Best
from outcomes.mixed.dynamic.problem import DynamicProblem
from outcomes.mixed.dynamic.reading.coordinates import Equation, Frame
from outcomes.mixed.dynamic.reading.sessions import Asked
from outcomes.mixed.dynamic.results import DYNAMIC_NAMES, Conversion, DynamicFit, Part
from outcomes.mixed.dynamic.robust import Scores
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.modes import VarianceBlock
from outcomes.mixed.results.status import FitStatus

SINGULAR = 1e-4
"""Standard deviation, relative to the outcome's, below which a combination of intercepts counts as zero."""

FLAT = 1e-9
"""Curvature, relative to the largest, below which the data say nothing along a direction (scaled parameters)."""


def wrap_up(
    asked: Asked,
    frame: Frame,
    best: Best,
    story: OptSummary,
    slopes: np.ndarray,
    timings: dict[str, float],
    *,
    problem: DynamicProblem | None = None,
    scores: Scores | None = None,
) -> DynamicFit:
    """The frozen result; of a fit in parts there is no problem, but the sums of the clusters' scores."""
    facts = frame.facts
    n_groups = asked.groups(facts.n_clients, facts.n_therapists)
    engine_cov = _joint_covariance(best.information, story.hessian, slopes)
    conversion = _conversion(frame, engine_cov)
    everything = conversion.linear @ np.concatenate([best.psi, story.final]) + conversion.shift
    cov = conversion.linear @ engine_cov @ conversion.linear.T
    names = (
        *frame.satisfaction.names,
        *(f"guidance: {name}" for name in frame.guidance.names),
        *DYNAMIC_NAMES,
    )
    parts = (
        *(Part.SATISFACTION for _ in frame.satisfaction.names),
        *(Part.GUIDANCE for _ in frame.guidance.names),
        *(Part.DYNAMICS for _ in DYNAMIC_NAMES),
    )
    messages = _singular(story.final, list(n_groups))
    status = FitStatus.SINGULAR if messages else FitStatus.CONVERGED
    for equation in (frame.satisfaction, frame.guidance):
        if equation.dropped:
            dropped = ", ".join(equation.dropped)
            messages.append(f"Dropped from {equation.outcome}'s equation as combinations of other columns: {dropped}.")
    if not story.is_converged:
        status = FitStatus.NOT_CONVERGED
        messages.append(f"The optimiser did not converge ({story.message}): no standard errors are given.")
        cov = np.full_like(cov, np.nan)
    k = len(names)
    jacobian = facts.n_sessions * np.log(frame.guidance.scale) + facts.n_rated * np.log(frame.satisfaction.scale)
    variances = tuple(
        VarianceBlock(group, ("guidance", "satisfaction"), _covariance(everything, k + 4 + 3 * i))
        for i, group in enumerate(n_groups)
    )
    return DynamicFit(
        formula=asked.equations[0],
        guidance_formula=asked.equations[1],
        names=names,
        parts=parts,
        beta=everything[:k],
        vcov=cov[:k, :k],
        parameters=everything,
        parameter_cov=cov,
        variances=variances,
        llf=float(-best.deviance / 2 - jacobian),
        n_parameters=len(everything),
        nobs=facts.n_sessions + facts.n_rated,
        n_sessions=facts.n_sessions,
        n_rated=facts.n_rated,
        n_missing=facts.n_rows - facts.n_sessions,
        n_groups=n_groups,
        guidance=frame.guidance.outcome,
        satisfaction=frame.satisfaction.outcome,
        status=status,
        messages=tuple(messages),
        optimizer=story,
        timings=timings,
        problem=problem,
        conversion=conversion,
        scores=scores,
    )


def _conversion(frame: Frame, engine_cov: np.ndarray) -> Conversion:
    """How the engine's (psi, theta) become (beta, gamma, dynamics, log standard deviations, factors)."""
    d, y = frame.guidance, frame.satisfaction
    p_d, p_y = len(d.names), len(y.names)
    n_theta = len(engine_cov) - p_d - p_y
    ratio = d.scale / y.scale
    scale = np.ones(n_theta)
    shift = np.zeros(n_theta)
    scale[[1, 2, 4]] = ratio, 1 / ratio, 1 / ratio
    shift[5 : parameters.N_DYNAMIC] = np.log([d.scale, y.scale, d.scale, y.scale])
    factors = np.array([d.scale, y.scale, y.scale])
    scale[parameters.N_DYNAMIC :] = np.tile(factors, (n_theta - parameters.N_DYNAMIC) // 3)
    linear = block_diag(d.scale * d.back[d.kept], y.scale * y.back[y.kept], np.diag(scale))
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
