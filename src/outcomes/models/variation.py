"""How much therapists differ, as shares, odds ratios and averages; never one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESIDUAL_VARIANCE = {"logit": np.pi**2 / 3, "cloglog": np.pi**2 / 6}
"""Variance of the latent error of a binary model, by link."""

_NODES = 15  # Gauss-Hermite: exact for polynomials up to degree 29
_MEDIAN_OF_HALF_NORMAL = 0.6744897501960817  # 75th percentile of the standard normal


def variance_share(between: float, others: float) -> float:
    """Return the share of variance between therapists (ICC), s2v / (s2v + rest).

    Parameters
    ----------
    between : float
        Variance between therapists.
    others : float
        Sum of all other variances; for a binary outcome `RESIDUAL_VARIANCE[link]` is the lowest level's.

    Examples
    --------
    >>> round(variance_share(0.199, RESIDUAL_VARIANCE["logit"]), 3)
    0.057
    """
    return between / (between + others)


def median_odds_ratio(between: float) -> float:
    """Return the median odds ratio exp(sqrt(2 s2v) * 0.6745) (Larsen & Merlo 2005, doi 10.1093/aje/kwi017).

    The same client, seen by two therapists drawn at random: the odds of dropout with the one at higher risk over the
    odds with the other, in the middle of all such pairs.

    Examples
    --------
    >>> round(median_odds_ratio(0.199), 2), round(median_odds_ratio(0.474), 2)
    (1.53, 1.93)
    """
    return float(np.exp(np.sqrt(2 * between) * _MEDIAN_OF_HALF_NORMAL))


def median_difference(between: float) -> float:
    """Return the median absolute difference between two therapists drawn at random, sqrt(2 s2v) * 0.6745."""
    return float(np.sqrt(2 * between) * _MEDIAN_OF_HALF_NORMAL)


def average_over_effects(given: Callable[[float], np.ndarray], variance: float) -> np.ndarray:
    """Average `given(u)` over u ~ N(0, variance) by Gauss-Hermite quadrature."""
    if variance <= 0:
        return given(0.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    effects, shares = nodes * np.sqrt(variance), weights / weights.sum()
    return sum(share * given(float(effect)) for effect, share in zip(effects, shares, strict=True))
