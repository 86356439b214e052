"""Fit a linear mixed model with a residual structure: theta and the residual parameters together.

At given residual parameters phi the whitened rows are an ordinary linear mixed model, whose profiled deviance and
gradient in theta are the engine's. The derivatives by phi are five-point differences of that deviance.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import Any

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.linear.deviance import State, deviance, gradient, solve
from outcomes.mixed.linear.fit import CURVATURE, canonical, optimise_theta, wrap_up
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.problem import LinearProblem, linear_problem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.linear.satterthwaite import CovarianceGradient
from outcomes.mixed.optimise import OptSummary, informed_inverse, minimise
from outcomes.mixed.residual.result import StructuredFit
from outcomes.mixed.residual.rows import read_rows
from outcomes.mixed.residual.whitening import OrderedRows, Structure, whitened

STEP = 1e-3
"""Step of the five-point differences in phi (log ratios, atanh rho): their error is about 1e-7."""

LEAST_START = 0.1
"""Smallest element of theta to start from: at zero the derivative of a variance says nothing."""

HESSIAN_STEP = 1e-3
"""Step of the differences of the gradient."""

RAISED = {"invalid": "raise", "divide": "raise", "over": "raise"}
"""What says that a point has no likelihood: a sum of squares that rounding makes negative, a variance of zero."""


@dataclass(frozen=True)
class StructuredDeviance:
    """The profiled deviance and its gradient in (theta, phi)."""

    formula: str
    plain: GramData
    structure: Structure
    rows: OrderedRows
    like: LinearProblem
    reml: bool

    def problem(self, phi: np.ndarray) -> tuple[GramData, LinearProblem]:
        """The ordinary model of the whitened rows."""
        gram = whitened(self.plain, self.structure, self.rows, phi)
        return gram, linear_problem(gram, gram.design(self.formula), like=self.like)

    def value(self, theta: np.ndarray, phi: np.ndarray) -> float:
        """The deviance alone."""
        problem = self.problem(phi)[1]
        return deviance(problem, solve(problem, theta), reml=self.reml)

    def solved(self, psi: np.ndarray) -> tuple[LinearProblem, State]:
        """The problem and its state at (theta, phi)."""
        m = self.like.n_theta
        problem = self.problem(psi[m:])[1]
        return problem, solve(problem, psi[:m])

    def __call__(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient; infinite where the rows fit without error, or the equations cannot be solved."""
        try:
            with np.errstate(**RAISED):
                return self._value_and_gradient(psi)
        except (FloatingPointError, np.linalg.LinAlgError):
            return np.inf, np.zeros(psi.size)

    def _value_and_gradient(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        m = self.like.n_theta
        theta, phi = psi[:m], psi[m:]
        problem, state = self.solved(psi)
        by_theta = gradient(problem, state, theta, reml=self.reml)
        by_phi = [
            sum(c * self.value(theta, phi + k * STEP * unit) for k, c in ((-2, 1), (-1, -8), (1, 8), (2, -1)))
            / (12 * STEP)
            for unit in np.eye(phi.size)
        ]
        return deviance(problem, state, reml=self.reml), np.concatenate([by_theta, by_phi])


def fit_structured(
    formula: str,
    data: Any,
    *,
    variance_by: str | None,
    ar1: str | None,
    reml: bool = True,
    weights: str | None = None,
) -> StructuredFit:
    """Fit with variances by group, errors that follow one another, or both; see `outcomes.mixed.fit_linear`.

    Raises
    ------
    FitRefused
        As `fit_linear`; and where a group's rows are fitted without error, so that the likelihood has no maximum.
    """
    began = perf_counter()
    also = tuple(name for name in (variance_by, ar1) if name)
    plain = prepare_linear(formula, data, weights=weights, also=also)
    design = plain.design(formula)
    structure, rows = read_rows(plain, design, variance_by, ar1)
    ordinary = linear_problem(plain, design)
    read = perf_counter()
    first = optimise_theta(ordinary, reml=reml)
    objective = StructuredDeviance(formula, plain, structure, rows, ordinary, reml)
    n_groups = np.bincount(rows.group)[1:] if variance_by else np.empty(0)
    curvature = [
        CURVATURE * n for f, n in zip(ordinary.factors, ordinary.n_levels, strict=True) for _ in range(f.n_theta)
    ]
    curvature = np.concatenate([curvature, 4.0 * n_groups, [2.0 * plain.n_rows] if ar1 else []])
    inside = np.where(np.abs(first.final) < LEAST_START, LEAST_START, first.final)
    start = np.concatenate([inside, np.zeros(structure.size)])
    m = ordinary.n_theta
    try:
        with np.errstate(invalid="ignore"):  # differences of infinite values
            story = minimise(objective, start, curvature=curvature, hessian_step=HESSIAN_STEP)
        with np.errstate(**RAISED):
            story = _canonical(ordinary, story)
            gram, problem = objective.problem(story.final[m:])
            timings = {"database": read - began, "optimise": perf_counter() - read}
            given = wrap_up(formula, gram, problem, _of_theta(story, m), reml=reml, timings=timings)
            covariance = _covariance_gradient(objective, story, given)
            return _wrapped(given, plain, structure, rows, story, covariance)
    except (FloatingPointError, np.linalg.LinAlgError) as unbounded:
        raise FitRefused(
            "The likelihood has no maximum that can be found: some rows are fitted without any error.",
            hint="leave out variance_by or ar1, or join groups of few rows",
        ) from unbounded


def _canonical(frame: LinearProblem, story: OptSummary) -> OptSummary:
    """The optimum with the diagonals of theta not negative."""
    m = frame.n_theta
    theta = canonical(frame, _of_theta(story, m)).final
    signs = np.append(np.where(theta * story.final[:m] < 0, -1.0, 1.0), np.ones(story.final.size - m))
    final = np.concatenate([theta, story.final[m:]])
    return replace(story, final=final, hessian=story.hessian * np.outer(signs, signs))


def _of_theta(story: OptSummary, m: int) -> OptSummary:
    """The story's part on theta."""
    return replace(story, start=story.start[:m], final=story.final[:m], hessian=story.hessian[:m, :m])


def _covariance_gradient(objective: StructuredDeviance, story: OptSummary, given: LinearFit) -> CovarianceGradient:
    """How the fixed effects' covariance moves with (theta, phi, log sigma^2), by differences, and the covariance of
    these."""
    problem, _ = objective.solved(story.final)
    df = problem.n - problem.p if objective.reml else problem.n
    back = problem.to_original * given.sigma
    jacobian, mixed = [], []
    for unit in np.eye(story.final.size):
        ends = [objective.solved(story.final + sign * STEP * unit)[1] for sign in (1, -1)]
        jacobian.append(back @ (ends[0].XVX_inverse - ends[1].XVX_inverse) @ back.T / (2 * STEP))
        mixed.append(-df * (np.log(ends[0].r2) - np.log(ends[1].r2)) / (2 * STEP))
    mixed = np.array(mixed)
    full = np.empty((mixed.size + 1, mixed.size + 1))
    full[:-1, :-1] = story.hessian + np.outer(mixed, mixed) / df
    full[-1, :-1] = full[:-1, -1] = mixed
    full[-1, -1] = df
    return CovarianceGradient(given.vcov, np.stack([*jacobian, given.vcov]), 2 * informed_inverse(full))


def _wrapped(
    given: LinearFit,
    plain: GramData,
    structure: Structure,
    rows: OrderedRows,
    story: OptSummary,
    covariance: CovarianceGradient,
) -> StructuredFit:
    """The result, from the linear model given the residual parameters."""
    m = len(given.theta)
    shared = {part.name: getattr(given, part.name) for part in fields(LinearFit)}
    shared |= {"optimizer": story, "n_parameters": given.n_parameters + structure.size}
    return StructuredFit(
        **shared, given=given, plain=plain, structure=structure, rows=rows, phi=story.final[m:], moved=covariance
    )
