"""The categories of an ordinal outcome: which there are, in which order, and their codes in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.design.data import VIEW, Source, literal
from outcomes.mixed.design.expressions import Expression, compile_expression
from outcomes.mixed.design.formula import ParsedFormula

MAX_CATEGORIES = 50
"""Most categories: each is a threshold, and more are a number rather than an order."""


@dataclass(frozen=True)
class Categories:
    """Categories in order.

    labels : tuple, their values; code : Expression, 1 .. K by SQL.
    """

    labels: tuple[Any, ...]
    code: Expression

    def only(self, kept: Sequence[int], value: Expression) -> Categories:
        """Those at some positions, coded anew."""
        return coded([self.labels[i] for i in kept], value)


def coded(labels: Sequence[Any], value: Expression) -> Categories:
    """Categories from their values in order and the SQL of the outcome."""
    cases = " ".join(f"when {value.sql} = {literal(label)} then {i}.0::double" for i, label in enumerate(labels, 1))
    whole = all(isinstance(label, float) and label == round(label) for label in labels)
    shown = tuple(int(label) for label in labels) if whole else tuple(labels)
    return Categories(shown, Expression(f"(case {cases} end)", value.columns))


def read_categories(
    formula: ParsedFormula, source: Source, data: Any, order: Sequence[Any] | None
) -> tuple[Categories, Expression]:
    """The outcome's categories and the outcome itself.

    Parameters
    ----------
    formula, source
    data : Any
        As it came in: whether a category is ordered is known only there.
    order : sequence, optional
        The categories from low to high.

    Raises
    ------
    UsageError
        Text whose order is not known, two outcomes (cbind), a category named twice.
    FitRefused
        Fewer than 3 categories, more than `MAX_CATEGORIES`, or rows with a value that `order` lacks.
    """
    name = formula.outcome.strip("`")
    if formula.trials:
        raise UsageError("cbind(events, others) has no order.", "use fit_binomial, or one column of categories")
    value = compile_expression(formula.outcome, source.columns)
    kind = source.types.get(name, "")
    found = source.query(
        f"select {value.sql} as v, count(*) as n from {VIEW} where {value.sql} is not null group by 1 order by 1"
    )
    values, counts = (found.column(c).to_pylist() for c in ("v", "n"))
    if order is not None:
        return _as_ordered(list(order), values, counts, value)
    if kind.startswith(("VARCHAR", "UUID")) or _is_unordered(data, name):
        raise UsageError(
            f"The outcome {name!r} is text (or a category without an order), and the order of its values is not known.",
            "name them from low to high: categories=['low', 'middle', 'high']",
        )
    if bad := sum(isinstance(v, float) and v != v for v in values):
        raise FitRefused(f"The outcome {name!r} has {bad} values that are no number.", "make them missing (null)")
    _check_number(len(values), name)
    return coded(values, value), value


def _as_ordered(order: list, values: list, counts: list, value: Expression) -> tuple[Categories, Expression]:
    """Categories in the order that was given."""
    if len(set(order)) < len(order):
        raise UsageError("A category is named twice.", "name each once, from low to high")
    unknown = sum(n for v, n in zip(values, counts, strict=True) if v not in order)
    if unknown:
        raise FitRefused(
            f"The outcome of {unknown} of {sum(counts)} rows is not among the {len(order)} categories.",
            "name every category, or make the others missing (null)",
        )
    _check_number(len(order), "")
    return coded(order, value), value


def _check_number(n: int, name: str) -> None:
    """Refuse outcomes that are no ordered categories."""
    label = f"The outcome {name!r}" if name else "The outcome"
    if n < 3:
        raise FitRefused(
            f"{label} has {n} {'category' if n == 1 else 'categories'}; an ordinal model needs 3 or more.",
            "use fit_binomial for two (1 and 0)",
        )
    if n > MAX_CATEGORIES:
        raise FitRefused(
            f"{label} has {n} different values (at most {MAX_CATEGORIES} categories).", "use fit_linear for numbers"
        )


def _is_unordered(data: Any, name: str) -> bool:
    """Whether a frame's column is a category that says that it has no order."""
    if isinstance(data, pd.DataFrame) and name in data.columns:
        kind = data[name].dtype
        return isinstance(kind, pd.CategoricalDtype) and not kind.ordered
    if isinstance(data, pl.DataFrame) and name in data.columns:
        return data[name].dtype == pl.Categorical
    return False
