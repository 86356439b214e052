"""Rows to predict for: a typical row of the population, repeated over a grid of directiveness."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from outcomes.mixed.design.data import VIEW, as_source, quoted
from outcomes.mixed.design.population import build_design
from outcomes.models.specs import columns_read
from outcomes.study.settings import ModelSpec

LOW_SHARE, HIGH_SHARE = 0.05, 0.95
"""Curves run between these percentiles of the predictor: beyond them there are few sessions, and single people show."""

_NOT_AVERAGED = ("VARCHAR", "ENUM", "BOOLEAN")


@dataclass(frozen=True)
class InnerRange:
    """5th and 95th percentile of a column over a model's complete rows; clients at or beyond the thinner of the two."""

    low: float
    high: float
    clients_beyond: int


def inner_range(con: duckdb.DuckDBPyConnection, spec: ModelSpec, column: str) -> InnerRange:
    """Find where most of a column's values lie."""
    complete = build_design(spec.formula, con.table(spec.population)).complete
    ((low, high, below, above),) = con.execute(
        f"""with
        complete as (select client_id, cast({quoted(column)} as double) as x from {spec.population} where {complete}),
        inner_part as (
            select quantile_cont(x, {LOW_SHARE}) as low, quantile_cont(x, {HIGH_SHARE}) as high from complete
        )
        select any_value(low), any_value(high),
            count(distinct client_id) filter (x <= low), count(distinct client_id) filter (x >= high)
        from complete cross join inner_part"""
    ).fetchall()
    return InnerRange(low, high, min(below, above))


def design_rows(
    con: duckdb.DuckDBPyConnection, spec: ModelSpec, terms: tuple[str, ...], values: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the fixed-effect columns for rows that are typical except in some columns.

    Parameters
    ----------
    con : connection
        With the model's population.
    spec : ModelSpec
        The model.
    terms : tuple of str, length p
        The columns that were estimated, in order.
    values : dict of str to ndarray, shape (n,)
        What the columns that vary are set to; every other column has its mean (numbers) or its most frequent value
        (text, yes or no) over the model's complete rows.

    Returns
    -------
    ndarray, shape (n, p)
    """
    design = build_design(spec.formula, con.table(spec.population))
    types = design.source.types
    columns = columns_read(spec, tuple(types))
    typical = ", ".join(
        f"{'mode' if types[name].startswith(_NOT_AVERAGED) else 'avg'}({quoted(name)})" for name in columns
    )
    (row,) = con.execute(f"select {typical} from {spec.population} where {design.complete}").fetchall()
    n = len(next(iter(values.values())))
    grid = pl.DataFrame({name: [value] * n for name, value in zip(columns, row, strict=True)} | values)
    wanted = ", ".join(f"cast({design.columns[term]} as double) as c{i}" for i, term in enumerate(terms))
    table = as_source(grid).query(f"select {wanted} from {VIEW}")
    return np.column_stack([column.to_numpy() for column in table.columns])
