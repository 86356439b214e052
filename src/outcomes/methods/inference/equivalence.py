"""Two one-sided tests: when "about zero" may be said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

from outcomes.errors import UsageError


class EquivalenceState(StrEnum):
    """What the data say about a difference from the target."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Equivalence:
    """Result of two one-sided tests.

    Attributes
    ----------
    state : EquivalenceState
        EQUIVALENT: both one-sided tests reject. DIFFERENT: not equivalent and the two-sided test against the target
        rejects. UNDECIDED: neither.
    p_low, p_high : float
        One-sided p of "below target - bound" and "above target + bound".
    p_value : float
        The larger of the two.
    conf_low, conf_high : float
        Interval of coverage 1 - 2 alpha; equivalence means that it lies within the bounds.
    """

    state: EquivalenceState
    p_low: float
    p_high: float
    p_value: float
    conf_low: float
    conf_high: float


def equivalence_test(
    value: float, std_error: float, bound: float, *, target: float = 0.0, alpha: float = 0.05, df: float = np.inf
) -> Equivalence:
    """Test |value - target| < bound (Schuirmann 1987, doi 10.1007/BF01068419).

    Parameters
    ----------
    value, std_error : float
    bound : float
        Half-width of the zone of "no difference that matters", in the unit of the value; declared before the data.
    target : float
    alpha : float
    df : float

    Raises
    ------
    UsageError
        If the bound or the standard error is not positive.
    """
    if not (bound > 0 and std_error > 0):
        raise UsageError("An equivalence test needs a positive bound and a positive standard error.")
    distance = value - target
    p_low = float(stats.t.sf((distance + bound) / std_error, df))
    p_high = float(stats.t.cdf((distance - bound) / std_error, df))
    half = stats.t.ppf(1 - alpha, df) * std_error
    if max(p_low, p_high) < alpha:
        state = EquivalenceState.EQUIVALENT
    elif 2 * stats.t.sf(abs(distance) / std_error, df) < alpha:
        state = EquivalenceState.DIFFERENT
    else:
        state = EquivalenceState.UNDECIDED
    return Equivalence(state, p_low, p_high, max(p_low, p_high), float(value - half), float(value + half))
