"""A fitted design's columns on new data, coded as they were when the model was fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from outcomes.errors import FormulaError, UsageError
from outcomes.mixed.design.coding import Design, on_other_data
from outcomes.mixed.design.data import VIEW, Columns, Source, as_source, literal
from outcomes.mixed.design.expressions import Expression, compile_expression
from outcomes.mixed.design.statistics import Statistics

_AS_TEXT = ("INTERVAL", "MAP", "UNION", "BIT", "VARIANT", "GEOMETRY")


@dataclass(frozen=True)
class NewRows:
    """Columns of new data; rows with a missing value have NaN.

    X : (n, p) of the names asked for; Z : by column name (n,); labels : by grouping factor, text (n,), missing where
    the data have no such column or value; offset : (n,); data : the columns that came in; extra : what else was asked.
    """

    X: np.ndarray
    Z: dict[str, np.ndarray]
    labels: dict[str, pl.Series]
    offset: np.ndarray
    data: pl.DataFrame
    extra: dict[str, np.ndarray]


def new_rows(
    design: Design,
    names: tuple[str, ...],
    data: Any,
    *,
    with_groups: bool = False,
    keep_data: bool = False,
    extra: dict[str, str] | None = None,
) -> NewRows:
    """Evaluate the fixed columns `names`, the random columns and the groups on new data.

    Parameters
    ----------
    design : Design
    names : tuple of str
    data : relation, frame or table
    with_groups : bool
        Whether the grouping factors must be there.
    keep_data : bool
        Whether the columns that came in are wanted back.
    extra : dict of str to str, optional
        Further numbers by their SQL.

    Raises
    ------
    FormulaError
        When the data lack a column of the model.
    UsageError
        When a categorical column has levels that the fit has not seen.
    """
    source = as_source(data)
    here, factors = recoded(design, source)
    for factor in factors.values():
        if factor.is_categorical:
            _refuse_new_levels(design, source, factor)
    wanted = list(dict.fromkeys([*names, *(name for block in design.random for name in block.columns)]))
    selected = [f"{here.columns[name]} as outcomes_c{i}" for i, name in enumerate(wanted)]
    groups = {":".join(group): group for group in design.groups}
    for i, group in enumerate(groups.values()):
        missing = [name for name in group if name not in source.types]
        if missing and with_groups:
            raise FormulaError(
                f"The new data have no column {missing[0]!r} to group by.",
                "predict 'marginal', or add the column: a missing value in it stands for a new level",
            )
        if not missing:
            text = " || ':' || ".join(f"cast({source.columns.sql(name)} as varchar)" for name in group)
            selected.append(f"{text} as outcomes_g{i}")
    selected += [f"{here.offset} as outcomes_offset"] if here.offset else []
    selected += [f"{sql} as outcomes_{name}" for name, sql in (extra or {}).items()]
    selected += _kept(source) if keep_data else ["1 as outcomes_row"]
    table = pl.from_arrow(source.query(f"select {', '.join(selected)} from {VIEW}"))
    columns = {name: _numbers(table[f"outcomes_c{i}"]) for i, name in enumerate(wanted)}
    empty = pl.Series([None] * table.height, dtype=pl.String)
    offset = _numbers(table["outcomes_offset"]) if here.offset else 0.0
    return NewRows(
        X=np.column_stack([columns[name] for name in names]) if names else np.zeros((table.height, 0)),
        Z={name: columns[name] for block in design.random for name in block.columns},
        labels={
            name: table[f"outcomes_g{i}"] if f"outcomes_g{i}" in table.columns else empty
            for i, name in enumerate(groups)
        },
        offset=np.full(table.height, 0.0) + offset,
        data=_came_in(table, source, data) if keep_data else pl.DataFrame(),
        extra={name: _numbers(table[f"outcomes_{name}"]) for name in extra or {}},
    )


def recoded(design: Design, source: Source) -> tuple[Design, dict[str, Expression]]:
    """The design's columns as SQL on other data, with the factors of its fixed and random terms and its offset.

    Raises
    ------
    FormulaError
        When the data lack a column of the model.
    """
    formula = design.formula
    terms = [*formula.fixed, *(term for block in formula.random for term in block.terms), formula.offsets]
    columns = Columns(design.source.types, source.columns.stored)
    factors: dict[str, Expression] = {}
    for factor in dict.fromkeys(factor for term in terms for factor in term):
        expression = compile_expression(factor, columns, Statistics(design.statistics))
        for name in expression.columns:
            if name not in source.types:
                raise FormulaError(f"The new data have no column {name!r}.", source.columns.hint(name))
        factors[factor] = expression
    return on_other_data(design, columns, factors), factors


def _numbers(column: pl.Series) -> np.ndarray:
    """A column of numbers with NaN where it is missing."""
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _kept(source: Source) -> list[str]:
    """SQL of the columns that came in; kinds that polars does not read come back as text."""
    selected = []
    for name, kind in source.types.items():
        stored = source.columns.sql(name)
        selected.append(f"cast({stored} as varchar) as {stored}" if kind.startswith(_AS_TEXT) else stored)
    return selected


def _came_in(table: pl.DataFrame, source: Source, data: Any) -> pl.DataFrame:
    """The input's columns under the names that they came with."""
    if isinstance(data, pl.DataFrame):
        return data
    stored = {name: source.columns.stored.get(name, name) for name in source.types}
    return table.select(pl.col(inside).alias(name) for name, inside in stored.items())


def _refuse_new_levels(design: Design, source: Source, factor: Expression) -> None:
    """Treatment coding would read an unseen level as the reference level: refuse it."""
    known = design.levels[factor.key]
    value = f"cast({factor.sql} as varchar)" if all(isinstance(level, str) for level in known) else factor.sql
    unseen = source.query(
        f"select count(distinct {value}) as n_levels, count(*) as n_rows from {VIEW} "
        f"where {value} is not null and {value} not in ({', '.join(map(literal, known))})"
    ).to_pylist()[0]
    if unseen["n_levels"]:
        raise UsageError(
            f"Column {factor.key!r} has {unseen['n_levels']} levels, in {unseen['n_rows']} rows, that the fit has "
            "not seen.",
            "predict for the levels that the model was fitted to",
        )
