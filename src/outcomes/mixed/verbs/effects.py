"""Predictions, comparisons and slopes with intervals, by the delta method (the verbs of the marginaleffects packages).

Every quantity is a mean of differences of expected outcomes at random effects of zero, so that its variance is J V J'
with J its derivative by beta (and by thresholds) and V their covariance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Protocol

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError, no_such
from outcomes.mixed.design.new_data import new_rows
from outcomes.mixed.results.status import FitStatus
from outcomes.mixed.verbs.grid import grid, is_categorical, moments, predictors
from outcomes.mixed.verbs.rows import Fitted, data_of, design_of

STEP = 1e-4
"""Step of a slope's difference, in standard deviations of the predictor."""

At = Mapping[str, Any] | pl.DataFrame | None


class Effective(Fitted, Protocol):
    """A fit whose expected outcomes can be compared."""

    def ddf(self, L: np.ndarray) -> float:
        """Denominator degrees of freedom of L @ beta."""
        ...

    def gradient_of(self, eta: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Derivatives of the expected outcome by the location."""
        ...

    @property
    def location_cov(self) -> np.ndarray:
        """Covariance of the location."""
        ...


def predictions(
    fit: Effective, at: At = None, by: str | Sequence[str] | None = None, level: float = 0.95
) -> pl.DataFrame:
    """Expected outcomes at random effects of zero.

    Parameters
    ----------
    fit : any fit of the engine
    at : mapping or polars.DataFrame, optional
        Values of predictors, e.g. ``{"x": [0, 1], "mode": None}`` (None: every level); the others are typical, see
        `grid`. Default: the rows of the data.
    by : str or sequence of str, optional
        Average over the rows that share these columns. ``predictions(fit, {"mode": None, "sex": None}, by="mode")``
        are the marginal means of emmeans.
    level : float
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        The predictors (or `by`), estimate, std_error, df_denom, conf_low, conf_high.

    Raises
    ------
    UsageError, FormulaError
        Columns that the model does not read; a fit whose data are not with it.
    """
    rows = _rows(fit, at)
    X, offset = _columns(fit, rows)
    eta = X @ fit.beta + offset
    J = fit.gradient_of(eta, X)
    return _table(fit, rows, fit.mean_of(eta), J, by, level, tested=False)


def comparisons(
    fit: Effective,
    variable: str,
    values: Sequence | str | None = None,
    at: At = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> pl.DataFrame:
    """Differences of expected outcomes between two values of a predictor, averaged over the rows.

    Parameters
    ----------
    fit : any fit of the engine
    variable : str
        A predictor.
    values : pair, "pairwise" or None
        The two values, low first. Default: a rise by 1 (numbers); every level against the first (factors). "pairwise":
        every pair of levels.
    at : mapping or polars.DataFrame, optional
        As in `predictions`.
    by : str or sequence of str, optional
        One difference for the rows that share these columns; default one over all rows.
    level : float
        Of the intervals, which are not adjusted for the number of comparisons.

    Returns
    -------
    polars.DataFrame
        term, contrast, `by`, estimate, std_error, df_denom, statistic, p_value, conf_low, conf_high. In the binomial
        model differences of probabilities.

    Raises
    ------
    UsageError, FormulaError
        Columns that the model does not read; values that are no pair; a fit whose data are not with it.
    """
    if variable not in predictors(fit):
        raise no_such("predictor of the model", variable, predictors(fit))
    rows = _rows(fit, at)
    found = []
    for low, high, label in _pairs(fit, variable, values):
        ends = []
        for value in (low, high):
            column = (pl.col(variable) + value) if label.startswith("+") else pl.lit(value)
            here = rows.with_columns(column.alias(variable))
            X, offset = _columns(fit, here)
            eta = X @ fit.beta + offset
            ends.append((fit.mean_of(eta), fit.gradient_of(eta, X)))
        (mean_low, J_low), (mean_high, J_high) = ends
        table = _table(fit, rows, mean_high - mean_low, J_high - J_low, by or [], level, tested=True)
        found.append(table.select(pl.lit(variable).alias("term"), pl.lit(label).alias("contrast"), pl.all()))
    return pl.concat(found)


def slopes(
    fit: Effective, variable: str, at: At = None, by: str | Sequence[str] | None = None, level: float = 0.95
) -> pl.DataFrame:
    """Derivative of the expected outcome by a numeric predictor, averaged over the rows.

    Parameters
    ----------
    fit : any fit of the engine
    variable : str
        A numeric predictor; its squares, products and splines move with it.
    at, by, level
        As in `comparisons`.

    Returns
    -------
    polars.DataFrame
        term, `by`, estimate, std_error, df_denom, statistic, p_value, conf_low, conf_high.

    Raises
    ------
    UsageError, FormulaError
        A factor, or a column that the model does not read; a fit whose data are not with it.
    """
    if variable not in predictors(fit):
        raise no_such("predictor of the model", variable, predictors(fit))
    if is_categorical(fit, variable):
        raise UsageError(f"{variable!r} is a factor and has no slope.", f"comparisons({variable!r})")
    rows = _rows(fit, at)
    (sd,) = moments(fit, variable, "stddev_pop")
    step = STEP * (sd or 1.0)
    mean, J = 0.0, 0.0
    for sign in (-1, 1):
        X, offset = _columns(fit, rows.with_columns(pl.col(variable).cast(pl.Float64) + sign * step / 2))
        eta = X @ fit.beta + offset
        mean = mean + sign * fit.mean_of(eta) / step
        J = J + sign * fit.gradient_of(eta, X) / step
    table = _table(fit, rows, mean, J, by or [], level, tested=True)
    return table.select(pl.lit(variable).alias("term"), pl.all())


def _rows(fit: Effective, at: At) -> pl.DataFrame:
    """The grid asked for, or the predictors' columns in the complete rows of the data."""
    if isinstance(at, pl.DataFrame):
        return at
    if at is not None:
        return grid(fit, at)
    source, design = data_of(fit), design_of(fit)
    names = {name: source.columns.sql(name) for name in predictors(fit)}
    selected = [f"{sql} as c{i}" for i, sql in enumerate(names.values())] or ["1 as c0"]
    table = pl.from_arrow(source.read(selected, design.complete))
    return table.rename({f"c{i}": name for i, name in enumerate(names)})


def _columns(fit: Effective, rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Fixed columns (n, p) and offset (n,) of some rows."""
    found = new_rows(design_of(fit), fit.names, rows)
    return found.X, found.offset


def _pairs(fit: Effective, variable: str, values: Sequence | str | None) -> list[tuple[Any, Any, str]]:
    """(low, high, label) of each difference; a label with + is a rise."""
    if isinstance(values, str) and values != "pairwise":
        raise UsageError(f"There are no values {values!r}.", "give a pair (low, high), or 'pairwise'")
    if values is not None and not isinstance(values, str):
        if len(values) != 2:
            raise UsageError(f"{len(values)} values are no pair.", "give (low, high)")
        low, high = values
        return [(low, high, f"{high} - {low}")]
    if not is_categorical(fit, variable):
        if values == "pairwise":
            raise UsageError(f"{variable!r} is a number and has no levels.", "give a pair (low, high)")
        return [(0, 1, "+1")]
    levels = design_of(fit).levels[variable]
    if values == "pairwise":
        return [(low, high, f"{high} - {low}") for low, high in combinations(levels, 2)]
    return [(levels[0], high, f"{high} - {levels[0]}") for high in levels[1:]]


def _table(
    fit: Effective,
    rows: pl.DataFrame,
    values: np.ndarray,
    J: np.ndarray,
    by: str | Sequence[str] | None,
    level: float,
    *,
    tested: bool,
) -> pl.DataFrame:
    """Estimates with intervals: a row each, or means over the rows that share `by`."""
    if not 0 < level < 1:
        raise UsageError(f"The confidence level is {level}; it must lie between 0 and 1.", "level=0.95")
    labels = rows
    if by is not None:
        names = [by] if isinstance(by, str) else list(by)
        for name in names:
            if name not in rows.columns:
                raise no_such("column to average by", name, rows.columns)
        code, labels = _groups(rows, names)
        count = np.bincount(code)
        values = np.bincount(code, weights=values) / count
        J = np.column_stack([np.bincount(code, weights=column) / count for column in J.T])
    variance = np.einsum("ij,jk,ik->i", J, fit.location_cov, J)
    std_error = np.sqrt(np.maximum(variance, 0.0))
    is_known = np.isfinite(values) & (std_error > 0)
    df = np.full(len(values), np.inf)
    df[is_known] = [fit.ddf(row[None]) for row in J[is_known]]
    half = scipy.stats.t.ppf((1 + level) / 2, df) * std_error
    columns: dict[str, np.ndarray] = {"estimate": values, "std_error": std_error, "df_denom": df}
    if tested:
        statistic = np.divide(values, std_error, out=np.full_like(values, np.nan), where=std_error > 0)
        p_value = 2 * scipy.stats.t.sf(np.abs(statistic), df)
        p_value = np.full_like(p_value, np.nan) if fit.status == FitStatus.NOT_CONVERGED else p_value
        columns |= {"statistic": statistic, "p_value": p_value}
    columns |= {"conf_low": values - half, "conf_high": values + half}
    if taken := [name for name in columns if name in labels.columns]:
        raise UsageError(f"The rows have a column {taken[0]!r}, which results are called.", "rename it")
    found = pl.DataFrame(columns).fill_nan(None)
    return labels.hstack(found) if labels.width else found


def _groups(rows: pl.DataFrame, names: list[str]) -> tuple[np.ndarray, pl.DataFrame]:
    """Code of each row's combination of values, and the combinations in order."""
    if not names:
        return np.zeros(rows.height, dtype=int), pl.DataFrame()
    labels = rows.select(names).unique(maintain_order=True).sort(names)
    coded = labels.with_columns(pl.int_range(pl.len()).alias("outcomes_code"))
    found = rows.select(names).join(coded, on=names, how="left", maintain_order="left", nulls_equal=True)
    return found["outcomes_code"].to_numpy(), labels
