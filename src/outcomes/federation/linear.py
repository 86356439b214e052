"""The rounds of a linear model: what is asked, and what a site answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

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
_SHORTER = "plan with `--at-least` and `--up-to`, so that no client has fewer or more sessions than many others"
_WITHOUT = "plan with other `--at-least` and `--up-to`, without this random term"
_NEAR, _NEAR_SHARE = 0.05, 0.1
"""So near, and so near for its size, a relative standard deviation is taken for the same."""


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


def refuse_of_changed(
    plan: Plan, rows: duckdb.DuckDBPyRelation, sums: PooledSums | None, asked: Sequence[tuple[str, np.ndarray]]
) -> None:
    """Refuse where the rounds so far would tell of few of the clients in whom two plans differ; see `binomial`.

    Raises
    ------
    DataRefused
    """
    if sums is not None:
        gram = prepare_linear(plan.formula, rows, levels=plan.all_levels)
        refuse_taken_apart(plan, gram, sums, [theta for _, theta in asked])


def refuse_taken_apart(plan: Plan, gram: GramData, sums: PooledSums, asked: Sequence[np.ndarray]) -> None:
    """Refuse a round after which the sums so far would tell a few clients apart.

    Each random term is looked at by itself. Where one moves while the terms of smaller groups stay as they are, nearly,
    the sums by its levels can be read: of a therapist's clients together, as far as the clients' own term leaves them.
    No site has to be believed: one that answers falsely may lead the search anywhere.

    Raises
    ------
    DataRefused
        Where all rounds together tell of fewer than 10 of this site's clients.
    """
    frame = sums.frame(plan.design)
    design, fewest = gram.design(plan.formula), GROUPS["client_id"]
    sizes = {
        factor.group: np.array([float(np.linalg.norm(theta[own])) for theta in asked])
        for factor, own in zip(frame.factors, frame.slices, strict=True)
    }
    by_size = sorted(design.groups, key=lambda group: -gram.levels[group].n_levels)
    for unit in by_size:
        levels = gram.levels[unit]
        finer = [one for one in by_size if gram.levels[one].n_levels > levels.n_levels]
        clients = clients_of(design, levels)
        for rounds, n_rows, alone in _alike(gram, unit, finer, sizes):
            told = told_of_few(n_rows, sizes[unit][rounds], PRECISION, fewest, clients, is_total_told=alone)
            if told <= TOLD:
                continue
            raise DataRefused(
                f"The rounds of this fit would tell of fewer than {fewest} clients of this site, by how many sessions "
                f"{'they have' if unit == ('client_id',) else f'each {unit[0]} has'}",
                f"{_SHORTER if unit == ('client_id',) else _WITHOUT}, or with larger sites; {BOUND}",
            )


def _alike(
    gram: GramData, unit: tuple[str, ...], finer: Sequence[tuple[str, ...]], sizes: dict[tuple[str, ...], np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Rounds in which the terms of finer groups are nearly the same, the rows that then count in each level, and
    whether these terms are nearly zero.

    A level of m rows and relative standard deviation theta counts as m / (1 + theta^2 m).
    """
    others = np.array([sizes[group] for group in finer]).reshape(len(finer), sizes[unit].size)
    seen: set[tuple[bool, ...]] = set()
    for here in others.T:
        rounds = np.all(np.abs(others.T - here) <= np.maximum(_NEAR, _NEAR_SHARE * here), axis=1)
        if tuple(rounds) in seen:
            continue
        seen.add(tuple(rounds))
        counted = gram.counts.astype(float)
        for group, size in zip(finer, here, strict=True):
            codes = gram.levels[group].codes
            counted = counted / (1 + size**2 * np.bincount(codes, counted)[codes])
        codes = gram.levels[unit].codes
        yield rounds, np.bincount(codes, counted, minlength=gram.levels[unit].n_levels), bool((here <= _NEAR).all())
