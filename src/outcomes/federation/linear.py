"""The rounds of a linear model: what is asked, and what a site answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb
import numpy as np

from outcomes.errors import DataRefused
from outcomes.federation.changes import BOUND
from outcomes.federation.clients import clients_of
from outcomes.federation.plan import GROUPS, Plan
from outcomes.federation.taken_apart import PRECISION, TOLD, told_of_few
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.places.pooled import fit_shares
from outcomes.mixed.linear.places.shares import Share, evaluate
from outcomes.mixed.linear.places.sums import PooledSums, read_sums, write_sums
from outcomes.mixed.linear.problem import linear_problem
from outcomes.mixed.linear.result import LinearFit

_SHARE = "share"


def read(plan: Plan, summed: np.ndarray) -> PooledSums:
    """The moments of all sites."""
    return read_sums(plan.design, summed)


def fit(plan: Plan, sums: PooledSums, ask: Callable[[str, np.ndarray], np.ndarray]) -> LinearFit:
    """Fit from the sums of round 1 and of what is asked then."""
    frame = sums.frame(plan.design)

    def share(theta: np.ndarray) -> Share:
        return Share.from_vector(ask(_SHARE, theta), frame)

    return fit_shares(plan.formula, frame, share, n_missing=sums.n_missing, reml=plan.reml)


def own_sums(plan: Plan, rows: duckdb.DuckDBPyRelation) -> np.ndarray:
    """A site's own numbers in round 1."""
    return write_sums(plan.design, prepare_linear(plan.formula, rows, levels=plan.all_levels))


def own_share(
    plan: Plan, rows: duckdb.DuckDBPyRelation, sums: PooledSums, asked: Sequence[tuple[str, np.ndarray]]
) -> np.ndarray:
    """A site's own numbers for the last of what was asked.

    Raises
    ------
    DataRefused
        All that was asked would tell of fewer than 10 clients.
    """
    gram = prepare_linear(plan.formula, rows, levels=plan.all_levels)
    refuse_taken_apart(plan, gram, sums, [theta for _, theta in asked])
    problem = linear_problem(sums.coordinates(gram), gram.design(plan.formula), like=sums.frame(plan.design))
    return evaluate(problem, asked[-1][1]).rounded(PRECISION).to_vector()


def refuse_taken_apart(plan: Plan, gram: GramData, sums: PooledSums, asked: Sequence[np.ndarray]) -> None:
    """Refuse a round after which the sums so far would tell a few clients apart.

    Where clients have no random term, the clients of one therapist or practice are told together.

    Raises
    ------
    DataRefused
        Where all rounds together tell of fewer than 10 of this site's clients.
    """
    frame = sums.frame(plan.design)
    design, fewest = gram.design(plan.formula), GROUPS["client_id"]
    for unit in (("client_id",),) if ("client_id",) in design.groups else design.groups:
        levels = gram.levels[unit]
        own = [part for factor, part in zip(frame.factors, frame.slices, strict=True) if factor.group == unit]
        sizes = [float(np.linalg.norm(theta[own[0]])) for theta in asked]
        n_rows = np.bincount(levels.codes, weights=gram.counts, minlength=levels.n_levels).astype(int)
        if told_of_few(n_rows, sizes, PRECISION, fewest, clients_of(design, levels)) <= TOLD:
            continue
        raise DataRefused(
            f"The rounds of this fit would tell of fewer than {fewest} clients of this site, by how many sessions "
            f"{'they have' if unit == ('client_id',) else f'each {unit[0]} has'}",
            f"plan with `--at-least`, so that clients with few sessions stay out, or with larger sites; {BOUND}",
        )
