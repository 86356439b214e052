"""Reliable and clinically significant change (Jacobson & Truax)."""

from __future__ import annotations

from statistics import NormalDist  # SciPy takes long to load, and a look at a study loads this module

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError
from outcomes.scoring.classes import ChangeClass


def difference_std_error(sd_before: float, reliability: float) -> float:
    """Standard error of a difference of two scores, SD1 sqrt(2 (1 - r)).

    Raises
    ------
    UsageError
        If the SD is not positive or the reliability is not in [0, 1).
    """
    if not (sd_before > 0 and 0 <= reliability < 1):
        raise UsageError("Reliable change needs a positive SD and a reliability in [0, 1).")
    return float(sd_before * np.sqrt(2 * (1 - reliability)))


def reliable_change_index(before: ArrayLike, after: ArrayLike, sd_before: float, reliability: float) -> np.ndarray:
    """Change in standard errors, (x2 - x1) / (SD1 sqrt(2 (1 - r))).

    Jacobson & Truax 1991, doi 10.1037/0022-006X.59.1.12.

    Parameters
    ----------
    before, after : array_like, shape (n,)
        Scores in the instrument's metric; missing gives missing.
    sd_before : float
        SD at intake.
    reliability : float
        In [0, 1).

    Examples
    --------
    >>> reliable_change_index([47.5], [32.5], sd_before=7.5, reliability=0.80).round(2).tolist()
    [-3.16]
    """
    change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    return change / difference_std_error(sd_before, reliability)


def reliable_change_threshold(sd_before: float, reliability: float, level: float = 0.95) -> float:
    """Smallest change, in score units, that measurement error alone produces in less than 1 - level of clients."""
    return NormalDist().inv_cdf((1 + level) / 2) * difference_std_error(sd_before, reliability)


def known_change(
    spread: tuple[float, float] | None, published: float | None, *, is_own: bool
) -> tuple[float | None, float | None]:
    """Return the standard error of a difference and the smallest reliable change, as far as they are known.

    Parameters
    ----------
    spread : tuple of float, optional
        SD at intake and reliability.
    published : float, optional
        The smallest reliable change as published.
    is_own : bool
        The spread is that of the study's own population, and goes before what is published.
    """
    if spread is None:
        return None, published
    return difference_std_error(*spread), (
        reliable_change_threshold(*spread) if is_own or published is None else published
    )


def clinical_cutoff(mean_clinical: float, sd_clinical: float, mean_healthy: float, sd_healthy: float) -> float:
    """Jacobson & Truax's criterion c: the point between two populations, (s0 m1 + s1 m0) / (s0 + s1)."""
    if not (sd_clinical > 0 and sd_healthy > 0):
        raise UsageError("The cutoff needs two positive SDs.")
    return (sd_healthy * mean_clinical + sd_clinical * mean_healthy) / (sd_healthy + sd_clinical)


def classify_change(
    before: ArrayLike, after: ArrayLike, threshold: float, cutoff: float, *, is_higher_better: bool = False
) -> np.ndarray:
    """Classify each client's change.

    Recovered: reliably better and crossed the cutoff from the clinical side; improved: reliably better only;
    deteriorated: reliably worse. A change of *at least* the threshold is reliable; a score at the cutoff is clinical.

    Parameters
    ----------
    before, after : array_like, shape (n,)
    threshold : float
        Reliable change, in score units, positive.
    cutoff : float
    is_higher_better : bool
        Direction of the instrument.

    Returns
    -------
    ndarray of str, shape (n,)
        Values of `ChangeClass`; MISSING where a score is missing.
    """
    if not threshold > 0:
        raise UsageError("The threshold of reliable change must be positive.")
    sign = 1.0 if is_higher_better else -1.0
    before, after, cutoff = sign * np.asarray(before, float), sign * np.asarray(after, float), sign * cutoff
    gain = after - before
    return np.select(
        [
            np.isnan(gain),
            (gain >= threshold) & (before <= cutoff) & (after > cutoff),
            gain >= threshold,
            gain <= -threshold,
        ],
        [ChangeClass.MISSING, ChangeClass.RECOVERED, ChangeClass.IMPROVED, ChangeClass.DETERIORATED],
        default=ChangeClass.UNCHANGED,
    )
