"""Clients' series cut into stretches that start from a known state, grouped by pattern.

After a session with both guidance and satisfaction the state is known, given the client's and the therapist's
intercepts; so a series falls into stretches that end with such a session. Stretches of one pattern (offsets of its
sessions, whether the last one is rated) share one covariance. What the likelihood needs of the data are, by pattern,
the cross-products of a stretch's columns, and their sums by client and therapist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CHUNK = 65_536
"""Stretches whose cross-products are formed at once."""


@dataclass(frozen=True)
class Rows:
    """Sessions with guidance, sorted by client and time.

    Parameters
    ----------
    client, therapist : ndarray of int, shape (n,)
        Codes 0, 1, ...; all therapists 0 in a model without them.
    slot : ndarray of int, shape (n,)
        Sessions since the client's first.
    is_rated : ndarray of bool, shape (n,)
        Whether satisfaction takes part; its rows of `Y` mean nothing otherwise.
    D : ndarray, shape (n, 1 + p_d)
        Guidance and the columns of its equation.
    Y : ndarray, shape (n, 1 + p_y)
        Satisfaction and the columns of its equation.
    """

    client: np.ndarray
    therapist: np.ndarray
    slot: np.ndarray
    is_rated: np.ndarray
    D: np.ndarray
    Y: np.ndarray

    def take(self, keep: np.ndarray) -> Rows:
        """Rows of some clients, with new codes in the old order."""
        return Rows(
            np.unique(self.client[keep], return_inverse=True)[1],
            np.unique(self.therapist[keep], return_inverse=True)[1],
            self.slot[keep],
            self.is_rated[keep],
            self.D[keep],
            self.Y[keep],
        )


@dataclass(frozen=True)
class Pairs:
    """Client by therapist: whose intercepts add up to one effect on guidance and one on satisfaction.

    Parameters
    ----------
    client, therapist : ndarray of int, shape (P,)
        Sorted by the number of therapists of the client, then by client.
    groups : tuple of (int, slice)
        Number of therapists a client, and the pairs of such clients (each client's lie together).
    """

    client: np.ndarray
    therapist: np.ndarray
    groups: tuple[tuple[int, slice], ...]

    @property
    def n(self) -> int:
        """P."""
        return len(self.client)


@dataclass(frozen=True)
class Crossing:
    """Stretches during which the therapist changed, one by one.

    Parameters
    ----------
    word : ndarray of int, shape (R,)
        Pattern of each.
    D, Y : ndarray, shapes (R, nd, 1 + p_d) and (R, ny, 1 + p_y)
    effect : ndarray of int, shape (R, nd + ny)
        Which effect (2 * pair + outcome) each observation has.
    """

    word: np.ndarray
    D: np.ndarray
    Y: np.ndarray
    effect: np.ndarray


@dataclass(frozen=True)
class Stretches:
    """Patterns of one shape: nd values of guidance, then ny of satisfaction.

    Parameters
    ----------
    has_start, is_rated : bool
        Whether it starts from a known session (whose values come first); whether its last session is rated.
    kind : ndarray of int, shape (W,)
        What the pattern's clients are told apart by; see `cut`.
    offset : ndarray of int, shape (W, L)
        Sessions from the start to each of its sessions, by pattern.
    count : ndarray of int, shape (W,)
    root_guidance, root_satisfaction : ndarray, shapes (N, nd, 1 + p_d) and (N, ny, 1 + p_y)
        Rows whose cross-products are those of all stretches of the pattern.
    root_first : ndarray of int, shape (W,)
        Where each pattern's rows start.
    cell_word, cell_first : ndarray of int, shapes (C,) and (V,); cell_count : ndarray, shape (C,)
        Cells (pattern by pair), sorted by pattern; the first cell of each pattern that has any.
    cell_guidance, cell_satisfaction : ndarray, shapes (C, nd, 1 + p_d) and (C, ny, 1 + p_y)
        Sums over a cell's stretches.
    cell_pair : ndarray of int, shape (C,)
    crossing : Crossing or None
    """

    has_start: bool
    is_rated: bool
    kind: np.ndarray
    offset: np.ndarray
    count: np.ndarray
    root_guidance: np.ndarray
    root_satisfaction: np.ndarray
    root_first: np.ndarray
    cell_word: np.ndarray
    cell_first: np.ndarray
    cell_count: np.ndarray
    cell_guidance: np.ndarray
    cell_satisfaction: np.ndarray
    cell_pair: np.ndarray
    crossing: Crossing | None

    @property
    def nd(self) -> int:
        """Values of guidance in a stretch, the start's included."""
        return self.offset.shape[1] + self.has_start

    @property
    def ny(self) -> int:
        """Values of satisfaction in a stretch, the start's included."""
        return int(self.is_rated) + self.has_start

    @property
    def outcome(self) -> np.ndarray:
        """0 for guidance and 1 for satisfaction, by observation."""
        return np.repeat([0, 1], [self.nd, self.ny])


def pair_up(rows: Rows) -> tuple[Pairs, np.ndarray]:
    """The distinct pairs of client and therapist, and each row's pair."""
    n_therapists = int(rows.therapist.max(initial=0)) + 1
    key, row_pair = np.unique(rows.client.astype(np.int64) * n_therapists + rows.therapist, return_inverse=True)
    client, therapist = np.divmod(key, n_therapists)
    n_of_client = np.bincount(client)
    order = np.lexsort((therapist, client, n_of_client[client]))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    client, therapist = client[order], therapist[order]
    sizes = n_of_client[client]
    groups = []
    for size in np.unique(sizes):
        first, stop = np.searchsorted(sizes, [size, size + 1])
        groups.append((int(size), slice(int(first), int(stop))))
    return Pairs(client, therapist, tuple(groups)), place[row_pair]


def cut(rows: Rows, row_pair: np.ndarray, kind: np.ndarray | None = None) -> Iterator[Stretches]:
    """Cut the series into stretches and group these by shape; `kind` (n,), by row, keeps clients' patterns apart."""
    n = len(rows.client)
    kind = np.zeros(n, dtype=np.int64) if kind is None else kind
    is_first = np.empty(n, dtype=bool)
    is_first[0] = True
    is_first[1:] = rows.client[1:] != rows.client[:-1]
    begins = is_first.copy()
    begins[1:] |= rows.is_rated[:-1]
    first = np.flatnonzero(begins)
    length = np.diff(first, append=n)
    has_start = ~is_first[first]
    is_rated = rows.is_rated[first + length - 1]
    shape = (length * 2 + has_start) * 2 + is_rated
    for value in np.unique(shape):
        chosen = first[shape == value]
        yield _group(rows, kind, row_pair, chosen, int(value) // 4, bool(value // 2 % 2), bool(value % 2))


def _group(
    rows: Rows, kind: np.ndarray, row_pair: np.ndarray, first: np.ndarray, length: int, has_start: bool, is_rated: bool
) -> Stretches:
    """All stretches of one shape."""
    at = first[:, None] + np.arange(-int(has_start), length)
    offset = rows.slot[at[:, int(has_start) :]] - (rows.slot[at[:, :1]] if has_start else 0)
    patterns, word = _distinct(np.column_stack([kind[first], offset]))
    kind, offset = patterns[:, 0], patterns[:, 1:]
    pair = row_pair[at]
    order = np.lexsort((pair[:, 0], word))
    at, word, pair = at[order], word[order], pair[order]
    rated_places = [place for place, is_in in ((0, has_start), (-1, is_rated)) if is_in]
    rated = at[:, rated_places]
    count = np.bincount(word, minlength=len(offset))
    root_guidance, root_satisfaction, root_first = _roots(rows, at, rated, np.cumsum(count) - count)

    is_crossing = (pair != pair[:, :1]).any(axis=1)
    crossing = None
    if is_crossing.any():
        pair_of = np.hstack([pair, pair[:, rated_places]])[is_crossing]
        outcome = np.repeat([0, 1], [at.shape[1], rated.shape[1]])
        crossing = Crossing(
            word[is_crossing], rows.D[at[is_crossing]], rows.Y[rated[is_crossing]], 2 * pair_of + outcome
        )
        keep = ~is_crossing
        at, word, pair, rated = at[keep], word[keep], pair[keep], rated[keep]
    owner = pair[:, 0]
    is_new = np.ones(len(word), dtype=bool)
    is_new[1:] = (word[1:] != word[:-1]) | (owner[1:] != owner[:-1])
    starts = np.flatnonzero(is_new)
    cell_pair = owner[starts]
    return Stretches(
        has_start=has_start,
        is_rated=is_rated,
        kind=kind,
        offset=offset,
        count=count,
        root_guidance=root_guidance,
        root_satisfaction=root_satisfaction,
        root_first=root_first,
        cell_word=word[starts],
        cell_first=np.flatnonzero(np.diff(word[starts], prepend=-1)),
        cell_count=np.diff(starts, append=len(word)).astype(float),
        cell_guidance=_sums(rows.D, at, starts),
        cell_satisfaction=_sums(rows.Y, rated, starts),
        cell_pair=cell_pair,
        crossing=crossing,
    )


def _distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of an integer array, and which of them each row is; much faster than numpy's own by axis."""
    key = np.zeros(len(values), dtype=np.int64)
    for column in values.T:
        key = key * (int(column.max()) + 1) + column
        if key.max() > 2**40:
            key = np.unique(key, return_inverse=True)[1]
    _, where, code = np.unique(key, return_index=True, return_inverse=True)
    return values[where], code


def _sums(columns: np.ndarray, at: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sums of the columns over each cell, by place in the stretch: shape (cells, places, columns)."""
    sums = np.empty((len(starts), at.shape[1], columns.shape[1]))
    if len(starts):
        for place, rows in enumerate(at.T):
            np.add.reduceat(columns[rows], starts, axis=0, out=sums[:, place])
    return sums


def _roots(
    rows: Rows, at: np.ndarray, rated: np.ndarray, word_first: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Few rows with the cross-products of many: the root of a pattern's Gram matrix where that is smaller."""
    q_d, q_y = rows.D.shape[1], rows.Y.shape[1]
    split, width = at.shape[1] * q_d, at.shape[1] * q_d + rated.shape[1] * q_y
    ends = np.append(word_first[1:], len(at))

    def flat(chosen: slice) -> np.ndarray:
        n = chosen.stop - chosen.start
        return np.hstack([rows.D[at[chosen]].reshape(n, split), rows.Y[rated[chosen]].reshape(n, width - split)])

    parts, sizes = [], []
    for low, high in zip(word_first, ends, strict=True):
        if high - low <= width:
            part = flat(slice(low, high))
        else:
            gram = np.zeros((width, width))
            for i in range(low, high, CHUNK):
                chunk = flat(slice(i, min(i + CHUNK, high)))
                gram += chunk.T @ chunk
            values, vectors = np.linalg.eigh(gram)
            part = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
        parts.append(part)
        sizes.append(len(part))
    whole = np.concatenate(parts)
    first = np.cumsum(sizes) - sizes
    n = len(whole)
    return whole[:, :split].reshape(n, at.shape[1], q_d), whole[:, split:].reshape(n, rated.shape[1], q_y), first
