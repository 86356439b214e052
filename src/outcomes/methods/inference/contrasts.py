"""Estimates with their intervals, linear contrasts, the delta method and Wald tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from outcomes.errors import UsageError

COMPLEX_STEP = 1e-30
"""Step of the complex-step derivative; it has no subtraction, so it can be far below rounding error."""


@dataclass(frozen=True)
class Estimate:
    """A quantity with its standard error, interval and two-sided p-value against zero.

    Attributes
    ----------
    value, std_error : float
        In the unit of the quantity; NaN where it does not exist.
    conf_low, conf_high : float
        Interval of coverage `level`.
    p_value : float
    level : float
        Coverage in (0, 1).
    df : float
        Degrees of freedom of the reference t; infinite for the normal.
    """

    value: float
    std_error: float
    conf_low: float
    conf_high: float
    p_value: float
    level: float
    df: float


@dataclass(frozen=True)
class WaldTest:
    """A joint test of linear restrictions.

    Attributes
    ----------
    statistic : float
        Chi-square where `df_den` is infinite, else F (chi-square / df_num).
    df_num, df_den : float
    p_value : float
    """

    statistic: float
    df_num: float
    df_den: float
    p_value: float


def check_level(level: float) -> float:
    """Give the level back, or refuse one outside (0, 1)."""
    if not 0 < level < 1:
        raise UsageError(f"The confidence level is {level}; it must lie between 0 and 1.", hint="0.95")
    return level


def check_covariance(covariance: ArrayLike, size: int) -> np.ndarray:
    """Give the covariance of `size` coefficients as a float array, or refuse one that cannot be a covariance.

    Raises
    ------
    UsageError
        If it is not square of that size, not finite, not symmetric, or has a negative variance.
    """
    covariance = np.asarray(covariance, dtype=float)
    if covariance.shape != (size, size):
        raise UsageError(f"The covariance has shape {covariance.shape}; {size} coefficients need ({size}, {size}).")
    if not np.isfinite(covariance).all():
        raise UsageError("The covariance has entries that are not finite.", hint="drop aliased terms from the model")
    scale = np.abs(covariance).max()
    if np.abs(covariance - covariance.T).max() > 1e-8 * scale or (np.diag(covariance) < 0).any():
        raise UsageError("The covariance is not symmetric or has a negative variance.")
    return covariance


def check_coefficients(beta: ArrayLike, size: int) -> np.ndarray:
    """Give `size` coefficients as a float array, or refuse another number of them or missing ones."""
    beta = np.asarray(beta, dtype=float)
    if beta.shape != (size,):
        raise UsageError(f"{size} coefficients are needed; an array of shape {beta.shape} was given.")
    if not np.isfinite(beta).all():
        raise UsageError(f"{int((~np.isfinite(beta)).sum())} of {size} coefficients are missing or not finite.")
    return beta


def critical_value(level: float, df: float = np.inf) -> float:
    """Two-sided critical value of t (normal where df is infinite)."""
    return float(scipy.stats.t.ppf((1 + check_level(level)) / 2, df))


def estimate(value: float, variance: float, level: float = 0.95, df: float = np.inf) -> Estimate:
    """Build an estimate with its t interval from a value and its sampling variance."""
    std_error = float(np.sqrt(max(variance, 0.0)))  # a quadratic form may round to just below zero
    half = critical_value(level, df) * std_error
    p_value = float(2 * scipy.stats.t.sf(abs(value) / std_error, df)) if std_error > 0 else float("nan")
    return Estimate(float(value), std_error, float(value - half), float(value + half), p_value, level, float(df))


def linear_estimate(
    weights: ArrayLike, beta: ArrayLike, covariance: ArrayLike, level: float = 0.95, df: float = np.inf
) -> Estimate:
    """Estimate w'b with variance w'Vw.

    Parameters
    ----------
    weights, beta : array_like, shape (p,)
    covariance : array_like, shape (p, p)
    level : float
    df : float
    """
    beta = np.asarray(beta, dtype=float)
    weights = np.asarray(weights, dtype=float)
    covariance = check_covariance(covariance, beta.size)
    return estimate(weights @ beta, weights @ covariance @ weights, level, df)


def delta_estimate(
    function: Callable[[np.ndarray], complex],
    beta: ArrayLike,
    covariance: ArrayLike,
    level: float = 0.95,
    df: float = np.inf,
) -> Estimate:
    """Estimate g(b) with variance g'Vg, g the gradient at b (first-order delta method).

    The gradient is a complex-step derivative, exact to rounding for analytic g (Squire & Trapp 1998, doi
    10.1137/S003614459631241X), so `function` must accept complex numbers.

    Examples
    --------
    >>> round(delta_estimate(lambda b: b[0] * b[1], [2.0, 3.0], [[0.01, 0], [0, 0.04]]).std_error, 6)
    0.5
    """
    beta = np.asarray(beta, dtype=float)
    covariance = check_covariance(covariance, beta.size)
    steps = beta.astype(complex) + 1j * COMPLEX_STEP * np.eye(beta.size)
    gradient = np.array([function(step).imag for step in steps]) / COMPLEX_STEP
    return estimate(float(np.real(function(beta.astype(complex)))), gradient @ covariance @ gradient, level, df)


def wald_test(
    restrictions: ArrayLike, beta: ArrayLike, covariance: ArrayLike, null: ArrayLike = 0.0, df_den: float = np.inf
) -> WaldTest:
    """Test L b = null jointly: W = (Lb - null)' (L V L')^-1 (Lb - null).

    Parameters
    ----------
    restrictions : array_like, shape (q, p)
        L, of full row rank.
    beta : array_like, shape (p,)
    covariance : array_like, shape (p, p)
    null : array_like, shape (q,)
    df_den : float
        Denominator degrees of freedom; infinite gives the chi-square test.

    Raises
    ------
    UsageError
        If the restrictions are redundant or the covariance is singular along them.
    """
    beta = np.asarray(beta, dtype=float)
    covariance = check_covariance(covariance, beta.size)
    restrictions = np.atleast_2d(np.asarray(restrictions, dtype=float))
    distance = restrictions @ beta - null
    middle = restrictions @ covariance @ restrictions.T
    q = restrictions.shape[0]
    if np.linalg.matrix_rank(middle) < q:
        raise UsageError(f"The {q} restrictions are not independent under this covariance.", hint="test fewer of them")
    chi_square = float(distance @ np.linalg.solve(middle, distance))
    if np.isinf(df_den):
        return WaldTest(chi_square, float(q), float("inf"), float(scipy.stats.chi2.sf(chi_square, q)))
    return WaldTest(chi_square / q, float(q), float(df_den), float(scipy.stats.f.sf(chi_square / q, q, df_den)))
