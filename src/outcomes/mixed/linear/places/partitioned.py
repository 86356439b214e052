"""Fit a linear mixed model to the parts of a table, each read and summed where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.population import look_at_part, open_population
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.places.pooled import fit_shares
from outcomes.mixed.linear.places.shares import Share, evaluate
from outcomes.mixed.linear.places.sums import PooledSums, sums_of
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem, linear_problem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.partitions import Partitions

Levels = dict[str, list]


class Places(Protocol):
    """Where parts are read and evaluated: threads of this process (`outcomes.workers.in_threads`) or Dask workers
    (`outcomes.workers.on_cluster`). Institutions answer the same two questions by files (`outcomes.federation`)."""

    def keep(self, function: Callable[..., Any], jobs: Sequence[tuple]) -> list[Any]:
        """Call `function(*job)` for each job, one a place; the results stay there."""

    def ask(self, function: Callable[..., Any], kept: Sequence[Any], *arguments: Any) -> list[Any]:
        """Call `function(one, *arguments)` on what each place keeps, and bring the results here, in order."""


@dataclass(frozen=True)
class Part:
    """One part of a table, and what is asked of it."""

    partitions: Partitions
    number: int
    formula: str
    weights: str | None
    levels: Levels | None = None


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
    asked = [Part(partitions, number, formula, weights, levels) for number in range(len(partitions.n_rows))]
    facts = places.ask(_look, asked)
    levels = _all_levels([found for _, found in facts]) | (levels or {})
    filled = [replace(part, levels=levels) for part, (n_complete, _) in zip(asked, facts, strict=True) if n_complete]
    if not filled:
        raise FitRefused("No row is complete in the model's columns.", "look at which columns are missing")
    design = _design(filled[0])
    _refuse_split_levels(design, partitions)
    grams = places.keep(_gram, [(part,) for part in filled])
    sums: PooledSums = reduce(add, places.ask(sums_of, grams))
    n_missing = sum(partitions.n_rows) - sums.n_rows
    frame = sums.frame(design)
    problems = places.keep(_problem, [(gram, formula, sums, frame) for gram in grams])
    del grams  # a place needs its problem only
    read = perf_counter() - started

    def summed(theta: np.ndarray) -> Share:
        return reduce(add, places.ask(evaluate, problems, theta))

    fit = fit_shares(formula, frame, summed, n_missing=n_missing, reml=reml)
    return replace(fit, timings={"database": read, **fit.timings})


def _look(part: Part) -> tuple[int, Levels]:
    """Complete rows of a part, and the levels of its categorical predictors."""
    with part.partitions.open(part.number) as relation:
        return look_at_part(part.formula, relation, part.weights)


def _all_levels(found: list[Levels]) -> Levels:
    return {
        name: sorted({level for one in found for level in one.get(name, ())})
        for name in dict.fromkeys(name for one in found for name in one)
    }


def _design(part: Part) -> Design:
    """The model's columns; reads no row."""
    with part.partitions.open(part.number) as relation:
        population = open_population([part.formula], relation.limit(0), part.weights, part.levels)
        return population.design(part.formula)


def _refuse_split_levels(design: Design, partitions: Partitions) -> None:
    for group in design.groups:
        if not partitions.together.intersection(group):
            raise FormulaError(
                f"The model groups by {':'.join(group)}, whose levels may lie in two parts.",
                f"write the partitions with it among `groups`; these keep {', '.join(sorted(partitions.together))}",
            )


def _gram(part: Part) -> GramData:
    """A part's cross-products; they need its rows no more."""
    with part.partitions.open(part.number) as relation:
        return prepare_linear(part.formula, relation, weights=part.weights, levels=part.levels)


def _problem(gram: GramData, formula: str, sums: PooledSums, frame: LinearFrame) -> LinearProblem:
    """A part's constants in the coordinates of all."""
    return linear_problem(sums.coordinates(gram), gram.design(formula), like=frame)
