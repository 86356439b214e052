"""Fit the dynamic model of guidance and satisfaction by maximum likelihood."""

from __future__ import annotations

import time as clock
from typing import Any

from outcomes.errors import FitRefused
from outcomes.mixed.dynamic.columns import MIN_CLIENTS, MIN_SESSIONS, read_rows
from outcomes.mixed.dynamic.problem import build_problem
from outcomes.mixed.dynamic.results import DynamicFit
from outcomes.mixed.dynamic.search import search
from outcomes.mixed.dynamic.units import wrap_up


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
    story, slopes = search(problem)
    timings = {"read": has_read - began, "build": built - has_read, "optimise": clock.perf_counter() - built}
    groups = {client: read.n_clients} | ({therapist: read.n_therapists} if therapist else {})
    equations = (" ".join(formula.split()), f"{guidance} ~ {guidance_covariates}")
    return wrap_up(equations, read, problem, story, slopes, groups, timings)
