"""A natural cubic spline of one predictor, and where its slope differs from zero at all points at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.inference.contrasts import check_covariance, check_level
from outcomes.methods.inference.robust_ols import robust_ols

KNOT_QUANTILES = (0.0, 0.275, 0.5, 0.725, 1.0)
"""Five knots, the inner three as in Harrell 2015 (doi 10.1007/978-3-319-19425-7, table 2.3); the ends hold the data."""


@dataclass(frozen=True)
class SplineFit:
    """A fitted natural spline. Its coefficients are the curve's values at the knots.

    Attributes
    ----------
    knots : ndarray, shape (k,)
    beta : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
    """

    knots: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray

    def curve(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Value and standard error of the curve at x, both of the shape of x."""
        return self._at(natural_basis(self.knots)(self._inside(x)))

    def slope(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Slope (outcome units per unit of x) and its standard error at x."""
        return self._at(self.slope_rows(x))

    def slope_rows(self, x: ArrayLike) -> np.ndarray:
        """Rows L with slope(x) = L beta, shape (m, k)."""
        return natural_basis(self.knots).derivative()(self._inside(x))

    def _inside(self, x: ArrayLike) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        if ((x < self.knots[0]) | (x > self.knots[-1])).any():
            raise UsageError("The curve was asked for outside the data.", hint="stay between the first and last knot")
        return x

    def _at(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rows @ self.beta, np.sqrt(np.einsum("...j,jk,...k->...", rows, self.covariance, rows))


@dataclass(frozen=True)
class SlopeBand:
    """The slope of a spline with a band that covers the whole curve at once.

    Attributes
    ----------
    x, slope, std_error, conf_low, conf_high : ndarray, shape (m,)
    critical_value : float
        Multiplier of the standard error; larger than the pointwise 1.96.
    level : float
    """

    x: np.ndarray
    slope: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    critical_value: float
    level: float

    @property
    def sign(self) -> np.ndarray:
        """+1 or -1 where the slope differs from zero, 0 where the band holds zero; shape (m,)."""
        return (self.conf_low > 0).astype(int) - (self.conf_high < 0).astype(int)


def natural_basis(knots: ArrayLike) -> CubicSpline:
    """Cardinal basis of the natural cubic splines on the knots: column j is 1 at knot j and 0 at the others."""
    knots = np.asarray(knots, dtype=float)
    return CubicSpline(knots, np.eye(knots.size), bc_type="natural")


def fit_spline(
    outcome: ArrayLike, x: ArrayLike, *, covariates: ArrayLike | None = None, clusters: ArrayLike | None = None
) -> SplineFit:
    """Fit y = s(x) + covariates by OLS with robust standard errors.

    Parameters
    ----------
    outcome, x : array_like, shape (n,)
        No missing values.
    covariates : array_like, shape (n, k), optional
        Centred before the fit, so that the curve is at their means.
    clusters : array_like, shape (n,), optional
        Client of each row; the standard errors are then robust to dependence within clients.

    Raises
    ------
    FitRefused
        If x has fewer than four distinct values: there is no curve to see.
    """
    outcome, x = np.asarray(outcome, dtype=float), np.asarray(x, dtype=float)
    knots = np.unique(np.quantile(x, KNOT_QUANTILES))
    if np.unique(x).size < 4 or knots.size < 3:
        raise FitRefused(
            f"The predictor has {np.unique(x).size} distinct values; a curve needs at least four, well spread.",
            hint="use the quadratic, or a scale with more steps",
        )
    design = natural_basis(knots)(x)
    if covariates is not None:
        covariates = np.asarray(covariates, dtype=float)
        design = np.column_stack([design, covariates - covariates.mean(axis=0)])
    fit = robust_ols(outcome, design, None if clusters is None else np.asarray(clusters))
    k = knots.size
    return SplineFit(knots, fit.beta[:k], fit.covariance[:k, :k])


def slope_band(
    spline: SplineFit, x: ArrayLike, rng: np.random.Generator, *, level: float = 0.95, n_draws: int = 10_000
) -> SlopeBand:
    """Band on the slope of a spline that holds at all x at once.

    The critical value is the `level` quantile of max_x |u'(x) d| / se(x), d ~ N(0, V) (Ruppert, Wand & Carroll 2003,
    section 6.5, doi 10.1017/CBO9780511755453).

    Parameters
    ----------
    spline : SplineFit
    x : array_like, shape (m,)
        Points of the band, within the knots.
    rng : numpy.random.Generator
    level : float
    n_draws : int
    """
    check_level(level)
    x = np.asarray(x, dtype=float)
    rows = spline.slope_rows(x)
    slope, std_error = spline.slope(x)
    covariance = check_covariance(spline.covariance, spline.knots.size)
    draws = rng.multivariate_normal(np.zeros(spline.knots.size), covariance, size=n_draws, method="eigh")
    largest = np.max(np.abs(draws @ rows.T) / std_error, axis=1)
    critical = float(np.quantile(largest, level))
    half = critical * std_error
    return SlopeBand(x, slope, std_error, slope - half, slope + half, critical, level)
