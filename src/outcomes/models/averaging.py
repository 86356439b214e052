"""Averages over the people that a new client may be, or may meet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_NODES = 15  # Gauss-Hermite: exact for polynomials up to degree 29


def average_over_effects(given: Callable[[float], np.ndarray], variance: float) -> np.ndarray:
    """Average `given(u)` over u ~ N(0, variance) by Gauss-Hermite quadrature."""
    if variance <= 0:
        return given(0.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    effects, shares = nodes * np.sqrt(variance), weights / weights.sum()
    return sum(share * given(float(effect)) for effect, share in zip(effects, shares, strict=True))
