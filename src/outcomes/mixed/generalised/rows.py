"""Rows of a generalised model as a sequence of chunks, sorted so that rows of one cell lie together.

A cell is one combination of levels of all grouping factors. Row passes see chunks and cells only; what cells mean for
the levels is the business of `random_blocks`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Protocol, TypeVar

import numpy as np

from outcomes.mixed.threads import n_cores, n_threads

T = TypeVar("T")

CHUNK_ROWS = 65_536
"""Rows per chunk: temporary arrays (512 kB) stay in a core's cache, and are long enough for two threads to run
apart."""

PARALLEL_ROWS = 100_000
"""Below this many rows a second thread costs more than it brings."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows: X (p, rows), events (rows,), trials (rows,) or None for single trials, Z (rows, m) or None.

    `events` are numbers of events out of `trials`, counts, or codes of ordered categories, as the family reads them;
    `offset` (rows,) or None is a known part of the linear predictor.

    `starts` are the positions of each cell's first row in the chunk (starts[0] = 0), `first_cell` the index of the
    first of them. Z holds the distinct random-effect columns; None means the constant only (random intercepts).
    """

    X: np.ndarray
    events: np.ndarray
    trials: np.ndarray | None
    Z: np.ndarray | None
    first_cell: int
    starts: np.ndarray
    offset: np.ndarray | None = None

    def predictor(self, beta: np.ndarray, coefficients: np.ndarray | None = None) -> np.ndarray:
        """The linear predictor by row, at beta (p,) and the cells' random coefficients (C, m)."""
        eta = self.times(beta)
        if self.offset is not None:
            eta += self.offset
        if coefficients is not None:
            if self.Z is None:
                eta += self.spread(coefficients[:, 0])
            else:
                eta += np.einsum("nm,nm->n", self.Z, self.spread(coefficients))
        return eta

    def times(self, beta: np.ndarray) -> np.ndarray:
        """X beta by row. einsum and not BLAS: BLAS would start threads of its own within each of ours."""
        return np.einsum("jn,j->n", self.X, beta)

    def weighted_sum(self, values: np.ndarray) -> np.ndarray:
        """Sum over the rows of values x, shape (p,)."""
        return np.einsum("jn,n->j", self.X, values)

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows of each cell in this chunk."""
        return np.diff(self.starts, append=self.events.size)

    @property
    def cells(self) -> slice:
        """The chunk's cells among all cells."""
        return slice(self.first_cell, self.first_cell + self.starts.size)

    def spread(self, by_cell: np.ndarray) -> np.ndarray:
        """Repeat values of the cells over their rows."""
        return np.repeat(by_cell[self.cells], self.counts, axis=0)

    def add_to(self, target: np.ndarray, values: np.ndarray) -> None:
        """Add sums over the rows of each cell to `target` (cells, ...)."""
        target[self.cells] += np.add.reduceat(values, self.starts, axis=0)


class Rows(Protocol):
    """Anything that can hand out its rows in chunks, again and again, in the same order of cells."""

    n_rows: int
    n_columns: int
    n_random_columns: int
    n_cells: int

    @property
    def has_slopes(self) -> bool:
        """Whether a random column is not the constant."""
        ...

    def parts(self) -> list[Callable[[], Iterator[Chunk]]]:
        """Iterators over disjoint parts of the rows; more than one where they may be read side by side."""
        ...


