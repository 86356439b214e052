"""Fit the dynamic model of guidance and satisfaction by maximum likelihood."""

from __future__ import annotations

import os
import time as clock
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.columns import MIN_CLIENTS, MIN_SESSIONS, read_rows
from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import State, evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem, build_problem
from outcomes.mixed.dynamic.results import DynamicFit
from outcomes.mixed.dynamic.units import wrap_up
from outcomes.mixed.optimise import OptSummary, minimise

HESSIAN_STEP = 1e-6
"""Step of the differences of the exact gradient, relative to max(1, |theta|)."""

PARALLEL_PAIRS = 20_000
"""Pairs of client and therapist from which the Hessian's evaluations run side by side."""

TWIN_CLIENTS = 4_000
"""Clients of the first fit; its optimum lies within a few standard errors of the exact one."""


def search(problem: DynamicProblem, near: OptSummary | None = None) -> tuple[OptSummary, np.ndarray]:
    """Find the optimum: from that of another model or of like sessions, or with many clients from that of some of them.

    Returns
    -------
    story : OptSummary
        Of the search among all clients.
    slopes : ndarray, shape (p, m)
        Derivatives of the best linear coefficients with respect to theta.
    """
    if near is not None and near.is_converged and len(near.final) == problem.n_theta:
        return optimise(problem, near.final, near.hessian)
    step = (int(problem.rows.client.max()) + 1) // TWIN_CLIENTS
    if step < 2:
        return optimise(problem)
    some = problem.rows.take(problem.rows.client % step == 0)
    twin = build_problem(some, has_therapists=problem.layout is not None)
    found, _ = optimise(twin)
    if not found.is_converged:
        return optimise(problem)
    return optimise(problem, found.final, found.hessian * step)


def optimise(
    problem: DynamicProblem, start: np.ndarray | None = None, near: np.ndarray | None = None
) -> tuple[OptSummary, np.ndarray]:
    """Minimise the deviance and take its Hessian; see `search` for what is returned, `minimise` for `near`."""
    slopes = np.zeros((len(problem.linear), problem.n_theta))
    counter = _Counter(problem)

    def hessian(theta: np.ndarray) -> np.ndarray:
        here, psi = counter.at(theta)[1:]
        state = counter.state
        beside = [None if i < parameters.N_DYNAMIC else state for i in range(len(theta))]
        steps = HESSIAN_STEP * np.maximum(1.0, np.abs(theta))
        with ThreadPoolExecutor(_n_threads() if problem.pairs.n >= PARALLEL_PAIRS else 1) as pool:
            moved = list(pool.map(counter.at, theta + np.diag(steps), beside))
        for i, (_, _, best) in enumerate(moved):
            slopes[:, i] = (best - psi) / steps[i]
        rows = (np.array([slope for _, slope, _ in moved]) - here) / steps[:, None]
        return (rows + rows.T) / 2

    story = minimise(
        counter,
        parameters.start(problem.n_theta) if start is None else start,
        curvature=_curvature(problem),
        exact_hessian=hessian,
        near=near,
    )
    return replace(story, n_evaluations=counter.n), slopes


class _Counter:
    """Deviance and gradient of a problem, infinite where they do not exist, and how often they were asked for."""

    def __init__(self, problem: DynamicProblem) -> None:
        self.problem = problem
        self.n = 0
        self.state: State | None = None
        """Of the last evaluation; None where the deviance did not exist."""
        self._last: tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]] | None = None

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        return self.at(theta)[:2]

    def at(self, theta: np.ndarray, beside: State | None = None) -> tuple[float, np.ndarray, np.ndarray]:
        """Deviance, gradient and best linear coefficients; known where the last evaluation was. See `evaluate`."""
        last = self._last
        if last is not None and np.array_equal(last[0], theta):
            return last[1]
        found = self._evaluated(theta, beside)
        self._last = theta.copy(), found
        return found

    def _evaluated(self, theta: np.ndarray, beside: State | None) -> tuple[float, np.ndarray, np.ndarray]:
        self.n += 1
        self.state = None
        nowhere = np.inf, np.zeros_like(theta), np.zeros(len(self.problem.linear))
        try:
            with np.errstate(all="ignore"):
                state = evaluate(self.problem, theta, beside=beside)
                slope = gradient(self.problem, state)
        except np.linalg.LinAlgError:
            return nowhere
        self.state = state
        is_sound = np.isfinite(state.deviance) and np.isfinite(slope).all()
        return (state.deviance, slope, state.psi) if is_sound else nowhere


