"""Simonsohn's two-lines test of a U or an inverted U."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.curvature.spline import fit_spline
from outcomes.methods.curvature.turning_point import TurningKind
from outcomes.methods.inference.contrasts import Estimate, estimate
from outcomes.methods.inference.robust_ols import robust_ols

MIDDLE_QUANTILES = (0.1, 0.9)
"""The break is sought in the middle 80% of the predictor (Simonsohn 2018)."""


@dataclass(frozen=True)
class TwoLines:
    """Result of the two-lines test.

    Attributes
    ----------
    kind : TurningKind
        The shape under test (maximum: inverted U), from the quadratic's slope at the smallest x.
    break_point : float
        Where the lines part.
    flat_low, flat_high : float
        Range of x over which the spline is within one standard error of its peak (or trough).
    first, second : Estimate
        Slopes below and above the break.
    is_supported : bool
        Both slopes have the signs that `kind` asks for, and both have p < alpha.
    """

    kind: TurningKind
    break_point: float
    flat_low: float
    flat_high: float
    first: Estimate
    second: Estimate
    is_supported: bool


def two_lines_test(
    outcome: ArrayLike,
    x: ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    alpha: float = 0.05,
) -> TwoLines:
    """Test a U shape by two slopes around a data-driven break (Simonsohn 2018, doi 10.1177/2515245918805755).

    Spline fit; flat set = middle 80% of x within one standard error of the peak; interrupted regression at its median;
    break moved to the |z2| / (|z1| + |z2|) quantile of the flat set ("Robin Hood"); slopes from two regressions, so
    that rows on the break count in the line that is estimated. Unlike Simonsohn's code the spline has fixed knots
    (no penalty) and standard errors are cluster-robust where clusters are given (HC3 otherwise).

    Rows with a missing value in any of them are left out.

    Parameters
    ----------
    outcome, x : array_like, shape (n,)
    covariates : array_like, shape (n, k), optional
    clusters : array_like, shape (n,), optional
        Client of each row.
    alpha : float
        Level of the test, between 0 and 1.

    Raises
    ------
    FitRefused
        If x has too few distinct values for a curve or for a slope on each side of the break.
    """
    outcome, x, covariates, clusters = _complete(outcome, x, covariates, clusters)
    low, high = np.quantile(x, MIDDLE_QUANTILES)
    middle = x[(x > low) & (x < high)]
    if np.unique(middle).size < 2:
        raise FitRefused("The middle 80% of the predictor has fewer than two distinct values.", hint="a finer scale")
    kind = _shape(outcome, x, covariates)
    curve, std_error = fit_spline(outcome, x, covariates=covariates, clusters=clusters).curve(middle)
    sign = 1.0 if kind is TurningKind.MAXIMUM else -1.0
    flat = middle[sign * curve + std_error > np.max(sign * curve)]
    first, second = _interrupted(outcome, x, float(np.median(flat)), covariates, clusters)
    z1, z2 = abs(first.value / first.std_error), abs(second.value / second.std_error)
    break_point = float(np.quantile(flat, z2 / (z1 + z2)))
    first, second = _interrupted(outcome, x, break_point, covariates, clusters)
    return TwoLines(
        kind=kind,
        break_point=break_point,
        flat_low=float(flat.min()),
        flat_high=float(flat.max()),
        first=first,
        second=second,
        is_supported=bool(sign * first.value > 0 > sign * second.value and max(first.p_value, second.p_value) < alpha),
    )


def _complete(outcome, x, covariates, clusters):
    """The rows that miss nothing, as arrays."""
    outcome, x = np.asarray(outcome, dtype=float), np.asarray(x, dtype=float)
    if outcome.shape != x.shape or x.ndim != 1:
        raise UsageError(f"Outcome and predictor have shapes {outcome.shape} and {x.shape}; both must be (n,).")
    keep = ~(np.isnan(outcome) | np.isnan(x))
    if covariates is not None:
        covariates = np.asarray(covariates, dtype=float).reshape(x.size, -1)
        keep &= ~np.isnan(covariates).any(axis=1)
        covariates = covariates[keep]
    if clusters is not None:
        clusters = np.asarray(clusters)[keep]
    if not keep.any():
        raise UsageError("No row has both an outcome and a predictor.")
    return outcome[keep], x[keep], covariates, clusters


def _shape(outcome, x, covariates) -> TurningKind:
    """The shape to look for: inverted U where the quadratic rises at the smallest x."""
    centred = x - x.mean()
    design = _with(np.column_stack([np.ones_like(x), centred, centred**2]), covariates)
    beta = np.linalg.lstsq(design, outcome, rcond=None)[0]
    return TurningKind.MAXIMUM if beta[1] + 2 * beta[2] * centred.min() > 0 else TurningKind.MINIMUM


def _interrupted(outcome, x, break_point, covariates, clusters) -> tuple[Estimate, Estimate]:
    """Slopes below and above the break, each from the regression that counts the break's own rows in its line."""
    slopes = []
    for above, column in ((x > break_point, 1), (x >= break_point, 2)):
        if np.unique(x[above]).size < 2 or np.unique(x[~above]).size < 2:
            raise FitRefused("One side of the break has fewer than two distinct values.", hint="a finer scale")
        distance = x - break_point
        lines = [np.ones_like(x), np.where(above, 0.0, distance), np.where(above, distance, 0.0), above.astype(float)]
        fit = robust_ols(outcome, _with(np.column_stack(lines), covariates), clusters)
        slopes.append(estimate(fit.beta[column], fit.covariance[column, column], df=fit.df))
    return slopes[0], slopes[1]


def _with(design: np.ndarray, covariates: np.ndarray | None) -> np.ndarray:
    return design if covariates is None else np.column_stack([design, covariates])
