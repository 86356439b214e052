"""For whom: simple slopes of guidance over a moderator, and the Johnson-Neyman region."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError
from outcomes.methods.inference.contrasts import (
    Estimate,
    check_coefficients,
    check_covariance,
    critical_value,
    linear_estimate,
)


class RegionState(StrEnum):
    """Where on the moderator's line the slope differs from zero."""

    EVERYWHERE = "everywhere"
    NOWHERE = "nowhere"
    INSIDE = "between the bounds"
    OUTSIDE = "outside the bounds"


@dataclass(frozen=True)
class JohnsonNeyman:
    """The region of significance of a slope.

    Attributes
    ----------
    state : RegionState
    bound_low, bound_high : float
        Moderator values at which the slope's interval touches zero; NaN for EVERYWHERE and NOWHERE.
    share_significant : float
        Share (0-1) of the observed moderator values in the region; the region outside the data means nothing.
    level : float
    """

    state: RegionState
    bound_low: float
    bound_high: float
    share_significant: float
    level: float


def simple_slopes(
    beta: ArrayLike, covariance: ArrayLike, moderator: ArrayLike, level: float = 0.95, df: float = np.inf
) -> tuple[Estimate, ...]:
    """Slope b1 + b3 m at each moderator value (Aiken & West 1991).

    Parameters
    ----------
    beta : array_like, shape (2,)
        (b1, b3) of y ~ b1 d + b2 m + b3 d:m.
    covariance : array_like, shape (2, 2)
    moderator : array_like, shape (k,)
        Usually -1, 0 and +1 SD around the centre of the fit.
    """
    return tuple(linear_estimate([1.0, m], beta, covariance, level, df) for m in np.asarray(moderator, dtype=float))


def johnson_neyman(
    beta: ArrayLike, covariance: ArrayLike, observed: ArrayLike, level: float = 0.95, df: float = np.inf
) -> JohnsonNeyman:
    """Find the moderator values at which the slope differs from zero.

    Solves (b1 + b3 m)^2 = t^2 (V11 + 2 m V13 + m^2 V33) (Johnson & Neyman 1936; Bauer & Curran 2005, doi
    10.1207/s15327906mbr4003_5).

    Parameters
    ----------
    beta : array_like, shape (2,)
        (b1, b3).
    covariance : array_like, shape (2, 2)
    observed : array_like, shape (n,)
        Moderator values of the data, same centre as the fit; NaN is left out.
    level : float
    df : float

    Raises
    ------
    UsageError
        If no moderator value is observed.
    """
    b1, b3 = check_coefficients(beta, 2)
    covariance = check_covariance(covariance, 2)
    observed = np.asarray(observed, dtype=float)
    observed = observed[~np.isnan(observed)]
    if observed.size == 0:
        raise UsageError("The region needs the observed values of the moderator; there are none.")
    t2 = critical_value(level, df) ** 2
    a = b3**2 - t2 * covariance[1, 1]
    b = 2 * (b1 * b3 - t2 * covariance[0, 1])
    c = b1**2 - t2 * covariance[0, 0]
    significant = float(np.mean(a * observed**2 + b * observed + c > 0))
    discriminant = b**2 - 4 * a * c
    if a == 0 or discriminant <= 0:
        # Without two roots the sign is the same everywhere (a = 0 is a boundary case of measure zero).
        state = RegionState.EVERYWHERE if c > 0 else RegionState.NOWHERE
        return JohnsonNeyman(state, float("nan"), float("nan"), significant, level)
    low, high = sorted(((-b - np.sqrt(discriminant)) / (2 * a), (-b + np.sqrt(discriminant)) / (2 * a)))
    state = RegionState.OUTSIDE if a > 0 else RegionState.INSIDE
    return JohnsonNeyman(state, float(low), float(high), significant, level)
