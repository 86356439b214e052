"""The same linear model on slightly different data: from the estimate at hand, without proving the optimum anew.

For the many completed data sets of multiple imputation, where a proof of each optimum would cost more than the search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from time import perf_counter

import numpy as np

from outcomes.mixed.linear.fit import profiled, wrap_up
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.problem import LinearProblem, linear_problem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.nearby import approach


def refit_linear(fit: LinearFit, gram: GramData) -> LinearFit:
    """Fit a model to other cross-products; see `refit_many`."""
    return next(refit_many(fit, [gram]))


def refit_many(fit: LinearFit, grams: Iterable[GramData]) -> Iterator[LinearFit]:
    """Fit a model to other cross-products, starting at the variance components of an earlier fit.

    Parameters
    ----------
    fit : LinearFit
        Of engine="outcomes".
    grams : iterable of GramData
        With the columns of the fit's formula. They differ in the outcome only: rows, groups and predictors are those of
        the first.

    Yields
    ------
    LinearFit
        One at a time, because each holds the cross-products of its clients. A component that was zero stays zero. The
        optimiser's Hessian is that of `fit`, so degrees of freedom are approximate.
    """
    first: LinearProblem | None = None
    for gram in grams:
        started = perf_counter()
        problem = linear_problem(gram, gram.design(fit.formula), beside=first)
        first = first or problem
        theta, value, is_settled = approach(profiled(problem, reml=fit.reml), fit.theta, fit.optimizer.hessian)
        story = replace(
            fit.optimizer,
            method="BFGS from an earlier estimate",
            start=fit.theta,
            final=theta,
            value=value,
            is_converged=is_settled,
            message="settled" if is_settled else "stopped before the gradient vanished",
        )
        timings = {"optimise": perf_counter() - started}
        yield wrap_up(fit.formula, gram, problem, story, reml=fit.reml, timings=timings)


def shift_outcome(gram: GramData, outcome: str, by: str, amount: float) -> GramData:
    """Cross-products as if `outcome` were outcome + amount * by; exact algebra, the data are not read.

    Parameters
    ----------
    gram : GramData
    outcome, by : str
        SQL of two of its columns (`Design.outcome`).
    amount : float
    """
    y, x = gram.columns.index(outcome), gram.columns.index(by)
    change = np.eye(len(gram.columns))
    change[y, x] = amount
    total = change @ gram.total @ change.T
    center, scale = change @ gram.center, gram.scale.copy()
    variance = total[y, y] / total[0, 0] - (total[0, y] / total[0, 0]) ** 2
    scale[y] = np.sqrt(variance) if variance > 0 else 1.0
    cells = gram.cells.copy()
    cells[:, y] += amount * gram.cells[:, x]
    return replace(gram, total=total, center=center, scale=scale, cells=cells)