def _n_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _curvature(problem: DynamicProblem) -> np.ndarray:
    """Rough second derivatives of the deviance: sessions for what moves within series, units for intercepts."""
    n = problem.n_values / 2
    n_clients = int(problem.pairs.client.max()) + 1
    parts = [np.full(4, 2 * n), [2.0 * n_clients], np.full(2, 4.0 * n_clients), np.full(2, 4 * n)]
    parts.append(np.full(3, 4.0 * n_clients))
    if problem.layout is not None:
        parts.append(np.full(3, 8.0 * problem.layout.n))
    return np.concatenate(parts)


def fit_dynamic(
    formula: str,
    data: Any,
    *,
    guidance: str,
    client: str,
    time: str,
    therapist: str | None = None,
    guidance_covariates: str = "1",
    start: DynamicFit | OptSummary | None = None,
) -> DynamicFit:
    """Fit guidance and satisfaction together, as two outcomes in time.

    Parameters
    ----------
    formula : str
        Satisfaction's equation, e.g. ``satisfaction ~ directiveness + I(directiveness**2) + preferred:directiveness``:
        any function of guidance that is linear in its coefficients, and covariates; no bracketed terms.
    data : relation, frame or table
        One row a session; see `outcomes.mixed.data.as_source`. A session without satisfaction (or without a covariate
        of its equation) counts with its guidance only; one without guidance (or without its covariates, or the
        therapist) counts for the passing of time only; so do sessions that have no row. Nothing is imputed.
    guidance, client, therapist : str
        Columns. A client may change therapist. Without `therapist` the model has no therapists' intercepts.
    time : str
        Column that counts each client's sessions in whole numbers; the earliest is the client's first session.
    guidance_covariates : str
        Right-hand side of guidance's equation, e.g. ``"attended_number + preferred"``.
    start : DynamicFit or OptSummary, optional
        A fit of the same sessions with other columns, or of sessions like these, or how its search ended: its
        carry-over and spread are where this search begins. The optimum is found and proved all the same.

    Returns
    -------
    DynamicFit

    Raises
    ------
    UsageError, FormulaError
        Columns that do not exist; bracketed terms.
    FitRefused
        Fewer than 100 clients with 4 or more rated sessions; guidance or satisfaction that does not vary; two rows of
        a client at one time; times that do not count sessions; values that are not finite.

    Notes
    -----
    ::

        d_t = Z_t gamma + w + v_d + x_t,           x_t = a x_(t-1) + b r_(t-1) + eta_t
        y_t = f(d_t, p; beta) + u + v_y + r_t,     r_t = phi r_(t-1) + c x_(t-1) + eps_t

    (w, u) ~ N(0, Sigma) by client, (v_d, v_y) ~ N(0, T) by the session's therapist. The first session has means and a
    covariance of its own. Hamaker, Asparouhov & Muthen 2018, doi 10.1080/10705511.2017.1406803.
    """
    began = clock.perf_counter()
    read = read_rows(
        formula, data, guidance=guidance, client=client, therapist=therapist, time=time, covariates=guidance_covariates
    )
    if read.n_series < MIN_CLIENTS:
        raise FitRefused(
            f"Only {read.n_series:,} clients have {MIN_SESSIONS} or more rated sessions (at least {MIN_CLIENTS}).",
            "use the mixed model `fit_linear`, and say that it cannot tell guidance from therapists' responses",
        )
    has_read = clock.perf_counter()
    problem = build_problem(read.rows, has_therapists=therapist is not None)
    built = clock.perf_counter()
    story, slopes = search(problem, start.optimizer if isinstance(start, DynamicFit) else start)
    timings = {"read": has_read - began, "build": built - has_read, "optimise": clock.perf_counter() - built}
    groups = {client: read.n_clients} | ({therapist: read.n_therapists} if therapist else {})
    equations = (" ".join(formula.split()), f"{guidance} ~ {guidance_covariates}")
    return wrap_up(equations, read, problem, story, slopes, groups, timings)
