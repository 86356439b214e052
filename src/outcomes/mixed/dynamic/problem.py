"""What the likelihood needs of the data, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from outcomes.mixed.dynamic.parameters import N_DYNAMIC
from outcomes.mixed.dynamic.patterns import Indices, indices
from outcomes.mixed.dynamic.sequences import Pairs, Rows, Stretches, cut, pair_up
from outcomes.mixed.dynamic.therapists import Layout, lay_out


@dataclass(frozen=True)
class ClientBlocks:
    """Clients with the same number of therapists, and where their 2K x 2K matrices lie in the flat storage.

    Parameters
    ----------
    n_clients, n_therapists : int
        n clients with K therapists each.
    pairs : slice
        Their pairs, client by client.
    part : slice
        Their part of the flat storage.
    therapist : ndarray of int, shape (n, K)
    unit : ndarray of int, shape (n,)
        Clients of one unit share their therapist and their patterns, so their matrices are the same.
    one_of : ndarray of int, shape (U,); size : ndarray, shape (U,)
        A client of each unit, and how many it has.
    links : ndarray of int, shape (U, K, K, 2, 2), or None
        Places of the units' therapists' blocks in the therapists' matrix.
    """

    n_clients: int
    n_therapists: int
    pairs: slice
    part: slice
    therapist: np.ndarray
    unit: np.ndarray
    one_of: np.ndarray
    size: np.ndarray
    links: np.ndarray | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of their matrices."""
        return self.n_clients, 2 * self.n_therapists, 2 * self.n_therapists


@dataclass(frozen=True)
class Size:
    """How large a problem is, or those of all parts of a table together.

    Parameters
    ----------
    q_d, q_y : int
        Columns of the two equations, the outcomes included.
    n_values : int
        Values of guidance and of satisfaction that take part.
    n_clients, n_therapists : int
        `n_therapists` is 0 in a model without them.
    """

    q_d: int
    q_y: int
    n_values: int
    n_clients: int
    n_therapists: int

    def __add__(self, other: Size) -> Size:
        """Of two parts together; no client and no therapist is in both."""
        return Size(
            self.q_d,
            self.q_y,
            self.n_values + other.n_values,
            self.n_clients + other.n_clients,
            self.n_therapists + other.n_therapists,
        )

    @property
    def n_theta(self) -> int:
        """Nonlinear parameters."""
        return N_DYNAMIC + 3 + 3 * (self.n_therapists > 0)

    @property
    def linear(self) -> np.ndarray:
        """Which of the q_d + q_y columns have coefficients (all but the outcomes)."""
        return np.delete(np.arange(self.q_d + self.q_y), [0, self.q_d])


@dataclass(frozen=True)
class DynamicProblem:
    """A dynamic model's data.

    Parameters
    ----------
    rows : Rows
    groups, places : tuple of Stretches and of Indices
    crossing_places : tuple of ndarray or None
        By group, places (R, n_m, n_m) of its crossing stretches' entries in the clients' flat storage.
    pairs : Pairs
    cells : tuple of slice
        Each group's cells among all.
    to_pairs : csr_array, shape (P, C)
        Adds cells by pair.
    blocks : tuple of ClientBlocks
    row_of, column_of : ndarray of int, shape (2 P,)
        Where each effect's row starts in the clients' flat storage, and its column within a row.
    layout : Layout or None
        None in a model without therapists.
    by_therapist : csr_array, shape (J, P), or None
    size : Size
    longest : int
        Longest offset in a stretch, in sessions.
    """

    rows: Rows
    groups: tuple[Stretches, ...]
    places: tuple[Indices, ...]
    crossing_places: tuple[np.ndarray | None, ...]
    pairs: Pairs
    cells: tuple[slice, ...]
    to_pairs: sp.csr_array
    blocks: tuple[ClientBlocks, ...]
    row_of: np.ndarray
    column_of: np.ndarray
    layout: Layout | None
    by_therapist: sp.csr_array | None
    size: Size
    longest: int

    @property
    def n_theta(self) -> int:
        """Nonlinear parameters."""
        return self.size.n_theta

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Places of each pair's own block in the clients' flat storage, shape (P, 2, 2)."""
        return self.row_of.reshape(-1, 2)[:, :, None] + self.column_of.reshape(-1, 2)[:, None, :]

    @property
    def n_flat(self) -> int:
        """Length of the clients' flat storage."""
        return self.blocks[-1].part.stop


