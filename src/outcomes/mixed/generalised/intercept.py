"""A quick search in a model of one random intercept, whose algebra is one division a level.

The deviance and its gradient are those of `laplace`, written out for one intercept theta u by level. With S, W and T
the sums by level of the score d, the weight w and the third derivative t, and H = 1 + theta^2 W,

    v = theta^2 / H,    s = theta v T / H,    du/dbeta = -theta X'w / H,    du/dtheta = (S - theta W u) / H,
    dF/dbeta = X'[-d + (t v - w theta s) / 2],
    dF/dtheta = sum over levels of -u S + theta W / H + (v T u + s (S - theta W u)) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from outcomes.links import Derivatives
from outcomes.mixed.generalised.family import RowLikelihood
from outcomes.mixed.generalised.laplace import INNER_STALLED, MAX_INNER, Model
from outcomes.mixed.generalised.rows import ArrayRows, Chunk
from outcomes.mixed.nearby import DRAW_TOLERANCE, approach

FURTHEST = 50.0
"""Standard errors from the start beyond which an estimate counts as infinite."""


def is_one_intercept(model: Model) -> bool:
    """Whether a model is of this kind, with its rows in memory."""
    rows, factors = model.rows, model.blocks.factors
    is_one = len(factors) == 1 and factors[0].k == 1 and not model.family.n_own
    return is_one and isinstance(rows, ArrayRows) and not rows.has_slopes


def refit_intercept(
    chunk: Chunk, likelihood: RowLikelihood, start: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Maximum likelihood from nearby, without proof of the optimum.

    Parameters
    ----------
    chunk : Chunk
        All rows of a model of this kind.
    likelihood : RowLikelihood
    start : ndarray, shape (p + 1,)
        beta and theta, theta not zero.
    root : ndarray, shape (p + 1, p + 1)
        Of the parameters' covariance, about: the search's units.

    Returns
    -------
    parameters, shape (p + 1,), NaN where the deviance does not exist at the start; and whether the search settled
    """
    search = _Search(chunk, likelihood, start)

    def whitened(moved: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = search.at(start + root @ moved)
        return value, slope @ root

    moved, value, is_settled = approach(whitened, np.zeros(start.size), np.eye(start.size), DRAW_TOLERANCE)
    if not np.isfinite(value):
        return np.full(start.size, np.nan), False
    return start + root @ moved, is_settled and bool(np.abs(moved).max() < FURTHEST)


@dataclass(frozen=True)
class _Modes:
    """Effects u at psi, all sums by level there, H, and Newton's step from there."""

    psi: np.ndarray
    u: np.ndarray
    row: Derivatives
    score: np.ndarray
    weight: np.ndarray
    H: np.ndarray

    @cached_property
    def step(self) -> np.ndarray:
        return (self.psi[-1] * self.score - self.u) / self.H

    @cached_property
    def decrement(self) -> float:
        return float(self.step * self.H @ self.step)

    @cached_property
    def penalised(self) -> float:
        return 0.5 * float(self.u @ self.u) - float(self.row.loglik.sum())

    def is_better_than(self, other: _Modes) -> bool:
        """Whether Newton's method goes on from here: its decrement has halved, or else the deviance has not risen."""
        if self.decrement < other.decrement / 2:
            return True
        return self.penalised <= other.penalised + 1e-10 * (1 + abs(other.penalised))


class _Search:
    """F = deviance / 2 of one model and its gradient; keeps the last modes, to predict the next ones."""

    def __init__(self, chunk: Chunk, likelihood: RowLikelihood, start: np.ndarray) -> None:
        self.chunk, self.likelihood = chunk, likelihood
        self.last = self._modes(start, np.zeros(chunk.starts.size))
        self.by_beta = None
        if self.last is not None:
            sums = np.add.reduceat(self.last.row.weight * chunk.X, chunk.starts, axis=1)
            self.by_beta = -start[-1] * sums / self.last.H

    def at(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient; infinite where the modes cannot be found."""
        now = self.last
        if now is not None and not np.array_equal(psi, now.psi):
            now = self._modes(psi, self._predicted(psi))
        if now is None:
            return np.inf, np.zeros(psi.size)
        self.last = now
        theta, u, H = psi[-1], now.u, now.H
        third = self._by_level(now.row.third)
        v = theta**2 / H
        s = theta * v * third / H
        spread = self.chunk.spread(np.stack([v, theta * s], axis=1))
        half = 0.5 * (now.row.third * spread[:, 0] - now.row.weight * spread[:, 1])
        rest = now.score - theta * now.weight * u
        by_theta = theta * now.weight / H - u * now.score + 0.5 * (v * third * u + s * rest)
        slope = np.append(self.chunk.weighted_sum(half - now.row.score), by_theta.sum())
        return now.penalised + 0.5 * float(np.log(H).sum()), slope

    def _predicted(self, psi: np.ndarray) -> np.ndarray:
        """Modes expected at psi, to first order."""
        last, change = self.last, psi - self.last.psi
        by_theta = (last.score - last.psi[-1] * last.weight * last.u) / last.H
        return last.u + change[:-1] @ self.by_beta + change[-1] * by_theta

    def _modes(self, psi: np.ndarray, u: np.ndarray) -> _Modes | None:
        """Newton's method as in `find_mode`; None where it does not end."""
        fixed, size = self.chunk.predictor(psi[:-1]), 1.0
        here = self._effects(psi, fixed, u)
        for _ in range(MAX_INNER):
            if here is None or here.decrement <= INNER_STALLED:
                return here
            there = self._effects(psi, fixed, here.u + size * here.step)
            if there is not None and there.is_better_than(here):
                here, size = there, 1.0
            else:
                size /= 2
        return None

    def _effects(self, psi: np.ndarray, fixed: np.ndarray, u: np.ndarray) -> _Modes | None:
        """At any effects; None where the curvature is not positive."""
        theta, chunk = psi[-1], self.chunk
        row = self.likelihood.derivatives(fixed + chunk.spread(theta * u), chunk.events, chunk.trials)
        score, weight = self._by_level(row.score), self._by_level(row.weight)
        H = 1 + theta**2 * weight
        return _Modes(psi, u, row, score, weight, H) if H.min() > 0 else None

    def _by_level(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.chunk.starts)
