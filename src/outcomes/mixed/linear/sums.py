"""The sums behind cross-products: by the database where rows are many, in memory where reading them once costs less.

In the database every sum is part of a query (a survey, the totals, the cells), and planning three queries of a hundred
sums takes longer than adding up some ten thousand rows. Both ways give the same sums but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute

from outcomes.mixed.design.coding import ONE
from outcomes.mixed.design.data import VIEW
from outcomes.mixed.design.population import Population
from outcomes.mixed.design.survey import Survey, survey, survey_rows, surveyed

MAX_VALUES = 2_000_000
"""Rows times columns up to which rows are read into memory: 16 MB, and about where the database catches up."""


@dataclass(frozen=True)
class Wanted:
    """What is to be summed.

    Parameters
    ----------
    names : dict of str to str
        Name (for messages) of each column's SQL.
    columns : tuple of str, length v
        SQL of each column; the first is the constant, the first `n_random` are random ones.
    n_random : int
    weight : str or None
        SQL of the weights.
    keys : tuple of str
        Data columns whose combinations are the cells.
    """

    names: dict[str, str]
    columns: tuple[str, ...]
    n_random: int
    weight: str | None
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Sums:
    """Sums of one population, about the survey's means.

    Parameters
    ----------
    survey : Survey
    center : ndarray, shape (v,)
    total : ndarray, shape (v, v)
    log_weights : float
    cells : ndarray, shape (n_random, v, n_cells)
        Cells sort by their keys, so that draws that go through them are the same wherever they were summed.
    counts : ndarray, shape (n_cells,)
    keys : pyarrow.Table
        One column a key, one row a cell.
    """

    survey: Survey
    center: np.ndarray
    total: np.ndarray
    log_weights: float
    cells: np.ndarray
    counts: np.ndarray
    keys: pa.Table


def sums(population: Population, wanted: Wanted) -> Sums:
    """Sum the complete rows of a population.

    Raises
    ------
    FitRefused
        See `outcomes.mixed.design.survey`.
    """
    n_read = population.source.n_rows
    is_small = n_read * len(wanted.columns) <= MAX_VALUES
    return _in_memory(population, wanted, n_read) if is_small else _in_database(population, wanted)


def _centers(wanted: Wanted, found: Survey) -> np.ndarray:
    return np.array([found.mean.get(sql, 0.0) for sql in wanted.columns])


def _in_memory(population: Population, wanted: Wanted, n_read: int) -> Sums:
    """Read the complete rows once."""
    asked = surveyed(wanted.names, wanted.weight)
    selected = [f"{sql} as v{i}" for i, sql in enumerate(asked)]
    selected += [f"{population.source.columns.sql(name)} as k{i}" for i, name in enumerate(wanted.keys)]
    table = population.source.read(selected, population.complete)
    values = [table.column(f"v{i}").to_numpy() for i in range(len(asked))]
    found = survey_rows(values, n_read, wanted.names, wanted.weight)
    center = _centers(wanted, found)
    place = {sql: i for i, sql in enumerate(asked)}
    V = np.stack([
        np.ones(found.n_rows) if sql == ONE else values[place[sql]] - mean
        for sql, mean in zip(wanted.columns, center, strict=True)
    ])  # fmt: skip
    keys = [table.column(f"k{i}").combine_chunks().dictionary_encode() for i in range(len(wanted.keys))]
    order, starts = _runs([_ranks(key) for key in keys])
    V = V[:, order]
    weights = values[-1][order] if wanted.weight else None
    weighted = V if weights is None else V * weights
    total = weighted @ V.T
    total = (total + total.T) / 2  # equal to the last digit on both sides
    cells = np.empty((wanted.n_random, len(V), len(starts)))
    for a, b in cell_pairs(wanted.n_random, len(V)):
        cells[a, b] = np.add.reduceat(weighted[a] * V[b], starts)
        if b < wanted.n_random:
            cells[b, a] = cells[a, b]
    first = pa.array(order[starts])
    return Sums(
        survey=found,
        center=center,
        total=total,
        log_weights=0.0 if weights is None else float(np.log(weights).sum()),
        cells=cells,
        counts=np.diff(starts, append=found.n_rows),
        keys=pa.table({name: table.column(f"k{i}").take(first) for i, name in enumerate(wanted.keys)}),
    )


def _ranks(key: pa.DictionaryArray) -> np.ndarray:
    """Place of each row's value among the distinct ones in their order."""
    order = pa.compute.sort_indices(key.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[key.indices.to_numpy(zero_copy_only=False)]


def _runs(codes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Order of the rows by their codes, the first code first, and where each combination starts in it."""
    order = np.lexsort(codes[::-1])
    changes = np.zeros(len(order), dtype=bool)
    changes[0] = True
    for code in codes:
        changes[1:] |= np.diff(code[order]) != 0
    return order, np.flatnonzero(changes)


def _in_database(population: Population, wanted: Wanted) -> Sums:
    """Three passes: the survey, the totals, the cells. Centring by the survey's means keeps sums from cancelling."""
    found = survey(population.source, wanted.names, wanted.weight, population.complete)
    center = _centers(wanted, found)
    rows = _rows_sql(population, wanted, center)
    total, log_weights = _total(population, rows, wanted)
    table = population.source.query(_cells_sql(rows, wanted))
    keys = pa.table({name: table.column(f"k{i}") for i, name in enumerate(wanted.keys)})
    return Sums(found, center, total, log_weights, _cells(table, wanted), table.column("n").to_numpy(), keys)


def _rows_sql(population: Population, wanted: Wanted, center: np.ndarray) -> str:
    """Subquery of the complete rows: keys k0.., weight w, centred columns v0.. ."""
    selected = [f"{population.source.columns.sql(name)} as k{i}" for i, name in enumerate(wanted.keys)]
    selected += [f"{wanted.weight} as w"] if wanted.weight else []
    for i, (sql, mean) in enumerate(zip(wanted.columns, center, strict=True)):
        selected.append(f"{sql} - {float(mean)!r}::double as v{i}" if mean else f"{sql} as v{i}")
    return f"(select {', '.join(selected)} from {VIEW} where {population.complete})"


def _product(a: int, b: int, is_weighted: bool) -> str:
    """SQL of one summed product; column 0 is the constant."""
    factors = (["w"] if is_weighted else []) + [f"v{i}" for i in (a, b) if i]
    return f"sum({' * '.join(factors)})" if factors else "count(*)::double"


def _total(population: Population, rows: str, wanted: Wanted) -> tuple[np.ndarray, float]:
    """Cross-products over all rows and the sum of log weights."""
    is_weighted, n_columns = wanted.weight is not None, len(wanted.columns)
    pairs = [(a, b) for a in range(n_columns) for b in range(a, n_columns)]
    sums = [f"{_product(a, b, is_weighted)} as s{i}" for i, (a, b) in enumerate(pairs)]
    log_weights = "sum(ln(w))" if is_weighted else "0.0::double"
    row = population.source.query(f"select {', '.join(sums)}, {log_weights} as lw from {rows}").to_pylist()[0]
    total = np.empty((n_columns, n_columns))
    for i, (a, b) in enumerate(pairs):
        total[a, b] = total[b, a] = row[f"s{i}"]
    return total, row["lw"]


def cell_pairs(n_random: int, n_columns: int) -> list[tuple[int, int]]:
    """Products kept by cell: each random column with every column, once."""
    return [(a, b) for a in range(n_random) for b in range(a, n_columns)]


def _cells_sql(rows: str, wanted: Wanted) -> str:
    """The grouped query."""
    keys = ", ".join(f"k{i}" for i in range(len(wanted.keys)))
    pairs = cell_pairs(wanted.n_random, len(wanted.columns))
    products = ", ".join(f"{_product(a, b, wanted.weight is not None)} as s{i}" for i, (a, b) in enumerate(pairs))
    return f"select {keys}, count(*) as n, {products} from {rows} group by {keys} order by {keys}"


def _cells(table: pa.Table, wanted: Wanted) -> np.ndarray:
    """Array (n_random, v, n_cells) of the grouped query's sums."""
    cells = np.empty((wanted.n_random, len(wanted.columns), table.num_rows))
    for i, (a, b) in enumerate(cell_pairs(wanted.n_random, len(wanted.columns))):
        cells[a, b] = table.column(f"s{i}").to_numpy()
        if b < wanted.n_random:
            cells[b, a] = cells[a, b]
    return cells
