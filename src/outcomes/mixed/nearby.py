"""Searches that begin near a known optimum, in parameters whitened by its Hessian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Maps parameters to (deviance, gradient)."""

DRAW_TOLERANCE = 5e-3
"""Of a bootstrap draw's gradient, in standard errors: two hundred draws place an interval's end to a fifth of one."""
_TIGHT_TOLERANCE = 1e-5
"""Of `approach`, whose last step overshoots less than that of scipy's line search."""
_SURE_TOLERANCE = 1e-4
_STALLED = 1e-6
"""Whitened gradient below which one that no longer halves is rounding: there is nothing left to find."""
_SETTLED = 1e-2
"""Whitened gradient (standard errors, nearly) below which a search has settled."""
_MAX_ITERATIONS = 50
_MAX_HALVINGS = 20


def approach(
    objective: Objective, start: np.ndarray, near: np.ndarray, tolerance: float = _TIGHT_TOLERANCE
) -> tuple[np.ndarray, float, bool]:
    """Minimise by BFGS from nearby, by a Hessian that is about right; the optimum is not proved.

    For bootstrap draws, imputations and models of other columns, where a proof would cost more than the search.

    Parameters
    ----------
    objective : callable
        May return inf where the deviance does not exist.
    start : ndarray, shape (m,)
    near : ndarray, shape (m, m)
        About the second derivatives.
    tolerance : float
        Of the largest element of the whitened gradient.

    Returns
    -------
    parameters (m,), deviance, and whether the search settled
    """
    whitening = _whitening(near)

    def whitened(u: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(start + whitening @ u)
        return value, gradient @ whitening

    u, inverse = np.zeros(start.size), np.eye(start.size)
    value, slope = whitened(u)
    size = np.inf
    for _ in range(_MAX_ITERATIONS):
        before, size = size, np.abs(slope).max(initial=0.0)
        if not np.isfinite(value) or size <= tolerance or before / 2 < size < _STALLED:
            break
        step = -inverse @ slope
        moved, new_value, new_slope = _fallen(whitened, u, step, value, slope)
        if not moved.any():
            break
        inverse = _updated(inverse, moved, new_slope - slope)
        u, value, slope = u + moved, new_value, new_slope
    is_settled = bool(np.isfinite(value) and np.abs(slope).max(initial=0.0) < _SETTLED)
    return start + whitening @ u, float(value), is_settled


def refine(objective: Objective, start: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """`approach` with a surer line search, which costs more: for profiles, which go far from the optimum."""
    whitening = _whitening(hessian)

    def whitened(u: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(start + whitening @ u)
        return value, whitening.T @ gradient

    found = minimize(whitened, np.zeros(len(start)), jac=True, method="BFGS", options={"gtol": _SURE_TOLERANCE})
    is_settled = bool(np.isfinite(found.fun) and np.abs(found.jac).max(initial=0.0) < _SETTLED)
    return start + whitening @ found.x, float(found.fun), is_settled


def _fallen(
    evaluate: Objective, u: np.ndarray, step: np.ndarray, value: float, slope: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """Halve a step until the value falls (Armijo): the movement, value and gradient there; none where it never does."""
    fall, size = float(step @ slope), 1.0
    for _ in range(_MAX_HALVINGS):
        new_value, new_slope = evaluate(u + size * step)
        if new_value <= value + 1e-4 * size * fall + 1e-12 * abs(value):
            return size * step, new_value, new_slope
        size /= 2
    return np.zeros_like(step), value, slope


def _updated(inverse: np.ndarray, moved: np.ndarray, change: np.ndarray) -> np.ndarray:
    """BFGS's update of the inverse Hessian, where the curvature along the step is positive."""
    along = float(moved @ change)
    if along <= 1e-12:
        return inverse
    left = np.eye(moved.size) - np.outer(moved, change) / along
    return left @ inverse @ left.T + np.outer(moved, moved) / along


def _whitening(hessian: np.ndarray) -> np.ndarray:
    """Directions of unit curvature, as columns."""
    curvatures, directions = np.linalg.eigh(hessian)
    return directions / np.sqrt(np.maximum(np.abs(curvatures), 1e-3 * np.abs(curvatures).max(initial=1.0)))
