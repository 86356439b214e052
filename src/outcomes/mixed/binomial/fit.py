"""Fit a binomial mixed model: formula and data in, a frozen `BinomialFit` out."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.binomial.hessian import laplace_hessian
from outcomes.mixed.binomial.laplace import LaplaceDeviance, mode_slopes
from outcomes.mixed.binomial.problem import Problem, build_problem
from outcomes.mixed.binomial.quadrature import QuadratureDeviance
from outcomes.mixed.binomial.result import BinomialFit, BinomialState
from outcomes.mixed.binomial.starts import Start, find_start
from outcomes.mixed.binomial.streamed import stream_problem
from outcomes.mixed.design.coding import build_design
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.links import LINKS
from outcomes.mixed.optimise import OptSummary, minimise
from outcomes.mixed.results.fit import VarianceBlock
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
"""Largest gradient, in units of approximate standard errors, where the Hessian is taken: keeps its error near 1e-5."""


def fit_binomial(
    formula: str,
    data: Any,
    *,
    link: str = "logit",
    nagq: int = 1,
    weights: str | None = None,
    engine: str = "outcomes",
    in_memory: bool = True,
) -> BinomialFit:
    """Fit a binomial mixed model by maximum likelihood.

    Parameters
    ----------
    formula : str
        In lme4's syntax, e.g. ``is_dropout ~ directiveness_score + (1 | therapist_id)``. The outcome is 0 or 1, a
        share of events with the number of trials in `weights`, or ``cbind(events, others)``.
    data : DuckDB relation, polars or pandas frame, or Arrow table
        Rows with a missing value in any column of the model are left out and counted.
    link : {"logit", "cloglog"}
        cloglog makes a discrete-time proportional-hazards model of person-session rows.
    nagq : int, 1 to 25
        1: Laplace approximation. More: adaptive Gauss-Hermite nodes, for a single random intercept.
    weights : str, optional
        Column with the number of trials of each row.
    engine : {"outcomes", "statsmodels"}
        "statsmodels" fits BinomialBayesMixedGLM (an approximate posterior, not maximum likelihood).
    in_memory : bool
        False sorts the rows into a temporary Parquet file and reads them batch by batch: slower, for data that do not
        fit (random intercepts only).

    Returns
    -------
    BinomialFit
        Standard errors come from the exact Hessian of the deviance in (beta, theta), as glmmTMB's do.

    Raises
    ------
    FormulaError, UsageError
        A formula or option that cannot be read.
    FitRefused
        Data that cannot inform the model: complete separation (the column is named), no variation in the outcome,
        fewer than two levels, non-finite values, more columns than rows.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"therapist_id": ["a", "b", "c", "d"] * 6, "is_dropout": [0, 1, 0, 1, 0, 1, 1, 0] * 3})
    >>> fit_binomial("is_dropout ~ 1 + (1 | therapist_id)", rows).nobs
    24
    """
    if link not in LINKS:
        raise UsageError(f"The link {link!r} is not available.", f"use {' or '.join(LINKS)}")
    if not isinstance(nagq, int) or not 1 <= nagq <= MAX_NODES:
        raise UsageError(f"nagq must be a whole number from 1 to {MAX_NODES}.")
    if engine == "statsmodels":
        from outcomes.mixed.peers.mixedlm import fit_binomial_bayes

        return fit_binomial_bayes(formula, data, link=link, weights=weights)
    if engine != "outcomes":
        raise UsageError(f"There is no engine {engine!r}.", "use 'outcomes' or 'statsmodels'")
    began = time.perf_counter()
    design = build_design(formula, data, weights)
    problem = (
        build_problem(design, materialise(design), LINKS[link]) if in_memory else stream_problem(design, LINKS[link])
    )
    read = time.perf_counter()
    fit = fit_problem(problem, nagq, weights)
    done = time.perf_counter()
    fit.timings.update({"read": read - began, "fit": done - read, "total": done - began})
    return fit


def fit_problem(problem: Problem, nagq: int = 1, weights: str | None = None) -> BinomialFit:
    """Optimise a prepared model and wrap the result; `timings` is left empty."""
    model = problem.model
    blocks = model.blocks
    if nagq > 1 and (len(blocks.factors) > 1 or blocks.factors[0].size > 1 or model.rows.n_random_columns > 1):
        raise UsageError("Quadrature needs exactly one random intercept.", "use nagq=1 (Laplace) for this model")
    if nagq > 1 and problem.coordinates.effects[0] != ("(Intercept)",):
        raise UsageError("Quadrature needs a random intercept, not a slope.", "use nagq=1 (Laplace) for this model")
    start = find_start(model, problem.coordinates.names)
    laplace = LaplaceDeviance(model, start.psi, start.mode.u, start.by_beta, mode_slopes(model, start.mode))
    deviance = laplace if nagq == 1 else QuadratureDeviance(laplace, nagq)

    last: dict[bytes, tuple[float, np.ndarray]] = {}  # the optimiser asks for some points twice

    def whitened(z: np.ndarray) -> tuple[float, np.ndarray]:
        key = z.tobytes()
        if key not in last:
            last.clear()
            value, gradient = deviance(start.psi + start.root @ z)
            last[key] = value, start.root.T @ gradient
        return last[key]

    def hessian(z: np.ndarray) -> np.ndarray:
        psi = start.psi + start.root @ z
        mode = laplace.mode_at(psi)
        if mode is None:
            raise FitRefused("The likelihood could not be evaluated.", "look for extreme values in the columns")
        found, _ = laplace_hessian(model, psi, mode, np.linalg.norm(start.root, axis=1))
        return 2 * start.root.T @ found @ start.root

    is_exact = nagq == 1 and start.mode.moments.third is not None
    optimum = minimise(
        whitened,
        np.zeros(start.psi.size),
        curvature=np.full(start.psi.size, 2.0),
        hessian_step=HESSIAN_STEP,
        gradient_tolerance=GRADIENT_TOLERANCE,
        exact_hessian=hessian if is_exact else None,
    )
    if not np.isfinite(optimum.value):
        raise FitRefused("The likelihood could not be evaluated.", "look for extreme values in the columns")
    return _wrap(problem, start, laplace, optimum, nagq, weights)


def _wrap(
    problem: Problem, start: Start, laplace: LaplaceDeviance, optimum: OptSummary, nagq: int, weights: str | None
) -> BinomialFit:
    """Result on the formula's columns."""
    model, coordinates = problem.model, problem.coordinates
    psi = start.psi + start.root @ optimum.final
    covariance = start.root @ _inverse(optimum.hessian / 2) @ start.root.T
    beta = coordinates.fixed @ psi[: model.p]
    variances, theta, singular = [], [], []
    for a, factor in enumerate(model.blocks.factors):
        part = psi[model.p :][model.blocks.theta_slices[a]]
        cov = coordinates.covariance(a, factor, part)
        at = 0
        for k in factor.brackets:
            names = coordinates.effects[a][at : at + k]
            block = cov[at : at + k, at : at + k]
            spread = np.linalg.svd(factor.cholesky(part)[at : at + k, at : at + k], compute_uv=False)
            if spread.min() < SINGULAR_SD * np.sqrt(model.link.latent_variance):
                singular.append(_singular_message(factor.name, names))
                # exact zeros, so that no reader takes rounding for an estimate
                block = np.zeros_like(block) if spread.max() < SINGULAR_SD else block
            variances.append(VarianceBlock(factor.name, names, block))
            theta.append(_lower(block)[np.triu_indices(k)[::-1]])
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
    state = BinomialState(problem, psi, covariance, laplace.mode_at(psi))
    return BinomialFit(
        formula=problem.design.formula.source,
        names=coordinates.names,
        beta=beta,
        vcov=coordinates.fixed @ covariance[: model.p, : model.p] @ coordinates.fixed.T,
        variances=_in_formula_order(tuple(variances), problem),
        theta=np.concatenate(theta),
        criterion=criterion,
        llf=-criterion / 2,
        n_parameters=psi.size,
        nobs=model.rows.n_rows,
        n_missing=problem.n_missing,
        n_groups={
            ":".join(g): coordinates.groups[_index(problem, ":".join(g))].n_levels for g in problem.design.groups
        },
        dropped_columns=problem.dropped,
        status=status,
        messages=tuple(messages),
        optimizer=optimum,
        timings={},
        engine="outcomes",
        conditional=state,
        link=model.link.name,
        nagq=nagq,
        trials=weights,
        state=state,
    )


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


def _lower(cov: np.ndarray) -> np.ndarray:
    """Lower-triangular root with a non-negative diagonal of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(cov)
    root = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T, mode="r").T
    return root * np.where(np.diag(root) < 0, -1.0, 1.0)


def _inverse(hessian: np.ndarray) -> np.ndarray:
    """Inverse on the directions with curvature; a flat direction (a variance of zero) informs nothing and costs
    nothing."""
    values, vectors = np.linalg.eigh(hessian)
    kept = values > 1e-8 * values.max()
    return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
