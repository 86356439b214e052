"""Fit a prepared generalised mixed model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.covariance import lower_factor
from outcomes.mixed.generalised.hessian import laplace_hessian
from outcomes.mixed.generalised.laplace import LaplaceDeviance, Mode
from outcomes.mixed.generalised.problem import Problem
from outcomes.mixed.generalised.quadrature import deviance_by_nodes
from outcomes.mixed.generalised.starts import find_start, has_exact_hessian
from outcomes.mixed.generalised.state import State
from outcomes.mixed.nearby import Objective
from outcomes.mixed.optimise import OptSummary, informed_inverse, minimise
from outcomes.mixed.results.modes import VarianceBlock
from outcomes.mixed.results.status import FitStatus

MAX_NODES = 25
"""Most quadrature nodes."""

SINGULAR_SD = 1e-4
"""A combination of random effects with a smaller standard deviation, relative to the latent residual's, counts as
zero."""

HESSIAN_STEP = 1e-3
"""Step of the Hessian's differences in units of approximate standard errors: the modes' error (1e-8) stays far below
it."""

GRADIENT_TOLERANCE = 1e-4
"""Largest gradient, in units of approximate standard errors, where a Hessian by differences is taken: keeps its error
near 1e-5."""

ROUGH_TOLERANCE = 1e-3
"""The same where an exact Hessian is at hand: by it the search goes on to the optimum in fewer steps."""

MAX_PRODUCT = 2
"""Most random effects over which quadrature runs: its nodes are a product, nagq to the power of the effects."""


def check_nodes(nagq: int) -> None:
    """Refuse a number of quadrature nodes that does not exist."""
    if not isinstance(nagq, int) or not 1 <= nagq <= MAX_NODES:
        raise UsageError(f"nagq must be a whole number from 1 to {MAX_NODES}.")


def fitted_parts(problem: Problem, nagq: int = 1) -> dict[str, Any]:
    """Optimise a prepared model: what every `GeneralisedFit` is made of; `timings` is left empty.

    Raises
    ------
    UsageError
        Quadrature for several grouping factors, or for more than `MAX_PRODUCT` random effects.
    FitRefused
        Separation, or a likelihood that cannot be evaluated.
    """
    model = problem.model
    factors = model.blocks.factors
    if nagq > 1 and len(factors) > 1:
        raise UsageError(
            f"Quadrature is for one grouping factor; this model has {len(factors)}.",
            "fit with nagq=1, and see what Laplace costs these data in a model of one factor with nagq=1 and nagq=9",
        )
    if nagq > 1 and factors[0].k > MAX_PRODUCT:
        raise UsageError(
            f"Quadrature is for a random intercept and one slope; this model has {factors[0].k} random effects.",
            "leave slopes out, or fit with nagq=1",
        )
    start = find_start(model, problem.coordinates.names)
    laplace = LaplaceDeviance.near(model, start.psi, start.mode, start.by_location)
    deviance = deviance_by_nodes(laplace, nagq)

    def hessian(z: np.ndarray, *, is_rough: bool = False) -> np.ndarray:
        psi = start.psi + start.root @ z
        mode = laplace.mode_at(psi)
        if mode is None:
            raise FitRefused("The likelihood could not be evaluated.", "look for extreme values in the columns")
        found, _ = laplace_hessian(model, psi, mode, is_rough=is_rough)
        return 2 * start.root.T @ found @ start.root

    def rough(z: np.ndarray) -> np.ndarray:
        return hessian(z, is_rough=True)

    is_exact = nagq == 1 and has_exact_hessian(model)
    near = is_exact and start.has_hessian
    second, settle = (hessian, rough) if is_exact else (None, None)
    optimum = optimise_whitened(deviance, second, start.psi, start.root, is_near=near, settle=settle)
    psi = start.psi + start.root @ optimum.final
    return wrap(problem, psi, start.root, optimum, laplace.mode_at(psi), nagq)


def optimise_whitened(
    deviance: Objective, hessian: Callable[[np.ndarray], np.ndarray] | None, start: np.ndarray, root: np.ndarray, *,
    is_near: bool, settle: Callable[[np.ndarray], np.ndarray] | None = None,
) -> OptSummary:  # fmt: skip
    """Minimise a deviance in units of approximate standard errors, z with psi = start + root z.

    Parameters
    ----------
    deviance : callable
        Value and gradient at psi.
    hessian : callable or None
        Second derivatives by z, at z; differences of the gradient where there is none.
    start : ndarray, shape (P,)
    root : ndarray, shape (P, P)
        Of the parameters' approximate covariance.
    is_near : bool
        Whether `root` is from the Hessian at the start.
    settle : callable, optional
        About the second derivatives by z: see `minimise`.

    Raises
    ------
    FitRefused
        A deviance that cannot be evaluated.
    """
    last: dict[bytes, tuple[float, np.ndarray]] = {}  # the optimiser asks for some points twice

    def whitened(z: np.ndarray) -> tuple[float, np.ndarray]:
        key = z.tobytes()
        if key not in last:
            last.clear()
            value, gradient = deviance(start + root @ z)
            last[key] = value, root.T @ gradient
        return last[key]

    optimum = minimise(
        whitened,
        np.zeros(start.size),
        curvature=np.full(start.size, 2.0),
        hessian_step=HESSIAN_STEP,
        gradient_tolerance=GRADIENT_TOLERANCE,
        exact_hessian=hessian,
        near=2.0 * np.eye(start.size) if is_near else None,
        near_tolerance=GRADIENT_TOLERANCE if settle is None else ROUGH_TOLERANCE,
        settle=settle,
    )
    if not np.isfinite(optimum.value):
        raise FitRefused("The likelihood could not be evaluated.", "look for extreme values in the columns")
    return optimum


def wrap(
    problem: Problem, psi: np.ndarray, root: np.ndarray, optimum: OptSummary, mode: Mode | None, nagq: int = 1
) -> dict[str, Any]:
    """Result on the formula's columns; `mode` is None where the levels' effects are not known."""
    model, coordinates, layout = problem.model, problem.coordinates, problem.model.layout
    covariance = root @ informed_inverse(optimum.hessian / 2) @ root.T
    beta = coordinates.fixed @ psi[layout.beta]
    variances, theta, singular = [], [], []
    for a, factor in enumerate(model.blocks.factors):
        part = psi[layout.by_factor[a]]
        cov = coordinates.covariance(a, factor, part)
        at = 0
        for k in factor.brackets:
            names = coordinates.effects[a][at : at + k]
            block = cov[at : at + k, at : at + k]
            spread = np.linalg.svd(factor.relative_factor(part)[at : at + k, at : at + k], compute_uv=False)
            if spread.min() < SINGULAR_SD * np.sqrt(model.family.latent_variance):
                singular.append(_singular_message(factor.name, names))
                # exact zeros, so that no reader takes rounding for an estimate
                block = np.zeros_like(block) if spread.max() < SINGULAR_SD else block
            variances.append(VarianceBlock(factor.name, names, block))
            theta.append(lower_factor(block)[np.triu_indices(k)[::-1]])
            at += k
    status = FitStatus.CONVERGED if optimum.is_converged else FitStatus.NOT_CONVERGED
    if optimum.is_converged and singular:
        status = FitStatus.SINGULAR
    messages = list(problem.warnings) + singular
    if problem.dropped:
        messages.append("Left out as combinations of the other columns: " + ", ".join(problem.dropped) + ".")
    if not optimum.is_converged:
        messages.append(f"The optimiser did not settle ({optimum.message}): do not interpret the estimates.")
    criterion = optimum.value - 2 * problem.constant
    state = State(problem, psi, covariance, mode)
    own = model.family.own_messages(psi[layout.own])
    messages.extend(own)
    if own and status is FitStatus.CONVERGED:
        status = FitStatus.SINGULAR
    return {
        "formula": problem.design.formula.source,
        "names": coordinates.names,
        "beta": beta,
        "vcov": coordinates.fixed @ covariance[layout.beta, layout.beta] @ coordinates.fixed.T,
        "variances": _in_formula_order(tuple(variances), problem),
        "theta": np.concatenate(theta),
        "criterion": criterion,
        "llf": -criterion / 2,
        "n_parameters": psi.size,
        "nobs": model.rows.n_rows,
        "n_missing": problem.n_missing,
        "n_groups": {
            ":".join(g): coordinates.groups[_index(problem, ":".join(g))].n_levels for g in problem.design.groups
        },
        "dropped_columns": problem.dropped,
        "status": status,
        "messages": tuple(messages),
        "optimizer": optimum,
        "timings": {},
        "engine": "outcomes",
        "conditional": state,
        "nagq": nagq,
        "state": state,
    }


def _index(problem: Problem, group: str) -> int:
    """Position of a grouping factor among the engine's."""
    return [factor.name for factor in problem.model.blocks.factors].index(group)


def _in_formula_order(variances: tuple[VarianceBlock, ...], problem: Problem) -> tuple[VarianceBlock, ...]:
    """Variance blocks in the order of the formula's brackets."""
    order = [block.group_name for block in problem.design.random]
    return tuple(sorted(variances, key=lambda block: order.index(block.group)))


def _singular_message(group: str, names: tuple[str, ...]) -> str:
    """Say which component is estimated as zero."""
    if len(names) == 1:
        return f"The variance of {names[0]} by {group} is estimated as zero."
    return f"The random effects {', '.join(names)} by {group} are perfectly correlated, or one of them has no variance."
