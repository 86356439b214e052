"""A linear model whose rows lie in several places: each evaluates its share at given parameters, the shares add.

Where no level of a grouping factor occurs in two places, V is block-diagonal by place, so that [X y]'V^-1 [X y],
log|V| and their derivatives are sums over the places. With U = Z'V^-1 [X y] of one factor, by level, the derivatives
need only the sums of U_a'U_b over levels and of Z'V^-1 Z Lambda: for six columns and two random effects each of
clients and of therapists, about 300 numbers, whatever the number of clients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcomes.errors import UsageError
from outcomes.mixed.linear.deviance import (
    State,
    deviance,
    eliminate,
    factor_traces,
    projection_root,
    residual_crossproducts,
    with_fixed_effects,
)
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem
from outcomes.mixed.linear.satterthwaite import CovarianceGradient, gradient_from_products, level_products
from outcomes.mixed.nearby import Objective
from outcomes.mixed.results.modes import Modes


@dataclass(frozen=True)
class Share:
    """What one place contributes at one theta.

    Parameters
    ----------
    cross : ndarray, shape (q, q)
        [X y]'V^-1 [X y].
    log_det_v : float
    traces : tuple of ndarray, (k, k) each
        Sum over levels of Z'V^-1 Z Lambda of each factor, the elements that theta fills.
    products : tuple of ndarray, (k, k, q, q) each
        Sum over levels of U_a U_b', U = Z'V^-1 [X y] of a level.
    """

    cross: np.ndarray
    log_det_v: float
    traces: tuple[np.ndarray, ...]
    products: tuple[np.ndarray, ...]

    def __add__(self, other: Share) -> Share:
        """The share of two places together."""
        return Share(
            self.cross + other.cross,
            self.log_det_v + other.log_det_v,
            tuple(a + b for a, b in zip(self.traces, other.traces, strict=True)),
            tuple(a + b for a, b in zip(self.products, other.products, strict=True)),
        )

    def rounded(self, precision: float) -> Share:
        """The share with each part rounded to a multiple of `precision` times its largest number.

        Sums at many thetas are a transform of the sums by number of rows: at full precision it could be turned back.
        """

        def cut(part: np.ndarray) -> np.ndarray:
            unit = precision * np.abs(part).max(initial=0.0)
            return np.round(part / unit) * unit if unit else part

        log_det_v = float(cut(np.array([self.log_det_v]))[0])
        return Share(cut(self.cross), log_det_v, tuple(map(cut, self.traces)), tuple(map(cut, self.products)))

    def to_vector(self) -> np.ndarray:
        """All numbers of the share in one array."""
        parts = [self.cross, *self.traces, *self.products]
        return np.concatenate([[self.log_det_v], *(part.ravel() for part in parts)])

    @classmethod
    def from_vector(cls, vector: np.ndarray, frame: LinearFrame) -> Share:
        """The share that `to_vector` wrote, for a specification's shapes."""
        q = frame.p + 1
        shapes = [(q, q), *((f.k, f.k) for f in frame.factors), *((f.k, f.k, q, q) for f in frame.factors)]
        ends = 1 + np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = [part.reshape(shape) for part, shape in zip(np.split(vector[1:], ends[:-1] - 1), shapes, strict=True)]
        n = len(frame.factors)
        return cls(parts[0], float(vector[0]), tuple(parts[1 : n + 1]), tuple(parts[n + 1 :]))


def evaluate(problem: LinearProblem, theta: np.ndarray) -> Share:
    """The share of one place's rows at theta."""
    cross, state = eliminate(problem, theta)
    products = level_products(residual_crossproducts(problem, state))
    return Share(cross, state.log_det_v, factor_traces(problem, state, theta), products)


def pooled_state(share: Share) -> State:
    """The fixed effects that follow from the sum of all shares."""
    return with_fixed_effects(share.cross, State(log_det_v=share.log_det_v, B=np.empty((0, 0, 0))))


def pooled_objective(frame: LinearFrame, summed: Callable[[np.ndarray], Share], *, reml: bool) -> Objective:
    """The profiled deviance and its gradient as a function of theta, from a function that sums all shares."""

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        share = summed(theta)
        state = pooled_state(share)
        root = projection_root(frame, state, reml=reml)
        outer = root @ root.T
        parts = []
        for factor, part, trace, product in zip(frame.factors, frame.slices, share.traces, share.products, strict=True):
            fall = np.einsum("abxy,xy->ab", product, outer) @ factor.relative_factor(theta[part])
            parts.append(2 * (trace - fall)[factor.rows, factor.cols])
        return deviance(frame, state, reml=reml), np.concatenate(parts)

    return objective


@dataclass(frozen=True)
class PooledLevels:
    """What a pooled fit knows of its levels: sums over them, no level's own effect.

    Parameters
    ----------
    problem : LinearFrame
    theta : ndarray
    share : Share
        The sum of all places' shares at the optimum.
    """

    problem: LinearFrame
    theta: np.ndarray
    share: Share

    @property
    def gram(self) -> GramData:
        """Refused: no place gives its cross-products away."""
        raise UsageError("The cross-products of single levels are not known to a pooled fit.", "ask each place")

    def modes(self, group: str) -> Modes:
        """Refused: the effects of single levels stay where their rows are."""
        raise UsageError(
            f"The effects of single levels of {group} are not known to a pooled fit.", "each place can predict its own"
        )

    def covariance_gradient(self, hessian: np.ndarray, vcov: np.ndarray, *, reml: bool) -> CovarianceGradient:
        """Derivatives behind Satterthwaite's degrees of freedom."""
        state = pooled_state(self.share)
        return gradient_from_products(self.problem, state, self.share.products, self.theta, hessian, vcov, reml=reml)
