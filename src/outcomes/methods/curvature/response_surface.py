"""The response surface of fit to preference: z = b0 + b1 x + b2 y + b3 x^2 + b4 xy + b5 y^2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from outcomes.errors import UsageError
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


class FixedEffects(Protocol):
    """A fit with named coefficients, of this package or of statsmodels."""

    params: pd.Series

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients."""
        ...


def response_surface(
    fit: FixedEffects, x: str = "", y: str = "", level: float = 0.95, df: float | None = None
) -> ResponseSurface:
    """Derive the surface's parameters from a fit, whose terms are found by their names.

    Parameters
    ----------
    fit : LinearFit, BinomialFit or a statsmodels result
        With the terms ``x + y + I(x**2) + x:y + I(y**2)`` (in any order and spelling) among its fixed effects.
    x, y : str
        The column of the experienced and of the preferred level, on the same metric and centre.
    level : float
    df : float, optional
        Degrees of freedom of the intervals; default the smallest of the five terms' own, or the fit's residual ones.

    Raises
    ------
    UsageError
        Coefficients instead of a fit (their order is not known: a fit moves the product last), or a term is missing.
    """
    if not hasattr(fit, "cov_params") or not isinstance(getattr(fit, "params", None), pd.Series):
        raise UsageError(
            "response_surface takes a fit and two column names; of bare coefficients nobody knows the order.",
            "response_surface(fit, 'guidance', 'preference'), or surface_of_coefficients([b_x, b_y, b_x2, b_xy, b_y2], "
            "covariance)",
        )
    if not (isinstance(x, str) and isinstance(y, str) and x and y):
        raise UsageError(
            "A response surface needs two column names.", "response_surface(fit, 'guidance', 'preference')"
        )
    found = {_plain(str(name)): str(name) for name in fit.params.index}
    wanted = [
        [x],
        [y],
        [f"I({x}**2)", f"{x}**2", f"power({x},2)", f"square({x})", f"{x}:{x}"],
        [f"{x}:{y}", f"{y}:{x}", f"I({x}*{y})", f"I({y}*{x})"],
        [f"I({y}**2)", f"{y}**2", f"power({y},2)", f"square({y})", f"{y}:{y}"],
    ]
    names = [next((found[_plain(one)] for one in spellings if _plain(one) in found), None) for spellings in wanted]
    if None in names:
        lacking = [spellings[0] for spellings, name in zip(wanted, names, strict=True) if name is None]
        raise UsageError(
            f"The fit lacks the terms {', '.join(lacking)} of a response surface.",
            f"fit `{x} + {y} + I({x}**2) + {x}:{y} + I({y}**2)`, both columns on one metric and centre",
        )
    if df is None:
        own = getattr(fit, "df_denom", None)
        df = float(min(own[names])) if own is not None else float(getattr(fit, "df_resid", np.inf))
    beta = fit.params[names].to_numpy(dtype=float)
    return surface_of_coefficients(beta, fit.cov_params().loc[names, names].to_numpy(dtype=float), level, df)


def _plain(name: str) -> str:
    """A term without blanks, R's ^ as ** and numpy's prefix left out."""
    return name.replace(" ", "").replace("^", "**").replace("np.", "").replace("`", "")


def surface_of_coefficients(
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
    >>> surface = surface_of_coefficients([0.3, 0.1, -0.2, 0.25, -0.15], np.eye(5) * 1e-4)
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
