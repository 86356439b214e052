"""Transformations that need numbers of the data and remember them: scale, center, poly, bs and ns.

As in R the numbers are taken over all rows in which the expression is not missing; predictions use those of the fit.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial

import numpy as np

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.design.contrasts import constant
from outcomes.mixed.design.data import literal
from outcomes.mixed.design.splines import b_spline, natural_spline, piecewise_sql
from outcomes.mixed.design.statistics import Statistics

Parts = list[tuple[str, str]]
"""(suffix of the name, SQL) of each column."""

MAX_COLUMNS = 30
"""Most columns of one transformation."""


def columns_of(node: ast.Call, compile_numeric: Callable[[ast.expr], str], statistics: Statistics, shown: str) -> Parts:
    """Columns of a call to one of `TRANSFORMS`.

    Raises
    ------
    FormulaError
        Arguments that the transformation does not have.
    FitRefused
        A column that does not vary, or has too few values.
    """
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    if not node.args:
        raise FormulaError(f"`{shown}` names no column.", f"write `{name}(x)`")
    build, words = TRANSFORMS[name]
    given: dict[str, object] = {}
    for word, value in zip(words, node.args[1:], strict=False):
        given[word] = _argument(value, shown)
    for word in node.keywords:
        given[str(word.arg)] = _argument(word.value, shown)
    if len(node.args) - 1 > len(words) or (unknown := [word for word in given if word not in words]):
        extra = "" if len(node.args) - 1 > len(words) else f" {unknown[0]!r}"
        raise FormulaError(f"`{shown}` has an argument{extra} that is not known.", f"{name}(x, {', '.join(words)})")
    x = compile_numeric(node.args[0])
    try:
        return build(x, statistics, shown, **given)
    except TypeError as error:
        raise FormulaError(
            f"`{shown}` lacks an argument, or has one of the wrong kind.", f"{name}(x, {', '.join(words)})"
        ) from error


def _argument(node: ast.expr, shown: str) -> object:
    """A constant, or R's ``c(1, 2)`` as a list."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "c":
        return [constant(one, shown) for one in node.args]
    if isinstance(node, ast.Name) and node.id in {"NULL", "None"}:
        return None
    return constant(node, shown)


def _scaled(x: str, statistics: Statistics, shown: str, center: bool = True, scale: bool = True) -> Parts:
    """(x - mean) / sd, with divisor n - 1."""
    if not isinstance(center, bool) or not isinstance(scale, bool):
        raise FormulaError(f"center and scale in `{shown}` are True or False.")
    middle = statistics.number(f"avg({x})") if center else 0.0
    spread = 1.0
    if scale:
        about = f"{x} - {literal(middle)}"
        ratio = f"sum(pow({about}, 2)) / nullif(count({about}) - 1, 0)"
        spread = statistics.number(f"sqrt({ratio})")
        if not spread > 0:
            raise FitRefused(f"The column in `{shown}` does not vary.", "leave it out")
    return [("", f"(({x} - {literal(middle)}) / {literal(spread)})")]


def _centered(x: str, statistics: Statistics, shown: str) -> Parts:
    """x - mean."""
    return _scaled(x, statistics, shown, scale=False)


def _poly(x: str, statistics: Statistics, shown: str, degree: int = 1, raw: bool = False) -> Parts:
    """Orthogonal polynomials of unit length (Kennedy & Gentle 1980, section 8.4: the recurrence), or raw powers."""
    _check_count(degree, 1, shown, "degree")
    if raw:
        return [(f"[{j}]", f"pow({x}, {j})") for j in range(1, degree + 1)]
    n_values = int(statistics.number(f"count(distinct {x})"))
    if n_values <= degree:
        raise FitRefused(f"`{shown}` needs more than {degree} distinct values; the column has {n_values}.")
    before, here = None, "1::double"
    length_before, length = 1.0, statistics.number(f"count({x})")
    parts = []
    for j in range(1, degree + 1):
        alpha = statistics.number(f"sum({x} * pow({here}, 2))") / length
        following = f"(({x} - {literal(alpha)}) * {here}"
        following += f" - {literal(length / length_before)} * {before})" if before else ")"
        before, here = here, following
        length_before, length = length, statistics.number(f"sum(pow({here}, 2)) filter ({x} is not null)")
        parts.append((f"[{j}]", f"({here} / {literal(float(np.sqrt(length)))})"))
    return parts


def _spline(
    x: str,
    statistics: Statistics,
    shown: str,
    df: int | None = None,
    knots: object = None,
    degree: int = 3,
    intercept: bool = False,
    *,
    is_natural: bool,
) -> Parts:
    """Columns of a B-spline or natural cubic spline as R's `bs` and `ns` have them."""
    _check_count(degree, 1, shown, "degree")
    fixed = 1 + intercept if is_natural else degree + intercept
    low, high = (statistics.number(f"{end}({x})") for end in ("min", "max"))
    if not low < high:
        raise FitRefused(f"The column in `{shown}` does not vary.", "leave it out")
    if knots is not None:
        inner = sorted(float(k) for k in (knots if isinstance(knots, (list, tuple)) else [knots]))
        if any(not low < knot < high for knot in inner):
            raise FormulaError(f"The knots in `{shown}` must lie inside the range of the column.")
    else:
        df = fixed if df is None else df
        _check_count(df, fixed, shown, "df")
        count = df - fixed
        shares = [(j + 1) / (count + 1) for j in range(count)]
        inner = [statistics.number(f"quantile_cont({x}, {share!r})") for share in shares]
        if len({low, *inner, high}) < count + 2:
            raise FitRefused(f"The quantiles of the column in `{shown}` coincide.", "use a smaller df, or name `knots`")
    make = natural_spline if is_natural else partial(b_spline, degree=degree)
    pieces = make(np.array(inner), low, high, intercept=intercept)
    return [(f"[{j}]", piecewise_sql(x, pieces.breaks, c)) for j, c in enumerate(pieces.coefficients, start=1)]


def _check_count(value: object, least: int, shown: str, word: str) -> None:
    """Refuse what is no whole number of columns."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MAX_COLUMNS:
        raise FormulaError(f"{word} in `{shown}` must be a whole number from {least} to {MAX_COLUMNS}.")


TRANSFORMS: dict[str, tuple[Callable[..., Parts], tuple[str, ...]]] = {
    "scale": (_scaled, ("center", "scale")),
    "standardize": (_scaled, ("center", "scale")),
    "center": (_centered, ()),
    "poly": (_poly, ("degree", "raw")),
    "bs": (partial(_spline, is_natural=False), ("df", "knots", "degree", "intercept")),
    "ns": (partial(_spline, is_natural=True), ("df", "knots", "intercept")),
}
"""Function and its further arguments, in R's order."""
