"""Fit the dynamic model of guidance and satisfaction by maximum likelihood."""

from __future__ import annotations

import time as clock
from typing import Any

from outcomes.mixed.design.data import as_source
from outcomes.mixed.design.population import build_design
from outcomes.mixed.dynamic.problem import build_problem
from outcomes.mixed.dynamic.reading.coordinates import Facts, settle_frame
from outcomes.mixed.dynamic.reading.sessions import Asked, read_sessions
from outcomes.mixed.dynamic.results import DynamicFit
from outcomes.mixed.dynamic.search import OneMachine, search
from outcomes.mixed.dynamic.units import wrap_up
from outcomes.mixed.optimise import OptSummary


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
    asked = Asked(formula, guidance, client, therapist, time, guidance_covariates)
    source = as_source(data)
    asked.check_columns(source)
    designs = tuple(build_design(one, source) for one in asked.formulas)
    sessions = read_sessions(asked, source, designs)
    frame = settle_frame(Facts.of(sessions), designs, guidance)
    rows = frame.rows(sessions)
    del sessions
    has_read = clock.perf_counter()
    deviance = OneMachine(build_problem(rows, has_therapists=therapist is not None))
    built = clock.perf_counter()
    story, slopes = search(deviance, start.optimizer if isinstance(start, DynamicFit) else start)
    timings = {"read": has_read - began, "build": built - has_read, "optimise": clock.perf_counter() - built}
    return wrap_up(asked, frame, deviance.best(story.final), story, slopes, timings, problem=deviance.problem)
