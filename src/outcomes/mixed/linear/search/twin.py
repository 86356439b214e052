"""A smaller model with nearly the same optimum, to start a large search from.

The search of a large specification pays for its linked levels (clients who change therapist tie all therapists
together) and for its clients, at each evaluation. Its twin takes a tenth of the therapists, or of the clients where
therapists are few, and lets a client who moved count as one client for each therapist: nothing is linked then. Its
optimum is a few standard errors away, and its second derivatives times ten are near those of the whole. Only the start
comes from it: the whole's own deviance, gradient and Hessian prove the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from outcomes.errors import FitRefused
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.levels import Levels
from outcomes.mixed.elimination.batched import apply, inverse_and_logdet
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.problem import LinearProblem, cell_sums, linear_problem

SHARE = 10
"""The twin has one in so many of the levels."""

MANY_LEVELS = 1000
"""Linked levels of which a tenth still tells their variance; with fewer, clients are drawn."""

LEAST_LEVELS = 20_000
"""Levels of the first factor below which the whole is fitted as fast as a twin beforehand."""

MOST_SPLIT = 1.3
"""Pairs (client, therapist) a client above which the twin would no longer resemble the whole."""

RIDGE = 1e-6
"""Added to Z'Z of a cell (columns of unit spread), which one session leaves singular."""

_SEED = 20261126


@dataclass(frozen=True)
class Twin:
    """The smaller model.

    Parameters
    ----------
    problem : LinearProblem
    scale : float or None
        How many times the whole's second derivatives are those of the twin, where all of them are in proportion.
    """

    problem: LinearProblem
    scale: float | None


def twin_of(problem: LinearProblem, gram: GramData, design: Design) -> Twin | None:
    """Build the smaller model; None where the whole is small, or too linked to be told from a part without links."""
    n_first = problem.n_levels[0]
    if n_first < LEAST_LEVELS:
        return None
    codes = [gram.levels[factor.group].codes for factor in problem.factors]
    by = 1 if len(codes) > 1 and problem.n_levels[1] >= MANY_LEVELS else 0
    rng = np.random.default_rng(_SEED)
    chosen = np.zeros(problem.n_levels[by], dtype=bool)
    chosen[rng.choice(len(chosen), len(chosen) // SHARE, replace=False)] = True
    cells = np.flatnonzero(chosen[codes[by]])
    split = pl.DataFrame([code[cells] for code in codes], schema=[f"c{i}" for i in range(len(codes))])
    pairs = split.select(pl.struct(pl.all()).rank("dense")).to_series().to_numpy().astype(np.int32) - 1
    n_pairs, n_levels = int(pairs.max(initial=-1)) + 1, split["c0"].n_unique()
    if n_pairs < 2 or n_pairs > MOST_SPLIT * n_levels:
        return None
    counts = gram.counts[cells]
    levels = {group: replace(one, codes=one.codes[cells]) for group, one in gram.levels.items()}
    first = problem.factors[0].group
    levels[first] = Levels(levels[first].name, pairs, pl.Series(np.arange(n_pairs)))
    part = replace(gram, cells=gram.cells[:, :, cells], counts=counts, levels=levels)
    try:
        small = linear_problem(part, design, like=problem)
    except FitRefused:
        return None
    share = float(counts.sum() / gram.counts.sum())
    XX = _part_of_products(problem.XX, *cell_sums(gram, design, problem), cells, share)
    return Twin(replace(small, XX=XX), 1 / share if by == 1 or len(codes) == 1 else None)


def _part_of_products(XX: np.ndarray, G: np.ndarray, ZX: np.ndarray, cells: np.ndarray, share: float) -> np.ndarray:
    """[X y]'[X y] of some cells, of which only Z'[X y] is known: what Z does not explain within cells is in
    proportion to the rows, the rest is known of each."""
    inner = G.copy()
    for a in range(len(inner)):
        inner[a, a] += RIDGE
    inverse, _ = inverse_and_logdet(inner)
    taken = apply(inverse, ZX)
    whole, part = (
        sum(one[mine].T @ other[mine] for one, other in zip(ZX, taken, strict=True)) for mine in (slice(None), cells)
    )
    return share * (XX - whole) + part
