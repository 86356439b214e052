"""Frames of every library as one Arrow table with columns that the database can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from outcomes.errors import UsageError


@dataclass(frozen=True)
class Frame:
    """A table, the ordered levels of its categories, and the columns that had to stay out, with the reason."""

    table: pa.Table
    levels: dict[str, list[str]]
    unusable: dict[str, str]


def as_frame(data: Any) -> Frame | None:
    """Normalise a pandas, polars or Arrow table; None for other kinds.

    Raises
    ------
    UsageError
        Two columns of one name.
    """
    if isinstance(data, pd.DataFrame):
        names = [str(name) for name in data.columns]
        columns = {name: data.iloc[:, i] for i, name in enumerate(names)}
    elif isinstance(data, (pl.DataFrame, pl.LazyFrame)):
        frame = data.collect() if isinstance(data, pl.LazyFrame) else data
        names, columns = frame.columns, dict(zip(frame.columns, frame.get_columns(), strict=True))
    elif isinstance(data, pa.Table):
        names = data.column_names
        columns = {name: data.column(i) for i, name in enumerate(names)}
    else:
        return None
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"The data have more than one column {twice[0]!r}.", "rename or leave out one of them")
    arrays: dict[str, pa.ChunkedArray] = {}
    levels: dict[str, list[str]] = {}
    unusable: dict[str, str] = {}
    for name, column in columns.items():
        try:
            arrays[name], order = _column(column)
        except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
            unusable[name] = f"it holds mixed or unknown kinds of values ({type(error).__name__})"
            continue
        if order:
            levels[name] = order
    return Frame(pa.table(arrays), levels, unusable)


def _column(column: Any) -> tuple[pa.ChunkedArray, list[str]]:
    """One column in a type that the database has, and the order of its levels when it is a category."""
    order: list[str] = []
    if isinstance(column, pd.Series):
        if isinstance(column.dtype, pd.CategoricalDtype):
            if column.cat.categories.dtype == bool:  # truth values are a factor as they are
                return _column(column.astype("boolean"))
            labels = [_label(level) for level in column.cat.categories]
            codes = pa.array(column.cat.codes.to_numpy(), mask=column.isna().to_numpy())
            return _plain(pa.chunked_array([pc.take(pa.array(labels, pa.string()), codes)])), _once(labels)
        array = pa.Array.from_pandas(column)
    elif isinstance(column, pl.Series):
        if isinstance(column.dtype, pl.Enum):
            order = column.dtype.categories.to_list()
        array = (column.cast(pl.String) if column.dtype in (pl.Enum, pl.Categorical) else column).to_arrow()
    else:
        array = column
        if pa.types.is_dictionary(array.type) and array.type.ordered:
            array = array.unify_dictionaries()
            order = _once([_label(level) for part in array.chunks[:1] for level in part.dictionary.to_pylist()])
    array = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return _plain(array, is_labels=bool(order)), order


def _once(labels: list[str]) -> list[str]:
    """Levels in order, each once."""
    return list(dict.fromkeys(labels))


def _label(level: object) -> str:
    """A category's level as text, as the database would write it."""
    return str(level)


def _plain(array: pa.ChunkedArray, *, is_labels: bool = False) -> pa.ChunkedArray:
    """The column without dictionaries, and in a type that the database reads."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.cast(kind.value_type)
        kind = array.type
    if is_labels and not pa.types.is_string(kind):
        array = pa.chunked_array([pa.array([None if v is None else _label(v) for v in array.to_pylist()], pa.string())])
        kind = array.type
    if pa.types.is_null(kind):
        return array.cast(pa.float64())
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    if pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
        raise TypeError(str(kind))
    return array
