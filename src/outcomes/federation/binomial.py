"""The rounds of a binomial model: what is asked, and what a site answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb
import numpy as np

from outcomes.errors import DataRefused
from outcomes.federation.changes import BOUND
from outcomes.federation.clients import clients_of
from outcomes.federation.plan import GROUPS, Plan
from outcomes.federation.taken_apart import PRECISION, TOLD
from outcomes.federation.told_by_outcome import Told
from outcomes.links import link_named
from outcomes.mixed.binomial.pooled import fit_shares
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.binomial.shares import Asked, PlaceRows, Share
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.columns import FixedPart
from outcomes.mixed.design.population import open_population


def read(plan: Plan, summed: np.ndarray) -> BinomialSums:
    """The sums of all sites."""
    return BinomialSums.from_vector(summed, plan.design)


def fit(plan: Plan, sums: BinomialSums, ask: Callable[[str, np.ndarray], np.ndarray]) -> BinomialFit:
    """Fit from the sums of round 1 and of what is asked then."""

    def share(asked: Asked, at: np.ndarray) -> Share:
        return Share.from_vector(ask(asked.value, at), asked, at.size)

    return fit_shares(plan.design, link_named(plan.link), sums, share)


def own_sums(plan: Plan, rows: duckdb.DuckDBPyRelation) -> np.ndarray:
    """A site's own numbers in round 1.

    What round 2 asks first is known already, but for where: a site that would refuse it does not send its sums either.

    Raises
    ------
    DataRefused
        Round 2 would tell of fewer than 10 clients.
    """
    design = _design(plan, rows)
    place_rows = PlaceRows.read(design, link_named(plan.link))
    sums = place_rows.sums()
    fixed = sums.fixed(design)
    _refuse_told(design, place_rows, sums, fixed, [(Asked.INFORMATION, np.zeros(len(fixed.names)))], is_bound=False)
    return sums.to_vector(design)


def own_share(
    plan: Plan, rows: duckdb.DuckDBPyRelation, sums: BinomialSums, asked: Sequence[tuple[str, np.ndarray]]
) -> np.ndarray:
    """A site's own numbers for the last of what was asked.

    The modes are sought anew from zero: the same question has the same answer, whatever was asked before.

    Raises
    ------
    DataRefused
        All that was asked would tell of fewer than 10 clients.
    """
    design = _design(plan, rows)
    place_rows, fixed = PlaceRows.read(design, link_named(plan.link)), sums.fixed(plan.design)
    questions = [(Asked(kind), at) for kind, at in asked]
    _refuse_told(design, place_rows, sums, fixed, questions, is_bound=True)
    place = place_rows.place(fixed, [":".join(group) for group in sums.order])
    return place.share(*questions[-1]).rounded(PRECISION).to_vector()


def _refuse_told(
    design: Design,
    place_rows: PlaceRows,
    sums: BinomialSums,
    fixed: FixedPart,
    questions: Sequence[tuple[Asked, np.ndarray]],
    *,
    is_bound: bool,
) -> None:
    """Refuse questions whose answers would tell of fewer than 10 clients; `is_bound` where sums have left already."""
    unit = ("client_id",) if ("client_id",) in sums.order else sums.order[0]
    told = Told(place_rows, fixed, unit, clients_of(design, place_rows.rows.groups[unit]))
    own = [*range(len(fixed.names)), len(fixed.names) + sums.order.index(unit)]
    of_unit = [(kind, at if kind is Asked.INFORMATION else at[own]) for kind, at in questions]
    fewest = GROUPS["client_id"]
    if told.of_few(of_unit, PRECISION, fewest) > TOLD:
        raise DataRefused(
            f"The rounds of this fit would tell of fewer than {fewest} clients of this site, by how many sessions "
            "they have and whether they had the event",
            "plan with `--up-to`, so that no client has more sessions than many others, with fewer predictors, or with "
            f"larger sites{f'; {BOUND}' if is_bound else ''}",
        )


def _design(plan: Plan, rows: duckdb.DuckDBPyRelation) -> Design:
    return open_population([plan.formula], rows, levels=plan.all_levels).design(plan.formula)
