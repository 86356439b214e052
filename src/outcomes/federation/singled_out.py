"""Whether columns can be combined so that little but the rows of a few clients is left.

Round 1 tells the products of all columns, so whoever reads them knows the products of every weighted sum of columns as
well. A sum w = Xb that is zero but for the rows of a few clients has products that are theirs alone: session_3 where
one client came three times, or I(x**2) - x where one client has a 2 and all others 0 or 1. Looked for is the b for
which the few hold the largest share of w'w: what the others hold hides the few, as in the (n, k) rule of dominance
(Hundepool et al. 2012, Statistical Disclosure Control, section 4.2.2).

Later rounds tell more. At a large covariance parameter what is left of the products is that within the levels of the
random term, and with the products of round 1 that between them is told as well. So the same is asked of each column's
two parts: what the random effects can follow, and what they cannot. A column that varies only within the few clients
who changed therapist is theirs alone within clients.

Of a yes or no the products are weighted, by how much each row resists at the parameters asked. Where these are far off,
as somebody may drive them who answers falsely, or as separated data drive them by themselves, all weight lies on the
few rows nearest to one half. So the same is asked of the weighted columns and of the scores in every round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from outcomes.errors import DataRefused
from outcomes.federation.plan import GROUPS
from outcomes.links import Derivatives
from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.design.population import Population

HELD_BY_ONE, HELD_BY_FEW = 0.75, 0.95
"""Most that one client, and fewer than ten clients, may hold of any sum of columns. Where 24 clients take part, nine
of them hold up to 0.9 of an ordinary predictor."""
MAX_VALUES = 3
"""A column of so many values, with its square, tells each value's rows from all others."""
MOST_SPREAD = 5.0
"""Largest standard deviation of the fixed part of the linear predictor, over a site's rows: further apart, rows are
told from others by which side of a threshold they lie on. Two in ordinary fits are many."""
_LOOKED_AT = 0.5
"""Where few clients hold so much, one of them alone holds a share of it: the search sets out from such clients."""
_STEPS = 30
_RANK = 1e-9
_SEEN = 1e-6
"""A part of a column that is shorter than this share of it is lost in the rounding of answers: its square is told."""


def refuse_singled_out(population: Population, design: Design, fewest: int, *, is_yes_or_no: bool) -> None:
    """Refuse a formula whose columns, as they are at this site, would single a few clients out in the first rounds.

    Parameters
    ----------
    population : Population
    design : Design
    fewest : int
        Of fewer clients nothing may be told.
    is_yes_or_no : bool
        Of a binomial model: where a column has few values, the event must not be rare or common among those of one.

    Raises
    ------
    DataRefused
    """
    named = {name: sql for name, sql in design.columns.items() if sql != ONE} | {"the outcome": design.outcome}
    selected = [f"{sql} as c{i}" for i, sql in enumerate(named.values())]
    found = pl.from_arrow(population.source.read([*selected, *GROUPS], population.complete))
    codes = {group: found[group].fill_null("").rank("dense").to_numpy() - 1 for group in GROUPS}
    clients = codes["client_id"]
    columns = np.column_stack([np.ones(len(clients)), *(found[f"c{i}"].cast(pl.Float64) for i in range(len(named)))])
    if not np.isfinite(columns).all():
        return  # the engine names the column, and reads nothing
    for i, name in enumerate(named, start=1):
        if _is_held(columns[:, [0, i]], clients, fewest):
            raise _of_column(name, fewest)
        if is_yes_or_no and name != "the outcome":
            _refuse_few_events(name, columns[:, i], columns[:, -1] != 0, clients, fewest)
    if _is_held(columns, clients, fewest):
        raise _of_combination(fewest)
    places = {name: list(named).index(name) + 1 if name in named else 0 for name in design.columns}
    for block in design.random:
        effects = columns[:, [places[name] for name in block.columns]]
        for where, part in _parts(columns, effects, codes[block.group_name]):
            for i, name in enumerate(named, start=1):
                if _is_held(part[:, [i]], clients, fewest):
                    raise _of_column(name, fewest, f" {where} {block.group_name}")
            if _is_held(part, clients, fewest):
                raise _of_combination(fewest, f" {where} {block.group_name}")


def weight_on_few(
    columns: np.ndarray, along: np.ndarray, row: Derivatives, codes: Sequence[np.ndarray], clients: np.ndarray
) -> bool:
    """Whether the answer to a question about a binomial model would be that of a few clients.

    Parameters
    ----------
    columns : ndarray, shape (n, p)
        In working coordinates.
    along : ndarray, shape (n,)
        The fixed part of the linear predictor.
    row : Derivatives
        Of the rows' log-likelihood, where it is asked for.
    codes : sequence of ndarray of int, shape (n,)
        Level of each row, of each random term that is asked about.
    clients : ndarray of int, shape (n,)

    Returns
    -------
    bool
    """
    fewest = GROUPS["client_id"]
    weight = np.sqrt(np.maximum(row.weight, 0.0))[:, None]
    scored = row.score[:, None] * columns
    loss = np.sqrt(np.abs(row.loglik))[:, None]
    if not along.std() <= MOST_SPREAD or not weight.any():
        return True
    told = [weight * columns, scored, loss]
    told += [part for levels in codes for _, part in _parts(told[0], weight, levels)]
    return any(not np.isfinite(part).all() or _is_held(part, clients, fewest) for part in told)


