"""Any accepted data as a DuckDB relation, and the one door through which the engine queries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

from outcomes.errors import FitRefused, UsageError

VIEW = "outcomes_model_data"
"""Name under which every query of the engine sees the data."""


@dataclass(frozen=True)
class Source:
    """Data that a model is fitted to.

    Parameters
    ----------
    relation : duckdb.DuckDBPyRelation or None
        The rows; never copied into Python by the linear model. A pickle leaves them behind.
    types : dict of str to str
        DuckDB type of each column.
    """

    relation: duckdb.DuckDBPyRelation | None
    types: dict[str, str]

    def __reduce__(self) -> tuple[type[Source], tuple[None, dict[str, str]]]:
        return Source, (None, self.types)

    def query(self, sql: str) -> pa.Table:
        """Run one pass over the data, which `sql` reads under the name `VIEW`."""
        if self.relation is None:
            raise UsageError("This fit was unpickled, and its data are not with it.", "fit again to ask the data")
        try:
            return self.relation.query(VIEW, sql).to_arrow_table()
        except (duckdb.DataError, duckdb.BinderException) as error:
            reason = str(error).splitlines()[0].split(":")[0]
            raise FitRefused(
                f"The database could not compute the model's columns ({reason}).",
                "look for text in arithmetic and for numbers that are out of range",
            ) from error


def as_source(data: Any) -> Source:
    """Make a DuckDB relation of the data.

    Parameters
    ----------
    data : DuckDBPyRelation, polars.DataFrame, polars.LazyFrame, pandas.DataFrame, pyarrow.Table or Source
        pandas' NaN counts as missing; polars' and Arrow's NaN do not (they are refused as non-finite later).
        pandas categories and polars enums keep the order of their levels.

    Raises
    ------
    UsageError
        When the data are of another kind.
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, duckdb.DuckDBPyRelation):
        relation = data
    elif isinstance(data, pd.DataFrame):
        levels = {
            str(name): [str(level) for level in column.cat.categories]
            for name, column in data.items()
            if isinstance(column.dtype, pd.CategoricalDtype)
        }
        relation = _from_arrow(pa.Table.from_pandas(data, preserve_index=False), levels)
    elif isinstance(data, (pl.DataFrame, pl.LazyFrame)):
        frame = data.collect() if isinstance(data, pl.LazyFrame) else data
        levels = {
            name: dtype.categories.to_list() for name, dtype in frame.schema.items() if isinstance(dtype, pl.Enum)
        }
        relation = _from_arrow(frame.to_arrow(), levels)
    elif isinstance(data, pa.Table):
        relation = _from_arrow(data, {})
    else:
        raise UsageError(
            f"Data of type {type(data).__name__} cannot be used.",
            "pass a DuckDB relation (con.table(...)), a polars or pandas frame or an Arrow table",
        )
    return Source(relation, {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)})


def quoted(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Write a level as an SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def _from_arrow(table: pa.Table, levels: dict[str, list[str]]) -> duckdb.DuckDBPyRelation:
    """Arrow table as a relation on a connection of its own; ordered levels become an enum."""
    relation = duckdb.connect().from_arrow(table)
    if not levels:
        return relation
    columns = [
        f"cast({quoted(name)} as enum({', '.join(literal(level) for level in levels[name])})) as {quoted(name)}"
        if levels.get(name)
        else quoted(name)
        for name in relation.columns
    ]
    return relation.project(", ".join(columns))
