"""A fitted design's columns on new data, coded as they were when the model was fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from outcomes.errors import FormulaError, UsageError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.data import VIEW, as_source, quoted
from outcomes.mixed.design.expressions import compile_expression


@dataclass(frozen=True)
class NewRows:
    """Columns of new data; rows with a missing value have NaN.

    X : (n, p) of the names asked for; Z : by column name (n,); labels : by grouping factor, text (n,), missing where
    the data have no such column or value.
    """

    X: np.ndarray
    Z: dict[str, np.ndarray]
    labels: dict[str, pl.Series]


def new_rows(design: Design, names: tuple[str, ...], data: Any) -> NewRows:
    """Evaluate the fixed columns `names`, the random columns and the groups on new data.

    Raises
    ------
    FormulaError
        When the data lack a column of the model.
    UsageError
        When a categorical column has levels that the fit has not seen.
    """
    source = as_source(data)
    factors = dict.fromkeys(
        factor
        for term in (*design.formula.fixed, *(t for r in design.formula.random for t in r.terms))
        for factor in term
    )
    for factor in factors:
        expression = compile_expression(factor, design.source.types)
        if missing := [name for name in expression.columns if name not in source.types]:
            raise FormulaError(f"The new data have no column {missing[0]!r}.")
        if expression.is_categorical:
            _refuse_new_levels(design, source, expression.columns[0])
    wanted = list(dict.fromkeys([*names, *(name for block in design.random for name in block.columns)]))
    selected = [f"{design.columns[name]} as c{i}" for i, name in enumerate(wanted)]
    groups = {":".join(group): group for group in design.groups}
    for i, group in enumerate(groups.values()):
        if all(name in source.types for name in group):
            text = " || ':' || ".join(f"cast({quoted(name)} as varchar)" for name in group)
            selected.append(f"{text} as g{i}")
    table = pl.from_arrow(source.query(f"select {', '.join(selected)} from {VIEW}"))
    columns = {name: table[f"c{i}"].cast(pl.Float64).fill_null(np.nan).to_numpy() for i, name in enumerate(wanted)}
    empty = pl.Series([None] * table.height, dtype=pl.String)
    return NewRows(
        X=np.column_stack([columns[name] for name in names]),
        Z={name: columns[name] for block in design.random for name in block.columns},
        labels={name: table[f"g{i}"] if f"g{i}" in table.columns else empty for i, name in enumerate(groups)},
    )


def _refuse_new_levels(design: Design, source, column: str) -> None:
    """Treatment coding would read an unseen level as the reference level: refuse it."""
    text = f"cast({quoted(column)} as varchar)"
    seen = design.source.query(f"select distinct {text} as v from {VIEW} where {design.complete}")
    known = set(seen.column("v").to_pylist())
    now = source.query(f"select {text} as v, count(*) as n from {VIEW} where {text} is not null group by 1").to_pylist()
    unseen = [row["n"] for row in now if row["v"] not in known]
    if unseen:
        raise UsageError(
            f"Column {column!r} has {len(unseen)} levels, in {sum(unseen)} rows, that the fit has not seen.",
            "predict for the levels that the model was fitted to",
        )
