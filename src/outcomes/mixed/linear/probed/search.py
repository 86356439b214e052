"""Find the optimum where only estimates of the criterion and its gradient are to be had.

The same probes serve at every theta, so that the estimated gradient is a smooth function whose zero Newton's method
finds; the true optimum lies within the error that the spread between the probes tells (as in Loh et al. 2015, doi
10.1038/ng.3431).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcomes.mixed.linear.probed.evaluation import Evaluation, evaluate
from outcomes.mixed.linear.probed.system import signs
from outcomes.mixed.linear.problem import LinearProblem
from outcomes.mixed.nearby import approach
from outcomes.mixed.optimise import (
    OptSummary,
    escape,
    informed_inverse,
    is_optimum,
    is_saddle_at,
    newton_step,
)

N_PROBES = 32
"""Probes to begin with."""

MAX_PROBES = 256
"""Most probes: their error falls with the root of their number."""

ENOUGH = 0.1
"""Error of theta, as a share of its standard error, at which no more probes are taken: they widen an honest interval by
half a percent."""

NEAR = 0.1
"""Whitened gradient (about standard errors) where differences of the gradient take over: what the probes leave apart
between criterion and gradient is less."""

MAX_ROUNDS = 5
"""Most Hessians in a row, where the first was taken too far away."""

MAX_STEPS = 20
"""Most Newton steps with one Hessian."""

SETTLED = 1e-8
"""Decrement at which the gradient's zero is found."""

DIFFERENCE = 1e-4
"""Step of the Hessian's differences, relative to max(1, |theta|)."""

SEED = 20261127


@dataclass(frozen=True)
class Approximation:
    """How far an approximate fit may be from the exact one: standard deviations of the error that probes leave.

    Parameters
    ----------
    n_probes : int
    criterion : float
        Of the criterion; half of it of the log-likelihood.
    theta : ndarray, shape (m,)
        Of the covariance parameters.
    theta_share : float
        The largest of them, as a share of the parameter's own standard error.
    beta_share : float
        Largest error of a fixed effect, as a share of its standard error.
    """

    n_probes: int
    criterion: float
    theta: np.ndarray
    theta_share: float
    beta_share: float

    @property
    def words(self) -> str:
        """As people read it."""
        return (
            f"Approximate: too many effects hang together for an exact fit; {self.n_probes} random probes stand for "
            f"traces over all of them. Their error (standard deviation): criterion {self.criterion:.2g}; variances "
            f"{100 * self.theta_share:.2g}% and fixed effects {100 * self.beta_share:.2g}% of a standard error at most."
        )


@dataclass(frozen=True)
class Found:
    """Where the search ended.

    Parameters
    ----------
    story : OptSummary
    last : Evaluation
        At `story.final`.
    probes : ndarray, shape (Q, n_probes)
    approximation : Approximation
    at : callable
        Evaluates at another theta.
    """

    story: OptSummary
    last: Evaluation
    probes: np.ndarray
    approximation: Approximation
    at: Callable[[np.ndarray], Evaluation]


def search(problem: LinearProblem, start: np.ndarray, hessian: np.ndarray, *, reml: bool) -> Found:
    """Search from `start` (m,), with about the second derivatives (m, m) there."""
    found = _Search(problem, reml, signs(problem.rest.n_columns, N_PROBES, SEED))
    start = np.asarray(start, dtype=float)
    start_value = found(start).value
    x, restarts = found.approach(start, hessian), 0
    while True:
        x, now, exact, betas, more = found.polish(x)
        restarts += more
        approximation = _errors(problem, now, exact, betas)
        n_probes = found.probes.shape[1]
        if approximation.theta_share <= ENOUGH or 2 * n_probes > MAX_PROBES:
            break
        found.probes = signs(problem.rest.n_columns, 2 * n_probes, SEED)
    decrement = newton_step(exact, now.gradient)[1]
    is_converged = bool(np.isfinite(now.value) and is_optimum(now.value, decrement, exact))
    story = OptSummary(
        method=f"Newton on a gradient by {found.probes.shape[1]} random probes",
        start=start,
        final=x,
        start_value=start_value,
        value=now.value,
        n_evaluations=found.n_evaluations,
        gradient_norm=float(np.abs(now.gradient).max()),
        decrement=decrement,
        n_restarts=restarts,
        is_converged=is_converged,
        message="converged" if is_converged else "stopped before an optimum was proved",
        hessian=exact,
    )
    return Found(story, now, found.probes, approximation, found)


