"""Fit the dynamic model of guidance and satisfaction by maximum likelihood."""

from __future__ import annotations

import time as clock
from typing import Any

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.columns import MIN_CLIENTS, MIN_SESSIONS, read_rows
from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem, build_problem
from outcomes.mixed.dynamic.results import DynamicFit
from outcomes.mixed.dynamic.units import wrap_up
from outcomes.mixed.optimise import OptSummary, minimise

HESSIAN_STEP = 1e-5
"""Step of the differences of the exact gradient, relative to max(1, |theta|)."""


def fit_dynamic(
    formula: str,
    data: Any,
    *,
    guidance: str,
    client: str,
    time: str,
    therapist: str | None = None,
    guidance_covariates: str = "1",
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
    story, slopes = optimise(problem)
    timings = {"read": has_read - began, "build": built - has_read, "optimise": clock.perf_counter() - built}
    groups = {client: read.n_clients} | ({therapist: read.n_therapists} if therapist else {})
    equations = (" ".join(formula.split()), f"{guidance} ~ {guidance_covariates}")
    return wrap_up(equations, read, problem, story, slopes, groups, timings)


def optimise(problem: DynamicProblem, start: np.ndarray | None = None) -> tuple[OptSummary, np.ndarray]:
    """Minimise the deviance.

    Returns
    -------
    story : OptSummary
    slopes : ndarray, shape (p, m)
        Derivatives of the best linear coefficients with respect to theta.
    """
    slopes = np.zeros((len(problem.linear), problem.n_theta))

    def at(theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        try:
            state = evaluate(problem, theta)
            return state.deviance, gradient(problem, state), state.psi
        except np.linalg.LinAlgError:
            return np.inf, np.zeros_like(theta), np.zeros(len(problem.linear))

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope, _ = at(theta)
        is_sound = np.isfinite(value) and np.isfinite(slope).all()
        return (value, slope) if is_sound else (np.inf, np.zeros_like(theta))

    def hessian(theta: np.ndarray) -> np.ndarray:
        rows = np.empty((len(theta), len(theta)))
        for i, step in enumerate(HESSIAN_STEP * np.maximum(1.0, np.abs(theta))):
            shift = step * np.eye(len(theta))[i]
            up, down = at(theta + shift), at(theta - shift)
            rows[i] = (up[1] - down[1]) / (2 * step)
            slopes[:, i] = (up[2] - down[2]) / (2 * step)
        return (rows + rows.T) / 2

    story = minimise(
        objective,
        parameters.start(problem.n_theta) if start is None else start,
        curvature=_curvature(problem),
        exact_hessian=hessian,
    )
    return story, slopes


def _curvature(problem: DynamicProblem) -> np.ndarray:
    """Rough second derivatives of the deviance: sessions for what moves within series, units for intercepts."""
    n = problem.n_values / 2
    n_clients = int(problem.pairs.client.max()) + 1
    parts = [np.full(4, 2 * n), [2.0 * n_clients], np.full(2, 4.0 * n_clients), np.full(2, 4 * n)]
    parts.append(np.full(3, 4.0 * n_clients))
    if problem.layout is not None:
        parts.append(np.full(3, 8.0 * problem.layout.n))
    return np.concatenate(parts)
