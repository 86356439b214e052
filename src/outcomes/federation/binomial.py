"""The rounds of a binomial model: what is asked, and what a site answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import duckdb
import numpy as np

from outcomes.errors import DataRefused
from outcomes.federation.changes import BOUND
from outcomes.federation.clients import clients_of
from outcomes.federation.plan import GROUPS, Plan
from outcomes.federation.singled_out import weight_on_few
from outcomes.federation.taken_apart import PRECISION, TOLD
from outcomes.federation.told_by_outcome import Told, events_told
from outcomes.links import link_named
from outcomes.mixed.binomial.contributions import row_derivatives
from outcomes.mixed.binomial.pooled import fit_shares
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.binomial.shares import Asked, PlaceRows, Share
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.columns import FixedPart
from outcomes.mixed.design.population import open_population

_CLIENTS = ("client_id",)


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
    place_rows = _read(design, plan)
    sums = replace(place_rows, groups=design.groups).sums()
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
    place_rows, fixed = _read(design, plan), sums.fixed(plan.design)
    questions = [(Asked(kind), at) for kind, at in asked]
    _refuse_told(design, place_rows, sums, fixed, questions, is_bound=True)
    place = place_rows.place(fixed, [":".join(group) for group in sums.order])
    return place.share(*questions[-1]).rounded(PRECISION).to_vector()


def refuse_of_changed(
    plan: Plan, rows: duckdb.DuckDBPyRelation, sums: BinomialSums | None, asked: Sequence[tuple[str, np.ndarray]]
) -> None:
    """Refuse where the rounds so far would tell of few of the clients in whom two plans differ.

    Each plan tells its own kinds of clients, so both together tell those of the difference.

    Parameters
    ----------
    plan : Plan
    rows : DuckDBPyRelation
        The rows of these clients.
    sums : BinomialSums or None
        Of all sites; None in round 1.
    asked : sequence of (str, ndarray)
        All rounds after the first.

    Raises
    ------
    DataRefused
    """
    design = _design(plan, rows)
    place_rows = _read(design, plan)
    known = sums or replace(place_rows, groups=design.groups).sums()
    fixed = known.fixed(plan.design if sums else design)
    questions = [(Asked(kind), at) for kind, at in asked] or [(Asked.INFORMATION, np.zeros(len(fixed.names)))]
    _refuse_apart(design, place_rows, known.order, fixed, questions, is_bound=sums is not None)


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
    order, fewest = sums.order, GROUPS["client_id"]
    asked, at = questions[-1]
    about = [] if asked is Asked.INFORMATION else [place_rows.rows.groups[group].codes for group in order]
    try:
        columns, along, row = row_derivatives(place_rows, fixed, order, asked, at)
        is_of_few = weight_on_few(columns, along, row, about, place_rows.rows.groups[_CLIENTS].codes)
    except (FloatingPointError, np.linalg.LinAlgError):
        is_of_few = True
    if is_of_few:
        raise DataRefused(
            f"The search has come where the answer would be that of fewer than {fewest} clients of this site: the "
            "outcome of nearly all others is certain there",
            "plan without predictors by which the outcome is nearly certain; if there are none, a site may have "
            f"answered falsely{f'; {BOUND}' if is_bound else ''}",
        )
    _refuse_apart(design, place_rows, order, fixed, questions, is_bound=is_bound)


def _refuse_apart(
    design: Design,
    place_rows: PlaceRows,
    order: list[tuple[str, ...]],
    fixed: FixedPart,
    questions: Sequence[tuple[Asked, np.ndarray]],
    *,
    is_bound: bool,
) -> None:
    """Refuse questions whose answers could be taken apart by kinds of clients."""
    fewest, bound = GROUPS["client_id"], f"; {BOUND}" if is_bound else ""
    groups = place_rows.rows.groups
    if questions[-1][0] is Asked.INFORMATION and (
        events_told(place_rows, fixed, groups[_CLIENTS].codes, questions, PRECISION, fewest) > TOLD
    ):
        raise DataRefused(
            f"The first rounds of this fit would tell of the events of fewer than {fewest} clients of this site, by "
            "what the predictors say of them together",
            f"plan with fewer or coarser predictors, with `--up-to`, with the logit, or with larger sites{bound}",
        )
    unit = _CLIENTS if _CLIENTS in order else order[0]
    beside = tuple(group for group in order if group != unit)
    own = [*range(len(fixed.names)), *(len(fixed.names) + order.index(group) for group in (unit, *beside))]
    of_unit = [(kind, at if kind is Asked.INFORMATION else at[own]) for kind, at in questions]
    told = Told(place_rows, fixed, unit, clients_of(design, groups[unit]), beside)
    if told.of_few(of_unit, PRECISION, fewest) > TOLD:
        named = " and ".join(group[0] for group in beside)
        raise DataRefused(
            f"The rounds of this fit would tell of fewer than {fewest} clients of this site, by how many sessions "
            f"they have and whether they had the event{f', within each {named}' if beside else ''}",
            "plan with `--up-to`, so that no client has more sessions than many others, with fewer predictors, "
            f"{f'without the random term of {named}, ' if beside else ''}or with larger sites{bound}",
        )


def _read(design: Design, plan: Plan) -> PlaceRows:
    """The rows, with the client of each whether or not the model has a term of clients."""
    named = design.random if _CLIENTS in design.groups else (*design.random, replace(design.random[0], group=_CLIENTS))
    return PlaceRows.read(replace(design, random=named), link_named(plan.link))


def _design(plan: Plan, rows: duckdb.DuckDBPyRelation) -> Design:
    return open_population([plan.formula], rows, levels=plan.all_levels).design(plan.formula)