class _Search:
    """Evaluations with the probes at hand, counted."""

    def __init__(self, problem: LinearProblem, reml: bool, probes: np.ndarray) -> None:
        self.problem, self.reml, self.probes = problem, reml, probes
        self.n_evaluations = 0

    def __call__(self, x: np.ndarray) -> Evaluation:
        self.n_evaluations += 1
        return evaluate(self.problem, x, self.probes, reml=self.reml)

    def objective(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Criterion and gradient."""
        found = self(x)
        return found.value, found.gradient

    def approach(self, start: np.ndarray, hessian: np.ndarray) -> np.ndarray:
        """Quasi-Newton steps along which the criterion falls, in parameters whitened by a rough Hessian."""
        return approach(self.objective, start, hessian, NEAR)[0]

    def polish(self, x: np.ndarray) -> tuple[np.ndarray, Evaluation, np.ndarray, np.ndarray, int]:
        """Newton's steps to the gradient's zero; also the Hessian, beta's movement with theta (m, p), and restarts."""
        now, restarts = self(x), 0
        for _ in range(MAX_ROUNDS):
            hessian, betas = self._differences(x)
            x, now, decrement = self._newton(x, now, hessian)
            curvatures, directions = np.linalg.eigh(hessian)
            if is_saddle_at(curvatures):
                lower = escape(self.objective, x, now.value, directions[:, 0])
                if lower is None:
                    break
                x, now, restarts = lower, self(lower), restarts + 1
            elif decrement < SETTLED:
                break
        return x, now, hessian, betas, restarts

    def _newton(self, x: np.ndarray, now: Evaluation, hessian: np.ndarray) -> tuple[np.ndarray, Evaluation, float]:
        """Steps with one Hessian, halved until they promise to have left less to fall."""
        step, decrement = newton_step(hessian, now.gradient)
        for _ in range(MAX_STEPS):
            if decrement < SETTLED:
                break
            ahead = self(x + step)
            new_step, new_decrement = newton_step(hessian, ahead.gradient)
            if new_decrement < decrement:
                x, now, step, decrement = x + step, ahead, new_step, new_decrement
            else:
                step = step / 2
        return x, now, decrement

    def _differences(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the gradient (m, m), and of the fixed effects (m, p)."""
        hessian, betas = np.empty((len(x), len(x))), np.empty((len(x), self.problem.p))
        for i in range(len(x)):
            move = np.zeros(len(x))
            move[i] = DIFFERENCE * max(1.0, abs(x[i]))
            above, below = self(x + move), self(x - move)
            hessian[i] = (above.gradient - below.gradient) / (2 * move[i])
            betas[i] = (above.state.beta - below.state.beta) / (2 * move[i])
        return (hessian + hessian.T) / 2, betas


def _errors(problem: LinearProblem, now: Evaluation, hessian: np.ndarray, betas: np.ndarray) -> Approximation:
    """What the spread between the probes means for the estimates."""
    n_probes = len(now.by_probe)
    inverse = informed_inverse(hessian)
    spread = inverse @ np.atleast_2d(np.cov(now.by_probe, rowvar=False)) @ inverse / n_probes
    theta, own = np.sqrt(np.diag(spread)), np.sqrt(2 * np.maximum(np.diag(inverse), 0.0))
    beta = np.sqrt(np.maximum(np.einsum("ip,ij,jp->p", betas, spread, betas), 0.0))
    df = problem.n - problem.p
    std_error = np.sqrt(np.diag(now.state.XVX_inverse) * now.state.r2 / df)
    share = np.divide(theta, own, out=np.zeros_like(theta), where=own > 0)
    return Approximation(
        n_probes, now.value_error, theta, float(share.max()), float((beta / std_error).max(initial=0.0))
    )
