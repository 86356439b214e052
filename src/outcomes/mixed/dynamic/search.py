"""Search the optimum of the dynamic model's deviance, on one machine or summed over the parts of a table."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

import numpy as np

from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import Best, Integrated, State, evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem, Size, build_problem
from outcomes.mixed.optimise import OptSummary, minimise
from outcomes.mixed.threads import n_threads

HESSIAN_STEP = 1e-6
"""Step of the differences of the exact gradient, relative to max(1, |theta|)."""

PARALLEL_PAIRS = 20_000
"""Pairs of client and therapist from which the Hessian's evaluations run side by side."""

TWIN_CLIENTS = 4_000
"""Clients of the first fit; its optimum lies within a few standard errors of the exact one."""

Evaluation = tuple[float, np.ndarray, np.ndarray]
"""Deviance, its gradient and the best linear coefficients at one theta; infinite and zero where they do not exist."""


class Deviance(Protocol):
    """The deviance as the search asks for it."""

    size: Size

    def at(self, theta: np.ndarray) -> Evaluation:
        """Evaluate at theta."""

    def around(self, thetas: Sequence[np.ndarray]) -> list[Evaluation]:
        """Evaluate near where `at` was asked last."""

    def best(self, theta: np.ndarray) -> Best:
        """The linear coefficients at the optimum, and what is known of them."""

    def twin(self, step: int) -> Deviance:
        """The deviance of one client in `step`."""


def search(deviance: Deviance, near: OptSummary | None = None) -> tuple[OptSummary, np.ndarray]:
    """Find the optimum: from that of another model or of like sessions, or with many clients from that of some of them.

    Returns
    -------
    story : OptSummary
        Of the search among all clients.
    slopes : ndarray, shape (p, m)
        Derivatives of the best linear coefficients with respect to theta.
    """
    if near is not None and near.is_converged and len(near.final) == deviance.size.n_theta:
        return optimise(deviance, near.final, near.hessian)
    step = deviance.size.n_clients // TWIN_CLIENTS
    if step < 2:
        return optimise(deviance)
    found, _ = optimise(deviance.twin(step))
    if not found.is_converged:
        return optimise(deviance)
    return optimise(deviance, found.final, found.hessian * step)


def optimise(
    deviance: Deviance, start: np.ndarray | None = None, near: np.ndarray | None = None
) -> tuple[OptSummary, np.ndarray]:
    """Minimise the deviance and take its Hessian; see `search` for what is returned, `minimise` for `near`."""
    size = deviance.size
    slopes = np.zeros((len(size.linear), size.n_theta))
    counter = _Counter(deviance)

    def hessian(theta: np.ndarray) -> np.ndarray:
        _, here, psi = counter.at(theta)
        steps = HESSIAN_STEP * np.maximum(1.0, np.abs(theta))
        moved = counter.around(theta + np.diag(steps))
        for i, (_, _, best) in enumerate(moved):
            slopes[:, i] = (best - psi) / steps[i]
        rows = (np.array([slope for _, slope, _ in moved]) - here) / steps[:, None]
        return (rows + rows.T) / 2

    story = minimise(
        counter,
        parameters.start(size.n_theta) if start is None else start,
        curvature=_curvature(size),
        exact_hessian=hessian,
        near=near,
    )
    return replace(story, n_evaluations=counter.n), slopes


class OneMachine:
    """The deviance of sessions that are all here."""

    def __init__(self, problem: DynamicProblem) -> None:
        self.problem = problem
        self.size = problem.size
        self._last: State | None = None

    def at(self, theta: np.ndarray) -> Evaluation:
        """Evaluate at theta."""
        self._last = None  # two states would take twice the memory
        found, self._last = self._evaluated(theta.copy(), None)
        return found

    def around(self, thetas: Sequence[np.ndarray]) -> list[Evaluation]:
        """Evaluate side by side, where there are many sessions; what only the last theta tells is computed once."""
        with ThreadPoolExecutor(n_threads() if self.problem.pairs.n >= PARALLEL_PAIRS else 1) as pool:
            return list(pool.map(lambda theta: self._evaluated(theta, self._last)[0], thetas))

    def best(self, theta: np.ndarray) -> Best:
        """The linear coefficients at theta."""
        state = evaluate(self.problem, theta, beside=self._last)
        return Best(state.psi, state.information, state.deviance)

    def twin(self, step: int) -> OneMachine:
        """The deviance of one client in `step`."""
        return OneMachine(twin(self.problem, step))

    def _evaluated(self, theta: np.ndarray, beside: Integrated | None) -> tuple[Evaluation, State | None]:
        try:
            with np.errstate(all="ignore"):
                state = evaluate(self.problem, theta, beside=beside)
                slope = gradient(self.problem, state)
        except np.linalg.LinAlgError:
            return nowhere(self.size), None
        is_sound = np.isfinite(state.deviance) and np.isfinite(slope).all()
        return (state.deviance, slope, state.psi) if is_sound else nowhere(self.size), state


def twin(problem: DynamicProblem, step: int) -> DynamicProblem:
    """The same model of one client in `step`."""
    some = problem.rows.take(problem.rows.client % step == 0)
    return build_problem(some, has_therapists=problem.layout is not None)


def nowhere(size: Size) -> Evaluation:
    """An evaluation where the deviance does not exist."""
    return np.inf, np.zeros(size.n_theta), np.zeros(len(size.linear))


class _Counter:
    """Evaluations of a deviance: the last one, and how many there were."""

    def __init__(self, deviance: Deviance) -> None:
        self.deviance = deviance
        self.n = 0
        self._last: tuple[np.ndarray, Evaluation] | None = None

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        return self.at(theta)[:2]

    def at(self, theta: np.ndarray) -> Evaluation:
        """Evaluate, but for where the last evaluation was."""
        if self._last is None or not np.array_equal(self._last[0], theta):
            self.n += 1
            self._last = theta.copy(), self.deviance.at(theta)
        return self._last[1]

    def around(self, thetas: np.ndarray) -> list[Evaluation]:
        """Evaluate near the last one."""
        self.n += len(thetas)
        return self.deviance.around(thetas)


def _curvature(size: Size) -> np.ndarray:
    """Rough second derivatives of the deviance: sessions for what moves within series, units for intercepts."""
    n, n_clients = size.n_values / 2, size.n_clients
    parts = [np.full(4, 2 * n), [2.0 * n_clients], np.full(2, 4.0 * n_clients), np.full(2, 4 * n)]
    parts.append(np.full(3, 4.0 * n_clients))
    if size.n_therapists:
        parts.append(np.full(3, 8.0 * size.n_therapists))
    return np.concatenate(parts)
