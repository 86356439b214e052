"""Fit a binomial mixed model to the parts of a table, each read and evaluated where it is; sums come back.

A place keeps its rows and the last modes; what crosses is the parameters one way, a value, a gradient and a Hessian
the other.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from time import perf_counter

import numpy as np

from outcomes.links import Link, link_named
from outcomes.mixed.binomial.pooled import fit_shares, refuse_slopes
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.binomial.shares import Asked, Place, PlaceRows, Share
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.parts import Levels, Part, Places, look_at_all
from outcomes.mixed.partitions import Partitions


def fit_binomial_partitions(
    formula: str,
    partitions: Partitions,
    places: Places,
    *,
    link: str | Link = "logit",
    weights: str | None = None,
    levels: Levels | None = None,
) -> BinomialFit:
    """Fit a binomial mixed model with random intercepts to a table in parts, by Laplace's approximation.

    Parameters
    ----------
    formula : str
        In lme4's syntax; random intercepts only, of columns that the parts keep together.
    partitions : Partitions
        See `outcomes.mixed.write_partitions`.
    places : Places
        Who reads them: `outcomes.workers.in_threads()` or `outcomes.workers.on_cluster(address)`.
    link : str or Link
    weights : str, optional
        Column with the number of trials of each row.
    levels : dict of str to list, optional
        Levels of categorical predictors, first the reference; by default those found, sorted.

    Returns
    -------
    BinomialFit
        As from all rows on one machine; what needs rows or the effects of single levels is refused.

    Raises
    ------
    FormulaError
        A random term whose levels may lie in two parts; a transformation that must know all rows.
    UsageError
        Random slopes.
    FitRefused
        As `fit_binomial`.
    StorageError
        A part that a place cannot read.
    """
    began, chosen = perf_counter(), link_named(link)
    design, filled, n_missing = look_at_all(formula, partitions, places, weights, levels)
    refuse_slopes(design)
    kept = places.keep(_read, [(part, chosen) for part in filled])
    sums: BinomialSums = replace(reduce(add, places.ask(PlaceRows.sums, kept)), n_missing=n_missing)
    order = [":".join(group) for group in sums.order]
    models = places.keep(PlaceRows.place, [(one, sums.fixed(design), order) for one in kept])
    del kept  # a place needs its model only
    read = perf_counter()

    def ask(asked: Asked, at: np.ndarray) -> Share:
        return reduce(add, places.ask(Place.share, models, asked, at))

    fit = fit_shares(design, chosen, sums, ask, trials=weights)
    done = perf_counter()
    return replace(fit, timings={"read": read - began, "fit": done - read, "total": done - began})


def _read(part: Part, link: Link) -> PlaceRows:
    """A part's rows."""
    with part.open() as design:
        return PlaceRows.read(design, link)
