"""Any accepted data as a DuckDB relation, and the one door through which the engine queries it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from outcomes.errors import FitRefused, FormulaError, UsageError
from outcomes.mixed.design.frames import Frame, as_frame

VIEW = "outcomes_model_data"
"""Name under which every query of the engine sees the data."""

Answer = TypeVar("Answer")

NOT_WITH_IT = "This fit was unpickled or made of parts, and its data are not with it."


@dataclass(frozen=True)
class Columns:
    """The data's columns as a formula names them.

    Parameters
    ----------
    types : dict of str to str
        DuckDB type of each column.
    stored : dict of str to str
        The name in the database of columns that are called otherwise there: the database cannot tell ``x`` from ``X``.
    unusable : dict of str to str
        Columns that the database cannot hold, with the reason.
    """

    types: dict[str, str]
    stored: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)

    def sql(self, name: str, what: str = "") -> str:
        """The quoted name of a column in the database.

        Raises
        ------
        FormulaError
            When the data have no such column; the hint names what they have.
        """
        if name in self.unusable:
            raise FormulaError(f"Column {name!r} cannot be used: {self.unusable[name]}.", "make it numbers or text")
        if name not in self.types:
            raise FormulaError(f"The data have no column {name!r}{what}.", self.hint(name))
        return quoted(self.stored.get(name, name))

    def hint(self, wanted: str = "") -> str:
        """List the data's columns, the likeliest first."""
        names = list(self.types)
        folded = {name.casefold(): name for name in names}
        close = folded.get(wanted.casefold()) or next(iter(get_close_matches(wanted, names, n=1)), None)
        meant = f"{close!r}, or another of them: " if close else ""
        return f"{meant}the data have " + ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")


@dataclass(frozen=True)
class Source:
    """Data that a model is fitted to.

    Parameters
    ----------
    relation : duckdb.DuckDBPyRelation or None
        The rows; never copied into Python by the linear model. A pickle leaves them behind.
    columns : Columns
    """

    relation: duckdb.DuckDBPyRelation | None
    columns: Columns

    @property
    def types(self) -> dict[str, str]:
        """DuckDB type of each column."""
        return self.columns.types

    def __reduce__(self) -> tuple[type[Source], tuple[None, Columns]]:
        return Source, (None, self.columns)

    @property
    def n_rows(self) -> int:
        """Rows, the incomplete ones too."""
        return self._asked(len)

    def read(self, selected: Iterable[str], where: str) -> pa.Table:
        """Read columns of the rows for which a condition holds; a third of the cost of the same as a `query`."""
        return self._asked(lambda data: data.filter(where).project(", ".join(selected)).to_arrow_table())

    def query(self, sql: str) -> pa.Table:
        """Run one pass over the data, which `sql` reads under the name `VIEW`."""
        return self._asked(lambda data: data.query(VIEW, sql).to_arrow_table())

    def _asked(self, question: Callable[[duckdb.DuckDBPyRelation], Answer]) -> Answer:
        """Put a question to the data; what the database cannot compute is refused."""
        if self.relation is None:
            raise UsageError(
                "The data are not with this fit: it was unpickled, or made of parts.", "fit again to ask the data"
            )
        try:
            return question(self.relation)
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
        pandas categories and polars enums keep the order of their levels, whatever these are made of.

    Raises
    ------
    UsageError
        When the data are of another kind.
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, duckdb.DuckDBPyRelation):
        types = {name: str(kind) for name, kind in zip(data.columns, data.types, strict=True)}
        return Source(data, Columns(types))
    frame = as_frame(data)
    if frame is None:
        raise UsageError(
            f"Data of type {type(data).__name__} cannot be used.",
            "pass a DuckDB relation (con.table(...)), a polars or pandas frame or an Arrow table",
        )
    if not frame.table.num_columns:
        raise UsageError("The data have no columns that a model can use.", "pass a table with one row an observation")
    return _from_frame(frame)


def quoted(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Write a level or a number as an SQL literal."""
    if isinstance(value, float):
        return f"'{value!r}'::double" if value != value or abs(value) == float("inf") else f"{value!r}::double"
    if isinstance(value, (datetime.date, datetime.time)):
        value = value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


@cache
def in_memory() -> duckdb.DuckDBPyConnection:
    """This process's empty database in memory: to open one takes as long as a small fit."""
    return duckdb.connect()


def _from_frame(frame: Frame) -> Source:
    """Arrow table as a relation on a connection of its own, to this process's database; ordered levels become an
    enum."""
    stored, taken = {}, set()
    for name in frame.table.column_names:
        inside, k = name, 1
        while inside.casefold() in taken:
            inside, k = f"{name} #{k}", k + 1
        taken.add(inside.casefold())
        stored[name] = inside
    relation = in_memory().cursor().from_arrow(frame.table.rename_columns(list(stored.values())))
    if frame.levels:
        columns = [
            f"cast({quoted(inside)} as enum({', '.join(literal(level) for level in frame.levels[name])}))"
            f" as {quoted(inside)}"
            if frame.levels.get(name)
            else quoted(inside)
            for name, inside in stored.items()
        ]
        relation = relation.project(", ".join(columns))
    types = {name: str(kind) for name, kind in zip(stored, relation.types, strict=True)}
    renamed = {name: inside for name, inside in stored.items() if name != inside}
    return Source(relation, Columns(types, renamed, frame.unusable))
