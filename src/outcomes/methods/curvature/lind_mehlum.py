"""The Lind-Mehlum test: does a quadratic rise at one end of the data and fall at the other?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.curvature.turning_point import TurningKind, turning_point
from outcomes.methods.inference.contrasts import check_covariance

END_PERCENTILES = (5.0, 95.0)
"""Where the two slopes are taken, percent of the data; the ends themselves rest on single sessions."""

MIN_SHARE_BEYOND = 0.10
"""Share of the data that must lie on each side of the turning point."""


@dataclass(frozen=True)
class LindMehlumTest:
    """Result of the Lind-Mehlum test. On its own it cannot establish a balance: it also rejects on y = log(x).

    Attributes
    ----------
    kind : TurningKind
        The shape under test, from the sign of the curvature.
    turning_point : float
    x_low, x_high : float
        Ends of the tested interval.
    slope_low, slope_high : float
        b1 + 2 b2 x there.
    t_low, t_high : float
    p_value : float
        Larger of the two one-sided p; at least 0.5 where the turning point is outside (x_low, x_high).
    share_below, share_above : float
        Share of the data (0-1) below and above the turning point.
    is_supported : bool
        p < alpha, the turning point inside the interval, and enough data on each side of it.
    """

    kind: TurningKind
    turning_point: float
    x_low: float
    x_high: float
    slope_low: float
    slope_high: float
    t_low: float
    t_high: float
    p_value: float
    share_below: float
    share_above: float
    is_supported: bool


def lind_mehlum_test(
    b1: float,
    b2: float,
    covariance: ArrayLike,
    x: ArrayLike,
    *,
    interval: tuple[float, float] | None = None,
    df: float = np.inf,
    alpha: float = 0.05,
) -> LindMehlumTest:
    """Test for a U or an inverted U (Lind & Mehlum 2010, doi 10.1111/j.1468-0084.2009.00569.x).

    Parameters
    ----------
    b1, b2 : float
        Coefficients of x and x^2.
    covariance : array_like, shape (2, 2)
    x : array_like, shape (n,)
        The observed predictor, in the unit and centre of the fit; NaN is left out.
    interval : tuple of float, optional
        Ends of the tested interval; the 5th and 95th percentile of x where not given.
    df : float
    alpha : float

    Raises
    ------
    FitRefused
        If b2 is zero or a slope has no variance.
    UsageError
        If no x is given or the interval is empty.
    """
    x = np.asarray(x, dtype=float)
    x = x[~np.isnan(x)]
    if x.size == 0:
        raise UsageError("The test needs the observed values of the predictor; there are none.")
    point = turning_point(b1, b2, covariance, df=df)
    low, high = interval if interval is not None else np.percentile(x, END_PERCENTILES)
    if not low < high:
        raise UsageError("The interval of the test is empty.", hint="the predictor needs more than one value")
    covariance = check_covariance(covariance, 2)
    weights = np.array([[1.0, 2.0 * low], [1.0, 2.0 * high]])
    slopes = weights @ [b1, b2]
    errors = np.sqrt(np.einsum("ij,jk,ik->i", weights, covariance, weights))
    if (errors == 0).any():
        raise FitRefused("A slope at the end of the data has no sampling variance.", hint="check the covariance")
    t_low, t_high = slopes / errors
    rise = 1.0 if point.kind is TurningKind.MAXIMUM else -1.0
    p_value = float(max(stats.t.sf(rise * t_low, df), stats.t.cdf(rise * t_high, df)))
    x0 = point.delta.value
    below, above = float(np.mean(x < x0)), float(np.mean(x > x0))
    return LindMehlumTest(
        kind=point.kind,
        turning_point=x0,
        x_low=float(low),
        x_high=float(high),
        slope_low=float(slopes[0]),
        slope_high=float(slopes[1]),
        t_low=float(t_low),
        t_high=float(t_high),
        p_value=p_value,
        share_below=below,
        share_above=above,
        is_supported=bool(p_value < alpha and low < x0 < high and min(below, above) >= MIN_SHARE_BEYOND),
    )