@dataclass(frozen=True)
class ArrayRows:
    """Rows in memory; build with `sorted_rows`."""

    chunks: tuple[Chunk, ...]
    n_rows: int
    n_columns: int
    n_random_columns: int
    n_cells: int

    @property
    def has_slopes(self) -> bool:
        """Whether a random column is not the constant."""
        return any(chunk.Z is not None for chunk in self.chunks)

    def joined(self) -> Chunk:
        """All rows as one chunk; a cell that two chunks share starts in the first of them."""
        first = np.cumsum([0, *(chunk.events.size for chunk in self.chunks)])
        cells = np.concatenate([np.arange(chunk.cells.start, chunk.cells.stop) for chunk in self.chunks])
        starts = np.concatenate([chunk.starts + at for chunk, at in zip(self.chunks, first, strict=False)])

        def together(name: str, axis: int = 0) -> np.ndarray | None:
            parts = [getattr(chunk, name) for chunk in self.chunks]
            return None if parts[0] is None else np.concatenate(parts, axis=axis)

        return Chunk(
            X=together("X", axis=1),
            events=together("events"),
            trials=together("trials"),
            Z=together("Z"),
            first_cell=0,
            starts=starts[np.unique(cells, return_index=True)[1]],
            offset=together("offset"),
        )

    def parts(self) -> list[Callable[[], Iterator[Chunk]]]:
        """One part a thread."""
        n = n_threads() if self.n_rows >= PARALLEL_ROWS else 1
        edges = np.linspace(0, len(self.chunks), n + 1).astype(int)
        return [lambda a=a, b=b: iter(self.chunks[a:b]) for a, b in itertools.pairwise(edges)]


@dataclass(frozen=True)
class CellOrder:
    """Order of the rows and the cells that result: `order` (n,), `cell_starts` (cells,), `levels` (factors, cells)."""

    order: np.ndarray
    cell_starts: np.ndarray
    levels: np.ndarray


def find_cells(codes: list[np.ndarray]) -> CellOrder:
    """Sort rows by the codes (main factor first) and find where the combination of levels changes."""
    key = codes[0].astype(np.int64)
    for code in codes[1:]:
        # Renumber as we go, so that the product of many factors cannot overflow.
        key = key * (int(code.max()) + 1) + code
        if key.max() > 2**40:
            key = np.unique(key, return_inverse=True)[1]
    order = _stable_order(key)
    sorted_key = key[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_key[1:] != sorted_key[:-1])))
    first_rows = order[starts]
    return CellOrder(order, starts, np.stack([code[first_rows] for code in codes]))


def _stable_order(key: np.ndarray) -> np.ndarray:
    """Stable sorting order of non-negative integers, by 16-bit digits, for which NumPy has a radix sort."""
    order = np.argsort((key & 0xFFFF).astype(np.uint16), kind="stable")
    shift = 16
    while int(key.max(initial=0)) >> shift:
        digit = ((key[order] >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digit, kind="stable")]
        shift += 16
    return order


def sorted_rows(
    X: np.ndarray,
    events: np.ndarray,
    trials: np.ndarray | None,
    Z: np.ndarray | None,
    cells: CellOrder,
    offset: np.ndarray | None = None,
) -> ArrayRows:
    """Cut rows, sorted by cell, into chunks.

    Parameters
    ----------
    X : (n, p); events : (n,); trials, offset : (n,) or None; Z : (n, m) or None
        In the original order of the rows.
    cells : CellOrder
        From `find_cells`.
    """
    order, starts = cells.order, cells.cell_starts
    n = events.size
    chunks = []
    for low in range(0, n, CHUNK_ROWS):
        rows = order[low : low + CHUNK_ROWS]
        first = int(np.searchsorted(starts, low, side="right")) - 1
        last = int(np.searchsorted(starts, low + rows.size, side="left"))
        local = np.maximum(starts[first:last] - low, 0)
        chunks.append(
            Chunk(
                X=np.take(X.T, rows, axis=1),
                events=events[rows].astype(np.float64),
                trials=None if trials is None else trials[rows].astype(np.float64),
                Z=None if Z is None else np.ascontiguousarray(Z[rows], dtype=np.float64),
                first_cell=first,
                starts=local,
                offset=None if offset is None else offset[rows].astype(np.float64),
            )
        )
    return ArrayRows(tuple(chunks), n, X.shape[1], 1 if Z is None else Z.shape[1], starts.size)


_pool: list[ThreadPoolExecutor] = []


def over_parts(rows: Rows, work: Callable[[Iterator[Chunk]], T], add: Callable[[T, T], T]) -> T:
    """Run `work` on every part of the rows, side by side, and add the results in the parts' order."""
    parts = rows.parts()
    if len(parts) == 1:
        return work(parts[0]())
    if not _pool:
        _pool.append(ThreadPoolExecutor(n_cores(), thread_name_prefix="rows"))
    return reduce(add, _pool[0].map(lambda part: work(part()), parts))
