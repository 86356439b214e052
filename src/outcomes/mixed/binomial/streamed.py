"""Rows of a binomial model that do not fit in memory: sorted by DuckDB into a temporary Parquet file, read batch by
batch.

Levels and cells come from one grouped query in the same order as the rows, so that no group column is stored. Only a
batch and the sums by cell are in memory. Random intercepts only.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from outcomes.errors import UsageError
from outcomes.links import Link, refuse_constant
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.columns import FixedPart, fixed_part, location_and_scale
from outcomes.mixed.design.data import VIEW, quoted
from outcomes.mixed.design.levels import Levels, encode
from outcomes.mixed.design.survey import survey
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.laplace import Model
from outcomes.mixed.generalised.problem import (
    Coordinates,
    Problem,
    check_levels,
)
from outcomes.mixed.generalised.rows import CHUNK_ROWS, Chunk
from outcomes.mixed.threads import n_threads


@dataclass(frozen=True)
class StreamedRows:
    """Rows in a Parquet file, sorted by cell.

    `cell_starts` (cells,): first row of each cell. `fixed`: how raw columns become working ones.
    """

    path: Path
    cell_starts: np.ndarray
    fixed: FixedPart
    has_trials: bool
    n_rows: int
    n_columns: int
    n_cells: int
    n_random_columns: int = 1
    has_slopes: bool = False

    def parts(self) -> list[Callable[[], Iterator[Chunk]]]:
        """Runs of row groups, one a thread."""
        groups = pq.ParquetFile(self.path).metadata.num_row_groups
        edges = np.linspace(0, groups, min(n_threads(), groups) + 1).astype(int)
        return [lambda a=a, b=b: self._read(a, b) for a, b in pairwise(edges)]

    def _read(self, first_group: int, last_group: int) -> Iterator[Chunk]:
        """Chunks of some row groups."""
        with pq.ParquetFile(self.path) as file:
            row = sum(file.metadata.row_group(g).num_rows for g in range(first_group))
            for batch in file.iter_batches(
                CHUNK_ROWS, row_groups=list(range(first_group, last_group)), use_threads=False
            ):
                yield self._chunk(batch, row)
                row += batch.num_rows

    def _chunk(self, batch: pa.RecordBatch, row: int) -> Chunk:
        """A batch in working coordinates with its cells."""
        kept = np.flatnonzero(self.fixed.kept)
        X = np.empty((len(kept), batch.num_rows))
        for target, j in zip(X, kept, strict=True):
            np.subtract(batch.column(f"c{j}").to_numpy(), self.fixed.center[j], out=target)
            target /= self.fixed.scale[j]
        y, trials = batch.column("y").to_numpy(), None
        if self.has_trials:
            trials = batch.column("w").to_numpy()
            y = np.round(y * trials)
        first = int(np.searchsorted(self.cell_starts, row, side="right")) - 1
        last = int(np.searchsorted(self.cell_starts, row + batch.num_rows, side="left"))
        starts = np.maximum(self.cell_starts[first:last] - row, 0)
        return Chunk(X, np.asarray(y, dtype=float), trials, None, first, starts)


def stream_problem(design: Design, link: Link) -> Problem:
    """The problem of a design without its rows in memory; see `binomial_problem` for what is refused.

    Raises
    ------
    UsageError
        Random slopes, or an offset.
    """
    if any(block.columns != (INTERCEPT_NAME,) for block in design.random):
        raise UsageError("Streaming takes random intercepts only.", "fit with in_memory=True")
    if design.offset:
        raise UsageError("Streaming takes no offset.", "fit with in_memory=True")
    columns = {sql: name for name, sql in design.columns.items()} | {design.outcome: design.formula.outcome}
    counts = survey(design.source, columns, design.weights, design.complete)
    groups, levels, cell_rows, ordering = _cells(design)
    folder = Path(tempfile.mkdtemp(prefix="outcomes-rows-"))
    try:
        rows, constant = _sorted_file(design, link, folder, counts.n_rows, cell_rows, ordering)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(rows, shutil.rmtree, folder, ignore_errors=True)
    fixed = rows.fixed
    warnings = check_levels(groups, counts.n_rows, design.weights is None)
    factors = tuple(LevelFactor((1,), g.name, g.n_levels, np.array([0])) for g in groups)
    one = np.ones((1, 1))
    coordinates = Coordinates(
        fixed.names,
        fixed.back,
        tuple(one for _ in groups),
        tuple((INTERCEPT_NAME,) for _ in groups),
        groups,
        fixed.x_cov,
        tuple(one for _ in groups),
        fixed.shift,
    )
    model = Model(rows, Blocks(factors, levels, 1), link)
    return Problem(design, model, coordinates, constant, counts.n_missing, fixed.dropped, warnings)


def _sorted_file(
    design: Design, link: Link, folder: Path, n: int, cell_rows: np.ndarray, ordering: str
) -> tuple[StreamedRows, float]:
    """Have DuckDB write the rows in the order of the cells, and look at them once."""
    path = folder / "rows.parquet"
    selected = [f"{design.columns[name]} as c{j}" for j, name in enumerate(design.fixed)]
    selected += [f"cast({design.outcome} as double) as y"]
    selected += [f"cast({design.weights} as double) as w"] if design.weights else []
    sql = f"select {', '.join(selected)} from {VIEW} where {design.complete} order by {ordering}"
    design.source.relation.query(VIEW, sql).write_parquet(str(path), row_group_size=CHUNK_ROWS * 2)
    fixed, constant = _first_pass(design, link, path, n)
    starts = np.cumsum(cell_rows) - cell_rows
    rows = StreamedRows(path, starts, fixed, design.weights is not None, n, len(fixed.names), len(starts))
    return rows, constant


def _cells(design: Design) -> tuple[tuple[Levels, ...], np.ndarray, np.ndarray, str]:
    """Groups (the one with most levels first), levels (factors, cells), rows of each cell, and the SQL order of
    both."""
    names = list(dict.fromkeys(name for group in design.groups for name in group))
    columns = design.source.columns.sql
    keys = ", ".join(f"{columns(name)} as {quoted(name)}" for name in names)
    sql = f"select {keys}, count(*) as n_rows from {VIEW} where {design.complete} group by all"
    table = design.source.query(f"{sql} order by all")
    main = max(design.groups, key=lambda group: encode(table, group).n_levels)
    ordering = ", ".join(columns(name) for name in dict.fromkeys([*main, *names]))
    table = design.source.query(f"{sql} order by {ordering}")
    order = sorted(design.groups, key=lambda group: group != main)
    groups = tuple(encode(table, group) for group in order)
    return groups, np.stack([g.codes for g in groups]), table.column("n_rows").to_numpy(), ordering


def _first_pass(design: Design, link: Link, path: Path, n: int) -> tuple[FixedPart, float]:
    """Coordinates of the fixed columns and the log binomial coefficients; checks the outcome on the way."""
    p = len(design.fixed)
    total = np.zeros(p)
    events = trials = constant = 0.0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK_ROWS):
            total += [batch.column(f"c{j}").to_numpy().sum() for j in range(p)]
        mean = total / n
        center, _ = location_and_scale(design.fixed, mean, np.ones(p))
        gram = np.zeros((p, p))
        for batch in file.iter_batches(CHUNK_ROWS):
            X = np.stack([batch.column(f"c{j}").to_numpy() - center[j] for j in range(p)])
            gram += X @ X.T
            w = batch.column("w").to_numpy() if design.weights else None
            whole, counted, part = link.events(batch.column("y").to_numpy(), w, may_be_constant=True)
            events, constant = events + whole.sum(), constant + part
            trials += len(whole) if counted is None else counted.sum()
    refuse_constant(events, trials, n)
    _, scale = location_and_scale(design.fixed, mean, np.diag(gram) / n)
    return fixed_part(design.fixed, mean, center, scale, gram / n / np.outer(scale, scale), n), constant
