"""Minimise a smooth deviance, keep the story, and do not stop on a saddle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from outcomes.mixed.nearby import Objective, approach

DECREMENT_TOLERANCE = 1e-6
"""Newton decrement (expected further fall of the deviance) below which an optimum is accepted, relative to 1 + |f|."""
MAX_RESTARTS = 3
INFORMED = 1e-8
"""Curvature, as a share of the largest, below which a direction is flat (lmerTest's rule)."""
_TOLERANCE = 1e-5  # of BFGS's gradient, times the root of the deviance; the Newton polish squares what is left
_SCALED_TOLERANCE = 1e-4  # of BFGS's gradient when the parameters are scaled to a curvature near 1
NEAR_TOLERANCE = 0.01
"""Whitened gradient (standard errors, nearly) where the exact Hessian takes over from a Hessian that is about right."""
SETTLED = 1e-9
"""Whitened gradient at which a Hessian is the optimum's to about as many digits."""
HESSIAN_STEP = 6e-6
"""Cube root of the machine epsilon: central differences of an analytic gradient."""


@dataclass(frozen=True)
class OptSummary:
    """The optimiser's story.

    Parameters
    ----------
    method : str
    start, final : ndarray, shape (m,)
        Parameters at the start and at the end.
    start_value, value : float
        Deviance there.
    n_evaluations : int
        Evaluations of deviance and gradient, those for the Hessian included.
    gradient_norm : float
        Largest absolute element of the gradient at the end.
    decrement : float
        Fall of the deviance that one more Newton step would bring.
    n_restarts : int
        Restarts from a saddle or boundary.
    is_converged : bool
    message : str
    hessian : ndarray, shape (m, m)
        Second derivatives of the deviance at the end.
    """

    method: str
    start: np.ndarray
    final: np.ndarray
    start_value: float
    value: float
    n_evaluations: int
    gradient_norm: float
    decrement: float
    n_restarts: int
    is_converged: bool
    message: str
    hessian: np.ndarray = field(repr=False)


def minimise(
    objective: Objective,
    start: np.ndarray,
    *,
    curvature: np.ndarray | None = None,
    max_iterations: int = 200,
    hessian_step: float = HESSIAN_STEP,
    is_one_sided: bool = False,
    gradient_tolerance: float | None = None,
    exact_hessian: Callable[[np.ndarray], np.ndarray] | None = None,
    near: np.ndarray | None = None,
    near_tolerance: float = NEAR_TOLERANCE,
    settle: Callable[[np.ndarray], np.ndarray] | None = None,
) -> OptSummary:
    """Minimise by BFGS, then prove the optimum with the Hessian, polish by Newton and leave saddles.

    Parameters
    ----------
    objective : callable
        Returns (deviance, gradient); may return inf where the deviance does not exist.
    start : ndarray, shape (m,)
    curvature : ndarray, shape (m,), optional
        Rough second derivatives; the search runs in parameters scaled by their roots, which saves evaluations.
    max_iterations : int
    hessian_step : float
        Step of the differences that make the Hessian, relative to max(1, |x|).
    is_one_sided : bool
        Differences forward only: half the evaluations, and as far off as the step times the third derivatives.
    gradient_tolerance : float, optional
        Of BFGS's scaled gradient; the Hessian is taken where BFGS ends.
    exact_hessian : callable, optional
        Second derivatives of the deviance; differences of the gradient where there is none.
    near : ndarray, shape (m, m), optional
        About the Hessian at the start, where that is known to lie near the optimum: the first search takes its steps.
    near_tolerance : float
        Of the gradient whitened by `near`, where that search ends and the Hessian is taken.
    settle : callable, optional
        About the Hessian: by it a second search goes on to `SETTLED` before the Hessian is taken, which is then that of
        the optimum.

    Returns
    -------
    OptSummary
        `is_converged` is False when the decrement stays above the tolerance; never raises for that.

    Notes
    -----
    A variance component's derivative vanishes at zero whether or not zero is the optimum, so a small gradient proves
    nothing there: where the Hessian has a direction of negative curvature, the search restarts along it.
    """
    n_evaluations = 0
    last: tuple[np.ndarray, float, np.ndarray] | None = None

    def counted(x: np.ndarray) -> tuple[float, np.ndarray]:
        """Evaluate, but for where the last evaluation was: searches begin and end there."""
        nonlocal n_evaluations, last
        if last is None or not np.array_equal(last[0], x):
            n_evaluations += 1
            last = (x.copy(), *objective(x))
        return last[1], last[2].copy()

    start = np.asarray(start, dtype=float)
    unit = np.ones(len(start)) if curvature is None else 1 / np.sqrt(curvature)

    def second(x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        if exact_hessian is not None:
            return exact_hessian(x)
        return numeric_hessian(counted, x, hessian_step, gradient if is_one_sided else None)

    def scaled(u: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = counted(u * unit)
        return value, gradient * unit

    start_value = counted(start if near is not None else start / unit * unit)[0]  # as the search rounds it
    tolerance = _TOLERANCE * np.sqrt(1 + abs(start_value)) if curvature is None else _SCALED_TOLERANCE
    options = {"gtol": gradient_tolerance or tolerance, "maxiter": max_iterations}
    x, restarts = start, 0
    while True:
        if near is None:
            found = minimize(scaled, x / unit, jac=True, method="BFGS", options=options)
            x, message = found.x * unit, found.message
        else:
            x, message = approach(counted, x, near, near_tolerance)[0], "the search near the start came to no end"
        if settle is not None:
            x = approach(counted, x, settle(x), SETTLED)[0]
        x, value, gradient, hessian, decrement = _polish(counted, x, second)
        if near is not None and not is_optimum(value, decrement, hessian):
            near = None  # the start was not near an optimum after all
            continue
        curvatures, directions = np.linalg.eigh(hessian)
        is_saddle = is_saddle_at(curvatures)
        if not is_saddle or restarts == MAX_RESTARTS:
            break
        lower = escape(counted, x, value, directions[:, 0])
        if lower is None:
            break
        x, restarts = lower, restarts + 1
    is_converged = is_optimum(value, decrement, hessian)
    return OptSummary(
        method="BFGS with Newton polish",
        start=start,
        final=x,
        start_value=start_value,
        value=value,
        n_evaluations=n_evaluations,
        gradient_norm=float(np.max(np.abs(gradient), initial=0.0)),
        decrement=decrement,
        n_restarts=restarts,
        is_converged=is_converged,
        message="converged" if is_converged else f"stopped: {message}",
        hessian=hessian,
    )


def is_optimum(value: float, decrement: float, hessian: np.ndarray) -> bool:
    """Whether nothing is left to gain, and the curvature is that of a minimum."""
    is_small = np.isfinite(value) and decrement <= DECREMENT_TOLERANCE * (1 + abs(value))
    return bool(is_small and not is_saddle_at(np.linalg.eigvalsh(hessian)))


def is_saddle_at(curvatures: np.ndarray) -> bool:
    """Whether the least of a Hessian's eigenvalues is negative beyond rounding."""
    return bool(curvatures[0] < -1e-6 * max(1.0, abs(curvatures[-1])))


def informed_inverse(information: np.ndarray) -> np.ndarray:
    """Inverse on the directions with curvature; a flat direction (a variance of zero) informs nothing and costs
    nothing."""
    values, vectors = np.linalg.eigh(information)
    kept = values > INFORMED * values.max()
    return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T


def numeric_hessian(
    objective: Objective, x: np.ndarray, relative_step: float = HESSIAN_STEP, gradient: np.ndarray | None = None
) -> np.ndarray:
    """Hessian by central differences of the gradient, symmetrised; forward ones from `gradient` where that is given."""
    hessian = np.empty((len(x), len(x)))
    for i in range(len(x)):
        step = np.zeros(len(x))
        step[i] = relative_step * max(1.0, abs(x[i]))
        change = objective(x + step)[1] - (objective(x - step)[1] if gradient is None else gradient)
        hessian[i] = change / (step[i] * (2 if gradient is None else 1))
    return (hessian + hessian.T) / 2


def _polish(
    objective: Objective, x: np.ndarray, second: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray, float]:
    """Newton steps with one Hessian until the decrement is negligible or the value stops falling."""
    value, gradient = objective(x)
    hessian = second(x, gradient)
    step, decrement = newton_step(hessian, gradient)
    for _ in range(4):
        if decrement <= 1e-12 + 1e-15 * abs(value):
            break
        new_value, new_gradient = objective(x + step)
        if not new_value <= value + 1e-9 * abs(value) or np.abs(new_gradient).max() > np.abs(gradient).max():
            break
        x, value, gradient = x + step, new_value, new_gradient
        step, decrement = newton_step(hessian, gradient)
    return x, float(value), gradient, hessian, decrement


def newton_step(hessian: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, float]:
    """Newton step on the positive part of the curvature, and the fall that it promises."""
    if not len(gradient):
        return gradient, 0.0
    curvatures, directions = np.linalg.eigh(hessian)
    size = np.abs(curvatures)
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 1e-10 * size.max(initial=1e-300))
    step = -(directions * inverse) @ (directions.T @ gradient)
    return step, float(-gradient @ step / 2)


def escape(objective: Objective, x: np.ndarray, value: float, direction: np.ndarray) -> np.ndarray | None:
    """A lower point along a direction of negative curvature, or None."""
    for size in (1.0, 0.3, 0.1, 0.03, 0.01):
        for sign in (1.0, -1.0):
            candidate = x + sign * size * direction
            if objective(candidate)[0] < value:
                return candidate
    return None