def build_problem(rows: Rows, *, has_therapists: bool) -> DynamicProblem:
    """Cut the series and lay out all blocks."""
    pairs, row_pair = pair_up(rows)
    groups = tuple(cut(rows, row_pair))
    layout = lay_out(pairs) if has_therapists else None
    blocks, first = [], 0
    origin, column = np.empty((2, pairs.n), dtype=np.int64)
    stride = np.empty(pairs.n, dtype=np.int64)
    for size, own in pairs.groups:
        n = (own.stop - own.start) // size
        therapist = pairs.therapist[own].reshape(n, size)
        one_of, unit = _units(groups, pairs, own) if size == 1 else (np.arange(n), np.arange(n))
        who = therapist[one_of]
        links = layout.places(who[:, :, None], who[:, None, :]) if layout else None
        part = slice(first, first + n * (2 * size) ** 2)
        block = ClientBlocks(n, size, own, part, therapist, unit, one_of, np.bincount(unit).astype(float), links)
        client, place = np.divmod(np.arange(own.stop - own.start), size)
        origin[own] = first + client * (2 * size) ** 2 + 2 * place * 2 * size
        stride[own], column[own] = 2 * size, 2 * place
        blocks.append(block)
        first = block.part.stop
    two = np.arange(2)
    row_of = (origin[:, None] + two * stride[:, None]).ravel()
    column_of = (column[:, None] + two).ravel()
    cell_pair = np.concatenate([group.cell_pair for group in groups])
    stops = np.cumsum([len(group.cell_pair) for group in groups])
    to_pairs = sp.csr_array(
        (np.ones(len(cell_pair)), (cell_pair, np.arange(len(cell_pair)))), (pairs.n, len(cell_pair))
    )
    by_therapist = None
    if layout:
        by_therapist = sp.csr_array(
            (np.ones(pairs.n), (pairs.therapist, np.arange(pairs.n))), shape=(layout.n, pairs.n)
        )
    return DynamicProblem(
        rows=rows,
        groups=groups,
        places=tuple(indices(group) for group in groups),
        crossing_places=tuple(crossing_places(group, row_of, column_of) for group in groups),
        pairs=pairs,
        cells=tuple(slice(int(stop) - len(g.cell_pair), int(stop)) for stop, g in zip(stops, groups, strict=True)),
        to_pairs=to_pairs,
        blocks=tuple(blocks),
        row_of=row_of,
        column_of=column_of,
        layout=layout,
        by_therapist=by_therapist,
        size=Size(
            q_d=rows.D.shape[1],
            q_y=rows.Y.shape[1],
            n_values=len(rows.client) + int(rows.is_rated.sum()),
            n_clients=int(rows.client.max()) + 1,
            n_therapists=layout.n if layout else 0,
        ),
        longest=max(int(group.offset.max()) for group in groups),
    )


def crossing_places(group: Stretches, row_of: np.ndarray, column_of: np.ndarray) -> np.ndarray | None:
    """Places (R, n_m, n_m) of a group's crossing stretches in the clients' flat storage; None where there are none."""
    if group.crossing is None:
        return None
    effect = group.crossing.effect
    return row_of[effect][:, :, None] + column_of[effect][:, None, :]


def _units(groups: tuple[Stretches, ...], pairs: Pairs, own: slice) -> tuple[np.ndarray, np.ndarray]:
    """Clients with one therapist, told apart by this therapist and by how often they show each pattern."""
    shown = sp.hstack(
        [
            sp.csr_array((group.cell_count, (group.cell_pair, group.cell_word)), shape=(pairs.n, len(group.count)))
            for group in groups
        ],
        format="csr",
    )[own]
    # Equal rows have equal sums; random weights tell all others apart, which is checked below.
    key = shown @ np.random.default_rng(0).uniform(1, 2, shown.shape[1]) + 0.0
    kind = np.unique(key, return_inverse=True)[1]
    _, one_of, unit = np.unique(
        kind.astype(np.int64) * (int(pairs.therapist.max()) + 1) + pairs.therapist[own],
        return_index=True,
        return_inverse=True,
    )
    if (shown - shown[one_of[unit]]).count_nonzero():
        n = own.stop - own.start
        return np.arange(n), np.arange(n)
    return one_of, unit
