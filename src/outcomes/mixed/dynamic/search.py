"""The search for the maximum: a fit to some of the clients first, where there are many, then the exact one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem, build_problem
from outcomes.mixed.optimise import OptSummary, minimise, refine

HESSIAN_STEP = 1e-6
"""Step of the differences of the exact gradient, relative to max(1, |theta|)."""

TWIN_CLIENTS = 4_000
"""Clients of the first fit; its optimum lies within a few standard errors of the exact one."""


def search(problem: DynamicProblem) -> tuple[OptSummary, np.ndarray]:
    """Find the optimum; with many clients from the optimum of some of them.

    Returns
    -------
    story : OptSummary
        Of the search among all clients.
    slopes : ndarray, shape (p, m)
        Derivatives of the best linear coefficients with respect to theta.
    """
    step = (int(problem.rows.client.max()) + 1) // TWIN_CLIENTS
    if step < 2:
        return optimise(problem)
    some = problem.rows.take(problem.rows.client % step == 0)
    twin = build_problem(some, has_therapists=problem.layout is not None)
    found, _ = optimise(twin)
    if not found.is_converged:
        return optimise(problem)
    counter = _Counter(problem)
    start, _, _ = refine(counter, found.final, found.hessian * step)
    story, slopes = optimise(problem, start)
    return replace(story, n_evaluations=story.n_evaluations + counter.n), slopes


def optimise(problem: DynamicProblem, start: np.ndarray | None = None) -> tuple[OptSummary, np.ndarray]:
    """Minimise the deviance and take its Hessian; see `search` for what is returned."""
    slopes = np.zeros((len(problem.linear), problem.n_theta))
    counter = _Counter(problem)

    def hessian(theta: np.ndarray) -> np.ndarray:
        here, psi = counter.at(theta)[1:]
        rows = np.empty((len(theta), len(theta)))
        for i, step in enumerate(HESSIAN_STEP * np.maximum(1.0, np.abs(theta))):
            _, there, moved = counter.at(theta + step * np.eye(len(theta))[i])
            rows[i] = (there - here) / step
            slopes[:, i] = (moved - psi) / step
        return (rows + rows.T) / 2

    story = minimise(
        counter,
        parameters.start(problem.n_theta) if start is None else start,
        curvature=_curvature(problem),
        exact_hessian=hessian,
    )
    return replace(story, n_evaluations=counter.n), slopes


class _Counter:
    """Deviance and gradient of a problem, infinite where they do not exist, and how often they were asked for."""

    def __init__(self, problem: DynamicProblem) -> None:
        self.problem = problem
        self.n = 0

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        return self.at(theta)[:2]

    def at(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Deviance, gradient and best linear coefficients."""
        self.n += 1
        nowhere = np.inf, np.zeros_like(theta), np.zeros(len(self.problem.linear))
        try:
            with np.errstate(all="ignore"):
                state = evaluate(self.problem, theta)
                slope = gradient(self.problem, state)
        except np.linalg.LinAlgError:
            return nowhere
        is_sound = np.isfinite(state.deviance) and np.isfinite(slope).all()
        return (state.deviance, slope, state.psi) if is_sound else nowhere


def _curvature(problem: DynamicProblem) -> np.ndarray:
    """Rough second derivatives of the deviance: sessions for what moves within series, units for intercepts."""
    n = problem.n_values / 2
    n_clients = int(problem.pairs.client.max()) + 1
    parts = [np.full(4, 2 * n), [2.0 * n_clients], np.full(2, 4.0 * n_clients), np.full(2, 4 * n)]
    parts.append(np.full(3, 4.0 * n_clients))
    if problem.layout is not None:
        parts.append(np.full(3, 8.0 * problem.layout.n))
    return np.concatenate(parts)
