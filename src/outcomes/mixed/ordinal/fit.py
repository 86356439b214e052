"""Prepare and fit a cumulative link mixed model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.data import as_source
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.materialise import ModelRows
from outcomes.mixed.design.population import build_design
from outcomes.mixed.generalised.fit import check_nodes, fitted_parts
from outcomes.mixed.generalised.problem import Outcome, problem_of, read_rows
from outcomes.mixed.ordinal.categories import Categories, read_categories
from outcomes.mixed.ordinal.family import OrderedCategories, threshold_map
from outcomes.mixed.ordinal.intervals import cumulative_link
from outcomes.mixed.ordinal.result import OrdinalFit
from outcomes.mixed.results.spellings import refuse_options


def fit_ordinal(
    formula: str,
    data: Any,
    *,
    link: str = "logit",
    thresholds: str = "flexible",
    categories: Sequence[Any] | None = None,
    nagq: int = 1,
    **others: Any,
) -> OrdinalFit:
    """Fit a cumulative link mixed model (ordered categories) by maximum likelihood, as R's ``ordinal::clmm`` does.

    Parameters
    ----------
    formula : str
        In lme4's syntax, e.g. ``satisfaction ~ directiveness_score + (1 + directiveness_score | therapist_id)``. The
        thresholds are the intercepts.
    data : DuckDB relation, polars or pandas frame, or Arrow table
        Rows with a missing value in any column of the model are left out and counted.
    link : {"logit", "probit"}
        Distribution of the latent variable: logistic (proportional odds) or normal.
    thresholds : {"flexible", "equidistant"}
        Each threshold on its own, or all at one distance.
    categories : sequence, optional
        The outcome's values from low to high. Needed for text; numbers, ordered categories and enums have an order.
    nagq : int, 1 to 25
        1: Laplace approximation. More: adaptive Gauss-Hermite nodes, for one grouping factor with an intercept, a slope
        or both.
    **others
        Options of lme4 and ordinal are answered with ours.

    Returns
    -------
    OrdinalFit
        Look at `status` before the estimates.

    Raises
    ------
    FormulaError, UsageError
        A formula or option that cannot be read; text whose order is not known.
    FitRefused
        Fewer than 3 categories with rows; categories that a predictor separates; fewer than two levels of a grouping
        factor; non-finite values.

    Notes
    -----
    P(y <= k) = G(tau_k - X beta - Z b), b ~ N(0, Sigma), tau_1 < ... < tau_{K-1} (McCullagh 1980, doi
    10.1111/j.2517-6161.1980.tb01109.x; Hedeker & Gibbons 1994, doi 10.2307/2533433). A positive effect moves the
    outcome up. A category without rows is left out, with a message.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"client_id": list("aabbccdd") * 3, "x": [0, 1] * 12, "y": [1, 2, 3, 3, 1, 3, 2, 1] * 3})
    >>> fit_ordinal("y ~ x + (1 | client_id)", rows).categories
    (1, 2, 3)
    """
    refuse_options("fit_ordinal", others)
    chosen = cumulative_link(link)
    threshold_map(thresholds, 3)
    check_nodes(nagq)
    began = perf_counter()
    source = as_source(data)
    parsed = parse_formula(formula)
    found, value = read_categories(parsed, source, data, categories)
    design = build_design(formula, source, outcome=found.code)
    if INTERCEPT_NAME not in design.fixed:
        raise UsageError(
            f"The formula leaves the intercept out: {formula}.", "write it without `0 +`: the thresholds are intercepts"
        )
    rows = read_rows(design)
    empty = sorted(set(range(1, len(found.labels) + 1)) - set(rows.y.astype(int)))
    if empty:
        design, rows, found = _without(empty, formula, design, found, value)
    n_categories = len(found.labels)
    shares = np.bincount(rows.y.astype(int), minlength=n_categories + 1)[1:] / rows.y.size
    family = OrderedCategories(chosen, threshold_map(thresholds, n_categories), shares)
    problem = problem_of(design, rows, family, Outcome(rows.y, None, 0.0))
    read = perf_counter()
    parts = fitted_parts(problem, nagq)
    if empty:
        note = f"{len(empty)} of {len(empty) + n_categories} categories have no complete row and were left out."
        parts["messages"] = (note, *parts["messages"])
    fit = OrdinalFit(**parts, link=chosen, categories=found.labels, threshold_kind=thresholds)
    done = perf_counter()
    return replace(fit, timings={"read": read - began, "fit": done - read, "total": done - began})


def _without(
    empty: list[int], formula: str, design: Design, found: Categories, value: Any
) -> tuple[Design, ModelRows, Categories]:
    """The design and rows with the categories that have rows."""
    kept = [i for i in range(len(found.labels)) if i + 1 not in empty]
    if len(kept) < 3:
        raise FitRefused(
            f"The outcome has {len(kept)} categories among the complete rows; an ordinal model needs 3 or more.",
            "use fit_binomial for two (1 and 0)",
        )
    found = found.only(kept, value)
    design = build_design(formula, design.source, outcome=found.code)
    return design, read_rows(design), found
