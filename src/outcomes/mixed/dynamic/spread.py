"""How far clients, therapists and sessions differ: standard deviations and correlations with intervals."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError

WIDEST_LOG_SD = 10.0
"""Half width of a log standard deviation's interval above which the data say nothing by Wald's method."""


class Spread(Protocol):
    """What the spread of a dynamic fit is read from; see `DynamicFit` for the meaning."""

    names: tuple[str, ...]
    parameters: np.ndarray
    parameter_cov: np.ndarray
    n_groups: dict[str, int]
    guidance: str
    satisfaction: str


Row = tuple[str, str, float | None, float | None, float | None, float | None]


def spread(fit: Spread, level: float = 0.95) -> pl.DataFrame:
    """Standard deviations and correlations of intercepts and sessions.

    Returns
    -------
    polars.DataFrame
        group, name, estimate, std_error, conf_low, conf_high. Intervals are Wald's on the log scale (Fisher's z for
        correlations); missing where a component is estimated as zero, or nearly.
    """
    k = len(fit.names)
    rows: list[Row] = []
    for i, group in enumerate(("first session", "session")):
        for name, place in ((fit.guidance, k + 2 * i), (fit.satisfaction, k + 2 * i + 1)):
            error = float(np.sqrt(fit.parameter_cov[place, place]))
            rows.append(_sd_row(group, name, float(np.exp(fit.parameters[place])), error, level))
    for i, group in enumerate(fit.n_groups):
        rows += _factor_rows(fit, group, k + 4 + 3 * i, level)
    names = ("estimate", "std_error", "conf_low", "conf_high")
    schema = {"group": pl.String, "name": pl.String} | dict.fromkeys(names, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def normal_quantile(level: float) -> float:
    """Normal quantile of a two-sided interval."""
    if not 0 < level < 1:
        raise UsageError(f"The level of an interval lies between 0 and 1, not at {level}.")
    return float(scipy.stats.norm.ppf(0.5 + level / 2))


def _factor_rows(fit: Spread, group: str, first: int, level: float) -> list[Row]:
    """Rows of two intercepts' standard deviations and of their correlation."""
    l11, l21, l22 = fit.parameters[first : first + 3]
    cov = fit.parameter_cov[first : first + 3, first : first + 3]
    sds = abs(float(l11)), float(np.hypot(l21, l22))
    if min(sds) == 0.0:
        rows = [
            _sd_row(group, name, sd, np.nan, level)
            for name, sd in zip((fit.guidance, fit.satisfaction), sds, strict=True)
        ]
        return [*rows, (group, "correlation", None, None, None, None)]
    gradients = np.array([1 / l11, 0, 0]), np.array([0, l21, l22]) / sds[1] ** 2
    rows = [
        _sd_row(group, name, sd, float(np.sqrt(gradient @ cov @ gradient)), level)
        for name, sd, gradient in zip((fit.guidance, fit.satisfaction), sds, gradients, strict=True)
    ]
    rho = float(np.sign(l11) * l21 / sds[1])
    gradient = np.sign(l11) * np.array([0, l22**2, -l21 * l22]) / sds[1] ** 3
    error = float(np.sqrt(gradient @ cov @ gradient))
    if not np.isfinite(error) or 1 - rho**2 < 1e-6:
        return [*rows, (group, "correlation", rho, None, None, None)]
    half = normal_quantile(level) * error / (1 - rho**2)
    low, high = np.tanh(np.arctanh(rho) + np.array([-half, half]))
    return [*rows, (group, "correlation", rho, error, float(low), float(high))]


def _sd_row(group: str, name: str, sd: float, log_error: float, level: float) -> Row:
    """A standard deviation's row, from the standard error of its logarithm."""
    half = normal_quantile(level) * log_error
    if not np.isfinite(half) or half > WIDEST_LOG_SD:
        return group, name, sd, None, None, None
    return group, name, sd, sd * log_error, sd * float(np.exp(-half)), sd * float(np.exp(half))
