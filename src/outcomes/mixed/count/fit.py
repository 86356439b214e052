"""Prepare and fit a mixed model of counts."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from scipy.special import gammaln

from outcomes.errors import FitRefused
from outcomes.mixed.count.families import FAMILIES, check_family
from outcomes.mixed.count.result import CountFit
from outcomes.mixed.design.population import build_design
from outcomes.mixed.generalised.fit import check_nodes, fitted_parts
from outcomes.mixed.generalised.problem import Outcome, problem_of, read_rows
from outcomes.mixed.results.spellings import refuse_options

MAX_COUNT = 1_000_000
"""Largest count: the negative binomial sums over all counts up to it."""

WHOLE = 1e-6
"""Counts must be within this of whole numbers."""


def fit_count(
    formula: str,
    data: Any,
    *,
    family: str = "poisson",
    offset: str | None = None,
    nagq: int = 1,
    **others: Any,
) -> CountFit:
    """Fit a mixed model of counts with a log link by maximum likelihood.

    Parameters
    ----------
    formula : str
        In lme4's syntax, e.g. ``n_missed ~ directiveness_score + offset(log(n_planned)) + (1 | therapist_id)``.
    data : DuckDB relation, polars or pandas frame, or Arrow table
        Rows with a missing value in any column of the model are left out and counted.
    family : {"poisson", "negative_binomial"}
        Variance mu, or mu + alpha mu^2 (R's nbinom2; alpha = 1 / theta).
    offset : str, optional
        An expression added to the linear predictor with a coefficient of 1, usually the log of an exposure:
        ``offset="log(n_planned)"``. The same as ``+ offset(log(n_planned))`` in the formula.
    nagq : int, 1 to 25
        1: Laplace approximation. More: adaptive Gauss-Hermite nodes, for one grouping factor with an intercept, a slope
        or both.
    **others
        Options of lme4 and glmmTMB are answered with ours.

    Returns
    -------
    CountFit
        exp(effect) is a ratio of rates. Look at `status` before the estimates.

    Raises
    ------
    FormulaError, UsageError
        A formula or option that cannot be read.
    FitRefused
        Counts that are negative, not whole, or all zero; levels of a predictor without any count; fewer than two levels
        of a grouping factor; non-finite values.

    Notes
    -----
    y ~ Poisson(mu) or NB2(mu, alpha), log mu = X beta + Z b + offset, b ~ N(0, Sigma). The log-likelihood has its
    factorials, as in lme4 and glmmTMB (Brooks et al. 2017, doi 10.32614/RJ-2017-066). An observation-level random
    intercept, ``(1 | row_id)``, is the other way to allow for overdispersion (Harrison 2014, doi 10.7717/peerj.616).

    Examples
    --------
    >>> import polars as pl
    >>> missed = [0, 2, 1, 4, 1, 3, 0, 5, 0, 2, 2, 3]
    >>> rows = pl.DataFrame({"therapist_id": ["a", "b", "c", "d"] * 3, "n_missed": missed})
    >>> fit_count("n_missed ~ 1 + (1 | therapist_id)", rows).params.round(2).to_dict()
    {'(Intercept)': 0.44}
    """
    refuse_options("fit_count", others)
    check_family(family)
    check_nodes(nagq)
    began = perf_counter()
    design = build_design(formula if offset is None else f"{formula} + offset({offset})", data)
    rows = read_rows(design)
    counts = check_counts(rows.y)
    outcome = Outcome(counts, None, -float(gammaln(counts + 1).sum()))
    problem = problem_of(design, rows, FAMILIES[family], outcome)
    read = perf_counter()
    fit = CountFit(**fitted_parts(problem, nagq), family=family)
    done = perf_counter()
    return replace(fit, timings={"read": read - began, "fit": done - read, "total": done - began})


def check_counts(y: np.ndarray) -> np.ndarray:
    """The outcome as counts.

    Raises
    ------
    FitRefused
        Negative or broken numbers, no count above zero, or counts that are too large.
    """
    whole = np.round(y)
    if negative := int((y < 0).sum()):
        raise FitRefused(
            f"The outcome is negative in {negative} of {y.size} rows.", "counts are 0, 1, 2 ...; use fit_linear"
        )
    if broken := int((np.abs(y - whole) > WHOLE).sum()):
        raise FitRefused(
            f"The outcome is not a whole number in {broken} of {y.size} rows.",
            "use counts, with the exposure in an offset (offset(log(time))) where these are rates; or fit_linear",
        )
    if not whole.any():
        raise FitRefused(f"The outcome is 0 in all {y.size} rows.", "a model of counts needs rows with some")
    if whole.max() > MAX_COUNT:
        raise FitRefused(
            f"The outcome has counts above {MAX_COUNT:,}.",
            "use fit_linear on their logarithm, or count in larger units",
        )
    return whole
