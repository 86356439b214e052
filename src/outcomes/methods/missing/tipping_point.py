"""Delta shift: how different would the missing ratings have to be to change the conclusion?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from outcomes.errors import UsageError


@dataclass(frozen=True)
class TippingPoint:
    """Shifts at which a conclusion flips, nearest to zero; NaN where none on the grid does.

    Attributes
    ----------
    sign : float
        Shift (outcome units) at which the estimate crosses zero.
    significance : float
        Shift at which the p-value crosses alpha, from either side.
    is_significant_unshifted : bool
        The conclusion at shift 0.
    delta_low, delta_high : float
        Range of shifts that was tried; say it beside "no tipping point".
    """

    sign: float
    significance: float
    is_significant_unshifted: bool
    delta_low: float
    delta_high: float


def shift_missing(values: ArrayLike, is_imputed: ArrayLike, delta: float) -> np.ndarray:
    """Add delta (outcome units) to the imputed ratings only; a copy, shape of `values`."""
    values = np.asarray(values, dtype=float)
    return np.where(np.asarray(is_imputed, dtype=bool), values + delta, values)


def tipping_point(
    deltas: ArrayLike, estimates: ArrayLike, std_errors: ArrayLike, *, alpha: float = 0.05, df: float = np.inf
) -> TippingPoint:
    """Find the shift nearest to zero at which the sign or the significance flips.

    Delta-adjusted pattern mixture (Cro et al. 2020, doi 10.1002/sim.8569; tipping point: Yan, Lee & Li 2009, doi
    10.1080/10543400903242795). Between two shifts of the grid the z statistic is taken as linear.

    Parameters
    ----------
    deltas : array_like, shape (k,)
        Shifts, increasing, with 0 among them.
    estimates, std_errors : array_like, shape (k,)
        Pooled estimate and its standard error at each shift.
    alpha : float
    df : float

    Raises
    ------
    UsageError
        If the shifts do not increase, lack 0, or a standard error is not positive.
    """
    deltas, estimates, errors = (np.asarray(v, dtype=float) for v in (deltas, estimates, std_errors))
    if deltas.ndim != 1 or deltas.shape != estimates.shape or deltas.shape != errors.shape:
        raise UsageError("Every shift needs one estimate and one standard error.")
    if deltas.size < 2 or not (np.diff(deltas) > 0).all() or 0 not in deltas:
        raise UsageError("The shifts must increase and hold 0.", hint="for example -2, -1, 0, 1, 2")
    if not (errors > 0).all():
        raise UsageError("Every standard error must be positive.")
    z = estimates / errors
    critical = float(stats.t.ppf(1 - alpha / 2, df))
    at_zero = z[deltas == 0][0]
    crossings = np.concatenate([_crossings(deltas, z, critical), _crossings(deltas, z, -critical)])
    return TippingPoint(
        sign=_nearest(_crossings(deltas, z, 0.0)),
        significance=_nearest(crossings),
        is_significant_unshifted=bool(abs(at_zero) > critical),
        delta_low=float(deltas[0]),
        delta_high=float(deltas[-1]),
    )


def _crossings(deltas: np.ndarray, z: np.ndarray, height: float) -> np.ndarray:
    """Shifts at which z passes through a height."""
    above = z > height
    i = np.flatnonzero(above[1:] != above[:-1])
    return deltas[i] + (height - z[i]) / (z[i + 1] - z[i]) * (deltas[i + 1] - deltas[i])


def _nearest(shifts: np.ndarray) -> float:
    return float(shifts[np.argmin(np.abs(shifts))]) if shifts.size else float("nan")
