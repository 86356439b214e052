"""Fitted values and residuals on the rows of the fit's data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import polars as pl

from outcomes.errors import UsageError, no_such
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.data import NOT_WITH_IT, Source
from outcomes.mixed.design.expressions import as_number
from outcomes.mixed.design.levels import codes_of
from outcomes.mixed.design.new_data import NewRows, new_rows
from outcomes.mixed.results.modes import ConditionalModes, VarianceBlock


class Residual(StrEnum):
    """Kinds of residuals."""

    RESPONSE = "response"
    PEARSON = "pearson"
    STANDARDISED = "standardised"


class Fitted(Protocol):
    """What the verbs read of a fit; see `MixedFit` and `FittedModel` for the meaning."""

    formula: str
    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    variances: tuple[VarianceBlock, ...]
    n_groups: dict[str, int]
    status: str
    conditional: ConditionalModes

    @property
    def design(self) -> Design | None:
        """The formula's columns over the data."""
        ...

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Expected outcome at a linear predictor."""
        ...

    def variance_at(self, eta: np.ndarray) -> np.ndarray:
        """Variance of an outcome of weight 1 at a linear predictor, over the dispersion."""
        ...


@dataclass(frozen=True)
class FittedRows:
    """The rows of the fit's data in order, those that were left out included; arrays of shape (n,).

    eta, mean : linear predictor and expected outcome at the conditional modes; y, weights : outcome and weights (trials
    in the binomial model); is_used : whether the row took part; rows : the design's columns.
    """

    eta: np.ndarray
    mean: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    is_used: np.ndarray
    rows: NewRows


def design_of(fit: Fitted) -> Design:
    """The fit's design.

    Raises
    ------
    UsageError
        When another engine made the fit, or its data are not with it.
    """
    if fit.design is None:
        raise UsageError("This fit keeps no design.", 'fit with engine="outcomes"')
    return fit.design


def data_of(fit: Fitted) -> Source:
    """The data of the fit.

    Raises
    ------
    UsageError
        When they are not with it.
    """
    source = design_of(fit).source
    if source.relation is None:
        raise UsageError(NOT_WITH_IT, "give the data, or fit again")
    return source


def fitted_rows(fit: Fitted) -> FittedRows:
    """Evaluate a fit on its own data."""
    design, source = design_of(fit), data_of(fit)
    extra = {
        "y": as_number(design.factors[design.formula.outcome]).sql,
        "w": design.weights or "1.0::double",
        "used": f"case when {design.complete} then 1.0 else 0.0 end",
    }
    rows = new_rows(design, fit.names, source, extra=extra)
    is_used = rows.extra["used"] > 0
    eta = rows.X @ fit.beta + rows.offset + random_part(fit, rows)
    eta = np.where(is_used, eta, np.nan)
    return FittedRows(eta, fit.mean_of(eta), rows.extra["y"], rows.extra["w"], is_used, rows)


def random_part(fit: Fitted, rows: NewRows) -> np.ndarray:
    """Sum of the conditional modes' contributions by row; 0 for levels that the fit has not seen."""
    total = np.zeros(len(rows.X))
    for group in fit.n_groups:
        modes = fit.conditional.modes(group)
        code = codes_of(modes.labels, rows.labels[group])
        for k, name in enumerate(modes.names):
            total += np.where(code >= 0, modes.mode[np.maximum(code, 0), k], 0.0) * rows.Z[name]
    return total


def fitted_values(fit: Fitted) -> pl.Series:
    """Expected outcomes at the conditional modes (R's ``fitted``).

    Returns
    -------
    polars.Series
        One value per row of the fit's data, in order; missing for rows that were left out.
    """
    return pl.Series("fitted", fitted_rows(fit).mean).fill_nan(None)


def residuals(fit: Fitted, kind: str = Residual.RESPONSE) -> pl.Series:
    """Residuals at the conditional modes.

    Parameters
    ----------
    fit : MixedFit
    kind : {"response", "pearson", "standardised"}
        "response": outcome less fitted value. "pearson": times the root of the weight over the variance function (1 in
        the linear model, mean (1 - mean) in the binomial one, the mean for Poisson counts), as in lme4. Ordered
        categories count by their position. "standardised": that over sigma, so that
        most lie within 2.

    Returns
    -------
    polars.Series
        One value per row of the fit's data, in order; missing for rows that were left out.

    Raises
    ------
    UsageError
        Another kind, or a fit whose data are not with it.
    """
    kind = "standardised" if kind == "standardized" else kind
    if kind not in list(Residual):
        raise no_such("kind of residual", kind, Residual)
    found = fitted_rows(fit)
    values = found.y - found.mean
    if kind != Residual.RESPONSE:
        values = values * np.sqrt(found.weights / fit.variance_at(found.eta))
    if kind == Residual.STANDARDISED:
        values = values / getattr(fit, "sigma", 1.0)
    return pl.Series("residual", np.where(found.is_used, values, np.nan)).fill_nan(None)
