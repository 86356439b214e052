"""The response surface of fit to preference: z = b0 + b1 x + b2 y + b3 x^2 + b4 xy + b5 y^2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.methods.inference.contrasts import (
    Estimate,
    check_coefficients,
    check_covariance,
    delta_estimate,
    linear_estimate,
)

TERMS = ("x", "y", "x2", "xy", "y2")
"""Order of the coefficients b1..b5; x is the experienced, y the preferred level, on the same metric and centre."""

LINEAR = {
    "a1": (1, 1, 0, 0, 0),
    "a2": (0, 0, 1, 1, 1),
    "a3": (1, -1, 0, 0, 0),
    "a4": (0, 0, 1, -1, 1),
    "a5": (0, 0, 1, 0, -1),
}
"""Weights of b1..b5 in slope and curvature along the lines of congruence (a1, a2) and incongruence (a3, a4), and a5."""


@dataclass(frozen=True)
class ResponseSurface:
    """Parameters of a quadratic surface, each with its delta-method interval.

    Attributes
    ----------
    a1, a2 : Estimate
        Slope and curvature at the origin along the line of congruence, y = x.
    a3, a4 : Estimate
        Slope and curvature along the line of incongruence, y = -x.
    a5 : Estimate
        b3 - b5; zero where the ridge is parallel to the line of congruence.
    x0, y0 : Estimate or None
        Stationary point; None where the surface has none (4 b3 b5 = b4^2).
    p10, p11 : Estimate or None
        First principal axis, y = p10 + p11 x; None where b4 = 0 or there is no stationary point.
    p20, p21 : Estimate or None
        Second principal axis.
    eigenvalue_1, eigenvalue_2 : Estimate or None
        Curvatures along the first and second axis (half the second derivatives); None where they coincide.
    """

    a1: Estimate
    a2: Estimate
    a3: Estimate
    a4: Estimate
    a5: Estimate
    x0: Estimate | None
    y0: Estimate | None
    p10: Estimate | None
    p11: Estimate | None
    p20: Estimate | None
    p21: Estimate | None
    eigenvalue_1: Estimate | None
    eigenvalue_2: Estimate | None


def response_surface(
    beta: ArrayLike, covariance: ArrayLike, level: float = 0.95, df: float = np.inf
) -> ResponseSurface:
    """Derive the surface's parameters from any model's coefficients and their covariance.

    a1 = b1+b2, a2 = b3+b4+b5, a3 = b1-b2, a4 = b3-b4+b5, a5 = b3-b5; X0 = (b2 b4 - 2 b1 b5) / (4 b3 b5 - b4^2),
    Y0 = (b1 b4 - 2 b2 b3) / (4 b3 b5 - b4^2); p11 = (b5 - b3 + sqrt((b3-b5)^2 + b4^2)) / b4, p10 = Y0 - p11 X0
    (Edwards & Parry 1993, doi 10.2307/256822). With the fixed effects of a mixed model these are the multilevel surface
    of Nestler, Humberg & Schonbrodt 2019 (doi 10.1037/met0000199).

    Parameters
    ----------
    beta : array_like, shape (5,)
        b1..b5 in the order of `TERMS`.
    covariance : array_like, shape (5, 5)
        Classical, robust or multilevel.
    level : float
    df : float

    Raises
    ------
    UsageError
        If there are not five finite coefficients (b0 left out) or the covariance does not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> surface = response_surface([0.3, 0.1, -0.2, 0.25, -0.15], np.eye(5) * 1e-4)
    >>> round(surface.a4.value, 3), round(surface.x0.value, 3), round(surface.p11.value, 6)
    (-0.6, 2.0, 1.219804)
    """
    beta = check_coefficients(beta, len(TERMS))
    covariance = check_covariance(covariance, len(TERMS))

    def derived(function: Callable[[np.ndarray], complex], exists: bool) -> Estimate | None:
        return delta_estimate(function, beta, covariance, level, df) if exists else None

    has_point = bool(_determinant(beta) != 0)
    has_axes = bool(has_point and beta[3] != 0)
    has_eigenvalues = bool(_spread(beta) != 0)
    return ResponseSurface(
        **{name: linear_estimate(weights, beta, covariance, level, df) for name, weights in LINEAR.items()},
        x0=derived(_x0, has_point),
        y0=derived(_y0, has_point),
        p10=derived(lambda b: _y0(b) - _p11(b) * _x0(b), has_axes),
        p11=derived(_p11, has_axes),
        p20=derived(lambda b: _y0(b) - _p21(b) * _x0(b), has_axes),
        p21=derived(_p21, has_axes),
        eigenvalue_1=derived(lambda b: (b[2] + b[4] + _spread(b)) / 2, has_eigenvalues),
        eigenvalue_2=derived(lambda b: (b[2] + b[4] - _spread(b)) / 2, has_eigenvalues),
    )


def _determinant(b):
    return 4 * b[2] * b[4] - b[3] ** 2


def _spread(b):
    return np.sqrt((b[2] - b[4]) ** 2 + b[3] ** 2)


def _x0(b):
    return (b[1] * b[3] - 2 * b[0] * b[4]) / _determinant(b)


def _y0(b):
    return (b[0] * b[3] - 2 * b[1] * b[2]) / _determinant(b)


def _p11(b):
    return (b[4] - b[2] + _spread(b)) / b[3]


def _p21(b):
    return (b[4] - b[2] - _spread(b)) / b[3]
