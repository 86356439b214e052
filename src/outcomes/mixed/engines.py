"""The two doors of the engine: one function for each model, whichever engine fits it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from time import perf_counter
from typing import Any

import numpy as np

from outcomes.errors import UsageError, no_such
from outcomes.links import Link, link_named
from outcomes.mixed.binomial.fit import binomial_problem, fit_problem
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.binomial.streamed import stream_problem
from outcomes.mixed.design.population import build_design
from outcomes.mixed.generalised.fit import check_nodes
from outcomes.mixed.generalised.problem import read_rows
from outcomes.mixed.linear.fit import fit_crossproducts
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.peers.bayes import fit_binomial_bayes
from outcomes.mixed.peers.mixedlm import fit_linear_statsmodels
from outcomes.mixed.residual.fit import fit_structured
from outcomes.mixed.results.spellings import refuse_options


class Engine(StrEnum):
    """Who fits a model."""

    OUTCOMES = "outcomes"
    STATSMODELS = "statsmodels"


def fit_linear(
    formula: str,
    data: Any,
    *,
    reml: bool = True,
    weights: str | None = None,
    engine: str = Engine.OUTCOMES,
    start: np.ndarray | LinearFit | None = None,
    variance_by: str | None = None,
    ar1: str | None = None,
    **others: Any,
) -> LinearFit:
    """Fit a linear mixed model exactly as lme4's ``lmer`` does.

    Parameters
    ----------
    formula : str
        In lme4's syntax, e.g. ``y ~ x + (1 + x | client_id) + (1 | therapist_id)``.
    data : DuckDB relation, polars or pandas frame, Arrow table or GramData
        With `GramData` (see `prepare_linear`) the data are not read again.
    reml : bool
        Restricted maximum likelihood (default) or maximum likelihood.
    weights : str, optional
        Column of prior weights; a `GramData` already has its own.
    engine : {"outcomes", "statsmodels"}
        The second one needs the rows in memory and serves as a check.
    start : LinearFit or ndarray, optional
        A fit with the same random terms to much the same rows, or its `theta`, to search from; the optimum is proved
        all the same. Of a fit to the same `GramData` the grouping factors need not be prepared again.
    variance_by : str, optional
        Column of groups with residual variances of their own (nlme's ``varIdent``).
    ar1 : str, optional
        Column with the number of the session: errors that are k sessions apart correlate by rho^k (nlme's ``corAR1``),
        within the rows of one combination of all grouping factors. Both read the rows into memory.
    **others
        Options of lme4, nlme and statsmodels are answered with ours.

    Returns
    -------
    LinearFit, or StructuredFit with variance_by or ar1
        Look at `status` before the estimates.

    Raises
    ------
    FormulaError, FitRefused, UsageError
        The formula cannot be read; the data cannot support the model; the cross-products lack a column.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"y": [1.0, 2.0, 4.0, 3.0, 6.0, 8.0], "x": [1, 2, 3, 1, 2, 3], "g": list("aaabbb")})
    >>> fit_linear("y ~ x + (1 | g)", frame).params.round(3).to_dict()
    {'(Intercept)': 0.0, 'x': 2.0}
    """
    refuse_options("fit_linear", others)
    if _engine(engine) is Engine.STATSMODELS:
        return fit_linear_statsmodels(formula, data, reml=reml, weights=weights)
    if variance_by is not None or ar1 is not None:
        if isinstance(data, GramData) or start is not None:
            raise UsageError("variance_by and ar1 need the rows, and take no start.", "give the data themselves")
        return fit_structured(formula, data, variance_by=variance_by, ar1=ar1, reml=reml, weights=weights)
    started = perf_counter()
    if isinstance(data, GramData):
        if weights is not None:
            raise UsageError("The cross-products have their weights already.", "give `weights` to prepare_linear")
        return fit_crossproducts(formula, data, reml=reml, start=start)
    gram = prepare_linear(formula, data, weights=weights)
    read = perf_counter() - started
    fit = fit_crossproducts(formula, gram, reml=reml, start=start)
    return replace(fit, timings={"database": read, **fit.timings})


def fit_binomial(
    formula: str,
    data: Any,
    *,
    link: str | Link = "logit",
    nagq: int = 1,
    weights: str | None = None,
    engine: str = Engine.OUTCOMES,
    in_memory: bool = True,
    **others: Any,
) -> BinomialFit:
    """Fit a binomial mixed model by maximum likelihood.

    Parameters
    ----------
    formula : str
        In lme4's syntax, e.g. ``is_dropout ~ directiveness_score + (1 | therapist_id)``. The outcome is 0 or 1, a
        share of events with the number of trials in `weights`, or ``cbind(events, others)``.
    data : DuckDB relation, polars or pandas frame, or Arrow table
        Rows with a missing value in any column of the model are left out and counted.
    link : str or Link
        A name of `outcomes.links.LINKS`: logit, cloglog, probit.
        cloglog makes a discrete-time proportional-hazards model of person-session rows.
    nagq : int, 1 to 25
        1: Laplace approximation. More: adaptive Gauss-Hermite nodes, for one grouping factor with an intercept, a slope
        or both (nodes of both dimensions then: their number squared).
    weights : str, optional
        Column with the number of trials of each row.
    engine : {"outcomes", "statsmodels"}
        "statsmodels" fits BinomialBayesMixedGLM (an approximate posterior, not maximum likelihood).
    in_memory : bool
        False sorts the rows into a temporary Parquet file and reads them batch by batch: slower, for data that do not
        fit (random intercepts only).
    **others
        Options of lme4 and statsmodels are answered with ours.

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
    refuse_options("fit_binomial", others)
    chosen = link_named(link)
    check_nodes(nagq)
    if _engine(engine) is Engine.STATSMODELS:
        return fit_binomial_bayes(formula, data, link=chosen, weights=weights)
    began = perf_counter()
    design = build_design(formula, data, weights)
    problem = binomial_problem(design, read_rows(design), chosen) if in_memory else stream_problem(design, chosen)
    read = perf_counter()
    fit = fit_problem(problem, nagq, weights)
    done = perf_counter()
    return replace(fit, timings={"read": read - began, "fit": done - read, "total": done - began})


def _engine(name: str) -> Engine:
    """The engine of this name, or a refusal that lists them."""
    if name not in list(Engine):
        raise no_such("engine", name, Engine)
    return Engine(name)
