"""Grids of predictors: chosen values, everything else typical of the data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from outcomes.errors import UsageError, no_such
from outcomes.mixed.design.data import VIEW
from outcomes.mixed.verbs.rows import Fitted, data_of, design_of

_AVERAGED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL")
GRID_POINTS = 25
"""Values of a continuous predictor in a plot."""
MAX_ROWS = 100_000
"""Largest grid."""


def predictors(fit: Fitted) -> tuple[str, ...]:
    """Data columns that the model's terms read."""
    return design_of(fit).predictors


def is_categorical(fit: Fitted, name: str) -> bool:
    """Whether a data column enters as a factor."""
    design = design_of(fit)
    return any(factor.is_categorical and factor.key == name for factor in design.factors.values())


def grid(fit: Fitted, at: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Rows for every combination of the values named; other predictors at their mean (numbers) or most frequent value.

    Parameters
    ----------
    fit : LinearFit or BinomialFit
    at : mapping of column to value, list of values or None
        None stands for every level of a factor.

    Returns
    -------
    polars.DataFrame
        One column a predictor.

    Raises
    ------
    UsageError
        Columns that the model does not read, or a fit whose data are not with it.
    """
    design, source = design_of(fit), data_of(fit)
    names = predictors(fit)
    at = dict(at or {})
    for name in at:
        if name not in names:
            raise no_such("predictor of the model", name, names)
    values = {name: _values(design.levels, name, value) for name, value in at.items()}
    size = int(np.prod([len(one) for one in values.values()], dtype=float)) if values else 1
    if size > MAX_ROWS:
        raise UsageError(f"The grid has {size:,} rows (at most {MAX_ROWS:,}).", "name fewer values")
    rest = [name for name in names if name not in values]
    typical = {}
    if rest:
        selected = ", ".join(
            f"{'avg' if source.types[name].startswith(_AVERAGED) and not is_categorical(fit, name) else 'mode'}"
            f"({source.columns.sql(name)}) as v{i}"
            for i, name in enumerate(rest)
        )
        row = source.query(f"select {selected} from {VIEW} where {design.complete}").to_pylist()[0]
        typical = {name: row[f"v{i}"] for i, name in enumerate(rest)}
    combinations = list(product(*values.values())) or [()]
    columns = {name: [one[i] for one in combinations] for i, name in enumerate(values)}
    columns |= {name: [value] * len(combinations) for name, value in typical.items()}
    return pl.DataFrame({name: columns[name] for name in [*values, *rest]}, strict=False)


def spread(fit: Fitted, name: str, points: int = GRID_POINTS) -> list:
    """Values over which a predictor's effect is shown: its levels, or even steps over its range."""
    if name not in predictors(fit):
        raise no_such("predictor of the model", name, predictors(fit))
    if is_categorical(fit, name):
        return list(design_of(fit).levels[name])
    low, high = moments(fit, name, "min", "max")
    return np.linspace(low, high, points).tolist()


def moments(fit: Fitted, name: str, *aggregates: str) -> list[float]:
    """Aggregates of a numeric predictor over the complete rows.

    Raises
    ------
    UsageError
        When the column is not numeric.
    """
    design, source = design_of(fit), data_of(fit)
    if not source.types[name].startswith(_AVERAGED):
        raise UsageError(f"Column {name!r} is no number.", "name a numeric predictor")
    selected = ", ".join(
        f"{one}(cast({source.columns.sql(name)} as double)) as a{i}" for i, one in enumerate(aggregates)
    )
    row = source.query(f"select {selected} from {VIEW} where {design.complete}").to_pylist()[0]
    return [row[f"a{i}"] for i in range(len(aggregates))]


def _values(levels: dict[str, list], name: str, value: Any) -> list:
    """The values asked for as a list."""
    if value is None:
        if name not in levels:
            raise UsageError(f"{name!r} is no factor, so that it has no levels.", "name its values: {'x': [0, 1]}")
        return list(levels[name])
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return [value]
    found = list(value)
    if not found:
        raise UsageError(f"No value was named for {name!r}.")
    return found
