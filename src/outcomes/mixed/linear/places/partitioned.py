"""Fit a linear mixed model to the parts of a table, each read and summed where it is."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from time import perf_counter

import numpy as np

from outcomes.mixed.design.parts import Levels, Part, Places, look_at_all
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.places.pooled import fit_shares
from outcomes.mixed.linear.places.shares import Share, evaluate
from outcomes.mixed.linear.places.sums import PooledSums, sums_of
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem, linear_problem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.partitions import Partitions


def fit_linear_partitions(
    formula: str,
    partitions: Partitions,
    places: Places,
    *,
    reml: bool = True,
    weights: str | None = None,
    levels: Levels | None = None,
) -> LinearFit:
    """Fit a linear mixed model to a table in parts; what comes back from a part are sums, never rows.

    Parameters
    ----------
    formula : str
        In lme4's syntax; each random term groups by a column that the parts keep together.
    partitions : Partitions
        See `outcomes.mixed.write_partitions`.
    places : Places
        Who reads them: `outcomes.workers.in_threads()` or `outcomes.workers.on_cluster(address)`.
    reml : bool
    weights : str, optional
        As in `fit_linear`.
    levels : dict of str to list, optional
        Levels of categorical predictors, first the reference; by default those found, sorted.

    Returns
    -------
    LinearFit
        As from all rows on one machine; the effects of single levels are refused.

    Raises
    ------
    FormulaError
        A random term whose levels may lie in two parts; a transformation that must know all rows.
    FitRefused
        As `fit_linear`.
    StorageError
        A part that a place cannot read.
    """
    started = perf_counter()
    design, filled, n_missing = look_at_all(formula, partitions, places, weights, levels)
    grams = places.keep(_gram, [(part,) for part in filled])
    sums: PooledSums = reduce(add, places.ask(sums_of, grams))
    frame = sums.frame(design)
    problems = places.keep(_problem, [(gram, formula, sums, frame) for gram in grams])
    del grams  # a place needs its problem only
    read = perf_counter() - started

    def summed(theta: np.ndarray) -> Share:
        return reduce(add, places.ask(evaluate, problems, theta))

    fit = fit_shares(formula, frame, summed, n_missing=n_missing, reml=reml)
    return replace(fit, timings={"database": read, **fit.timings})


def _gram(part: Part) -> GramData:
    """A part's cross-products; they need its rows no more."""
    with part.partitions.open(part.number) as relation:
        return prepare_linear(part.formula, relation, weights=part.weights, levels=part.levels)


def _problem(gram: GramData, formula: str, sums: PooledSums, frame: LinearFrame) -> LinearProblem:
    """A part's constants in the coordinates of all."""
    return linear_problem(sums.coordinates(gram), gram.design(formula), like=frame)
