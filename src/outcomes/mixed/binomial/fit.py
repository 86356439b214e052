"""Prepare and fit a binomial mixed model."""

from __future__ import annotations

from outcomes.links import Link
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.materialise import ModelRows
from outcomes.mixed.generalised.fit import fitted_parts
from outcomes.mixed.generalised.problem import Outcome, Problem, problem_of


def binomial_problem(design: Design, rows: ModelRows, link: Link) -> Problem:
    """The problem of rows in memory.

    Raises
    ------
    FitRefused
        Outcomes that are not events of trials, an outcome without variation, a grouping factor with fewer than two
        levels, or more columns than rows.
    """
    return problem_of(design, rows, link, Outcome(*link.events(rows.y, rows.weights)))


def fit_problem(problem: Problem, nagq: int = 1, weights: str | None = None) -> BinomialFit:
    """Optimise a prepared model and wrap the result; `timings` is left empty."""
    return BinomialFit(**fitted_parts(problem, nagq), link=problem.model.family, trials=weights)
