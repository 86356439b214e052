"""Averages over the people that a new client may be, or may meet."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

_NODES = 15  # Gauss-Hermite: exact for polynomials up to degree 29


def average_over_effects(given: Callable[[float], np.ndarray], variance: float) -> np.ndarray:
    """Average `given(u)` over u ~ N(0, variance) by Gauss-Hermite quadrature."""
    effects, shares = effect_nodes(variance)
    return sum(share * given(float(effect)) for effect, share in zip(effects, shares, strict=True))


def effect_nodes(variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Effects and their shares, which stand for u ~ N(0, variance); the effect 0 alone where there is no variance."""
    if variance <= 0:
        return np.zeros(1), np.ones(1)
    nodes, shares = _standard_nodes()
    return nodes * np.sqrt(variance), shares


@cache
def _standard_nodes() -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()
