"""What each verdict says about the coefficients of one quadratic model of guidance and preference.

With d = w + m (this session's guidance = the client's usual level m + the departure w from it) and the preference p,
all on one metric and centre, every verdict is a set of linear restrictions on the nine coefficients of
w, m, p, w^2, w m, m^2, w p, m p, p^2: one best level is -c (d - k)^2, fit is -c (d - p)^2, an optimum relative to what
the client is used to is -c w^2. So one fit gives the evidence for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from outcomes.methods.inference.contrasts import check_coefficients, check_covariance

TERMS = ("w", "m", "p", "w2", "wm", "m2", "wp", "mp", "p2")
WITH_GUIDANCE = tuple(term for term in TERMS if term not in ("p", "p2"))
"""Terms with guidance in them: without any of these guidance has no effect, whatever the preference does."""

_SQUARED_LEVEL = {"w2": 1, "wm": 2, "m2": 1}
_SQUARED_MISFIT = {**_SQUARED_LEVEL, "wp": -2, "mp": -2, "p2": 1}
_PREFERENCE = ({"p": 1}, {"p2": 1})


class CurveForm(StrEnum):
    """Restricted forms of the quadratic model."""

    NONE = "none"
    STRAIGHT = "straight"
    BEST_LEVEL = "best_level"
    RELATIVE = "relative"
    FIT = "fit"
    FIT_PLUS_MAIN = "fit_plus_main"


Parameters = tuple[Mapping[str, int], ...]
"""Free parameters of a restricted form, each as the coefficients that it moves together and by how much."""

PARAMETERS: dict[CurveForm, Parameters] = {
    CurveForm.NONE: _PREFERENCE,
    CurveForm.STRAIGHT: ({"w": 1}, {"m": 1}, *_PREFERENCE),
    CurveForm.BEST_LEVEL: ({"w": 1, "m": 1}, _SQUARED_LEVEL, *_PREFERENCE),
    CurveForm.RELATIVE: ({"w": 1}, {"w2": 1}, {"m": 1}, *_PREFERENCE),
    CurveForm.FIT: (_SQUARED_MISFIT,),
    CurveForm.FIT_PLUS_MAIN: ({"w": 1}, _SQUARED_MISFIT, {"m": 1}, {"p": 1}),
}
"""Free parameters of each structure. The preference may always have an effect of its own, except in pure fit, where
nothing but the distance counts."""

MISFIT_PARABOLA = ({"w": 1, "m": 1}, _SQUARED_MISFIT, {"p": 1})
"""b1 (d - p) + b2 (d - p)^2 beside the preference: where the best distance from the preference lies."""

SURFACE = ({"w": 1, "m": 1}, {"p": 1}, _SQUARED_LEVEL, {"wp": 1, "mp": 1}, {"p2": 1})
"""The response surface of d and p: x, y, x^2, x y, y^2."""


@dataclass(frozen=True)
class Projection:
    """The restricted estimate that is nearest to the free one.

    Attributes
    ----------
    theta : ndarray, shape (k,)
        Free parameters, in the order given.
    covariance : ndarray, shape (k, k)
    distance : float
        (b - L theta)' V^-1 (b - L theta): chi-square on p - k degrees of freedom where the restriction is true; it is
        asymptotically the likelihood-ratio statistic of the two models.
    """

    theta: np.ndarray
    covariance: np.ndarray
    distance: float


def available(parameters: Parameters, terms: tuple[str, ...]) -> Parameters:
    """The parameters that move any of a model's terms."""
    return tuple(parameter for parameter in parameters if set(parameter) & set(terms))


def project(terms: tuple[str, ...], beta: np.ndarray, covariance: np.ndarray, parameters: Parameters) -> Projection:
    """Estimate a restricted model from the free one by minimum distance (Ferguson 1958, doi 10.1214/aoms/1177706433).

    Parameters
    ----------
    terms : tuple of str
        Which of `TERMS` the model has, in the order of its coefficients; parameters that move none of them are left
        out.
    beta : array, shape (p,)
    covariance : array, shape (p, p)
    parameters : tuple of mapping
        As in `PARAMETERS`.
    """
    beta = check_coefficients(beta, len(terms))
    precision = np.linalg.inv(check_covariance(covariance, len(terms)))
    moved = available(parameters, terms)
    L = np.array([[parameter.get(term, 0) for parameter in moved] for term in terms], dtype=float)
    spread = np.linalg.inv(L.T @ precision @ L)
    theta = spread @ (L.T @ precision @ beta)
    left = beta - L @ theta
    return Projection(theta, spread, float(left @ precision @ left))
