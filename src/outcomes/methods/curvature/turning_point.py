"""Where a quadratic turns: x0 = -b1 / (2 b2), with delta and Fieller intervals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import (
    Estimate,
    check_coefficients,
    check_covariance,
    critical_value,
    delta_estimate,
)


class TurningKind(StrEnum):
    """Whether the curve is highest or lowest at its turning point."""

    MAXIMUM = "maximum"
    MINIMUM = "minimum"


class FiellerState(StrEnum):
    """Whether the data bound the turning point on both sides."""

    FINITE = "finite"
    NO_FINITE_INTERVAL = "no finite interval"


@dataclass(frozen=True)
class FiellerInterval:
    """The set of turning points that the data do not reject; bounds are NaN where it is not a finite interval."""

    state: FiellerState
    conf_low: float
    conf_high: float


@dataclass(frozen=True)
class TurningPoint:
    """The turning point of y = b0 + b1 x + b2 x^2.

    Attributes
    ----------
    kind : TurningKind
    delta : Estimate
        x0 with its symmetric delta-method interval, in the unit of x (same centre as the fit).
    fieller : FiellerInterval
        The interval to believe: it does not assume that x0 is normal.
    """

    kind: TurningKind
    delta: Estimate
    fieller: FiellerInterval


def fieller_interval(
    b1: float, b2: float, covariance: ArrayLike, level: float = 0.95, df: float = np.inf
) -> FiellerInterval:
    """Invert the test of b1 + 2 b2 x = 0 in x (Fieller 1954, doi 10.1111/j.2517-6161.1954.tb00159.x).

    Solves A x^2 + B x + C <= 0 with A = 4 (b2^2 - t^2 V22), B = 4 (b1 b2 - t^2 V12), C = b1^2 - t^2 V11. Where A <= 0
    (the curvature itself is not significant) the set is unbounded: *no finite interval*.
    """
    b1, b2 = check_coefficients([b1, b2], 2)
    covariance = check_covariance(covariance, 2)
    t2 = critical_value(level, df) ** 2
    a = 4 * (b2**2 - t2 * covariance[1, 1])
    b = 4 * (b1 * b2 - t2 * covariance[0, 1])
    c = b1**2 - t2 * covariance[0, 0]
    if a <= 0:
        return FiellerInterval(FiellerState.NO_FINITE_INTERVAL, float("nan"), float("nan"))
    # x0 itself satisfies the inequality, so with a > 0 the discriminant cannot be negative but by rounding.
    root = np.sqrt(max(b**2 - 4 * a * c, 0.0))
    return FiellerInterval(FiellerState.FINITE, float((-b - root) / (2 * a)), float((-b + root) / (2 * a)))


def turning_point(b1: float, b2: float, covariance: ArrayLike, level: float = 0.95, df: float = np.inf) -> TurningPoint:
    """Locate the turning point of a fitted quadratic.

    Parameters
    ----------
    b1, b2 : float
        Coefficients of x and x^2.
    covariance : array_like, shape (2, 2)
        Sampling covariance of (b1, b2).
    level : float
        Coverage in (0, 1).
    df : float
        Degrees of freedom; infinite for z.

    Raises
    ------
    FitRefused
        If b2 is zero: a straight line does not turn.

    Examples
    --------
    >>> point = turning_point(0.4, -0.1, [[0.0049, -0.0007], [-0.0007, 0.0004]])
    >>> round(point.delta.value, 4), round(point.fieller.conf_low, 4), round(point.fieller.conf_high, 4)
    (2.0, 1.3745, 3.034)
    """
    if b2 == 0:
        raise FitRefused("The curve has no curvature, so it has no turning point.", hint="report the linear slope")
    return TurningPoint(
        kind=TurningKind.MAXIMUM if b2 < 0 else TurningKind.MINIMUM,
        delta=delta_estimate(lambda b: -b[0] / (2 * b[1]), [b1, b2], covariance, level, df),
        fieller=fieller_interval(b1, b2, covariance, level, df),
    )