def _of_column(name: str, fewest: int, where: str = "") -> DataRefused:
    return DataRefused(
        f"Fewer than {fewest} clients of this site stand for nearly all that is told of {name}{where}: their rows "
        "would be read off the sums",
        "leave it out, or plan with coarser values or with larger sites",
    )


def _of_combination(fewest: int, where: str = "") -> DataRefused:
    return DataRefused(
        f"The formula's columns can be combined so that{where} little but the rows of fewer than {fewest} clients of "
        "this site is left",
        "plan with fewer predictors, or without squares and products",
    )


def _parts(columns: np.ndarray, effects: np.ndarray, codes: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Columns (n, k) less what random effects (n, q) of the levels follow, and what they follow.

    A part that is lost in the rounding of answers is zero.
    """
    n_levels, (q, k) = int(codes.max()) + 1, (effects.shape[1], columns.shape[1])
    own, crossed = np.empty((n_levels, q, q)), np.empty((n_levels, q, k))
    for i in range(q):
        for into, others in ((own, effects), (crossed, columns)):
            for j in range(others.shape[1]):
                into[:, i, j] = np.bincount(codes, effects[:, i] * others[:, j], n_levels)
    slopes = np.linalg.pinv(own, rcond=_RANK, hermitian=True) @ crossed
    followed = np.einsum("nq,nqk->nk", effects, slopes[codes])
    for where, part in (("within levels of", columns - followed), ("between levels of", followed)):
        is_seen = np.linalg.norm(part, axis=0) > _SEEN * np.linalg.norm(columns, axis=0)
        yield where, np.where(is_seen, part, 0.0)


def _is_held(columns: np.ndarray, clients: np.ndarray, fewest: int) -> bool:
    if not columns.any():
        return False
    return most_held(columns, clients, 1) > HELD_BY_ONE or most_held(columns, clients, fewest - 1) > HELD_BY_FEW


def _refuse_few_events(name: str, column: np.ndarray, events: np.ndarray, clients: np.ndarray, fewest: int) -> None:
    values = np.unique(column)
    for value in values if 1 < values.size <= MAX_VALUES else ():
        there = column == value
        n, have, without = (np.unique(clients[rows]).size for rows in (there, there & events, there & ~events))
        if any(0 < few < fewest for few in (have, n - have, without)):
            raise DataRefused(
                f"Fewer than {fewest} clients have the event at this site, or have it not, where {name} has one and "
                "the same value: sums would say something of these few",
                "leave it out, or take part with more clients",
            )


def most_held(columns: np.ndarray, clients: np.ndarray, few: int) -> float:
    """The largest share that so few clients hold of a weighted sum of columns.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
    clients : ndarray of int, shape (n,)
        Code of each row's client, from 0.
    few : int

    Returns
    -------
    float
        0 to 1; 1 where some sum is zero for everybody else. Below a half it is a bound. Above, there may be more than
        what is found: the search climbs from the best sum of each client who alone holds much, and ends where no other
        few hold more of the sum found.

    Notes
    -----
    With Q an orthonormal basis of the columns and G_c = Q_c'Q_c of client c, the few D hold the share b'(sum over D of
    G_c)b of w = Qb, b'b = 1. The best b for given D is an eigenvector, the best D for given b are those of the largest
    b'G_c b; in turn the share never falls.
    """
    basis = _basis(columns)
    if not np.isfinite(basis).all():
        return 1.0
    n_clients, rank = int(clients.max()) + 1, basis.shape[1]
    own = np.empty((n_clients, rank, rank))
    for i in range(rank):
        for j in range(i + 1):
            own[:, i, j] = own[:, j, i] = np.bincount(clients, basis[:, i] * basis[:, j], n_clients)
    few = min(few, n_clients)
    sizes, vectors = np.linalg.eigh(own)
    starts = np.flatnonzero(few * sizes[:, -1] >= _LOOKED_AT)  # not many: all sizes sum to the rank
    if few == 1 or not starts.size:
        return float(few * sizes[:, -1].max())
    b, share = vectors[starts, :, -1], np.zeros(starts.size)
    for _ in range(_STEPS):
        held = np.einsum("si,sj,cij->sc", b, b, own, optimize=True)
        who = np.argpartition(held, n_clients - few, axis=1)[:, n_clients - few :]
        sizes, vectors = np.linalg.eigh(own[who].sum(axis=1))
        grown, b, share = sizes[:, -1] - share, vectors[:, :, -1], sizes[:, -1]
        if (grown < _RANK).all():
            break
    return float(share.max())


def _basis(columns: np.ndarray) -> np.ndarray:
    """Orthonormal basis (n, r) of the columns, each brought to length 1 first."""
    lengths = np.linalg.norm(columns, axis=0)
    directions, sizes, _ = np.linalg.svd(columns[:, lengths > 0] / lengths[lengths > 0], full_matrices=False)
    return directions[:, sizes > _RANK * sizes.max(initial=0.0)]
