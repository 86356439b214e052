"""Many searches side by side in a model of one random intercept, whose algebra is one division a level.

The deviance and its gradient are those of `laplace`, written out for one intercept theta u by level. With S, W and T
the sums by level of the score d, the weight w and the third derivative t, and H = 1 + theta^2 W,

    v = theta^2 / H,    s = theta v T / H,    du/dbeta = -theta X'w / H,    du/dtheta = (S - theta W u) / H,
    dF/dbeta = X'[-d + (t v - w theta s) / 2],
    dF/dtheta = sum over levels of -u S + theta W / H + (v T u + s (S - theta W u)) / 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.links import Derivatives
from outcomes.mixed.generalised.family import RowLikelihood
from outcomes.mixed.generalised.laplace import INNER_STALLED, MAX_INNER, Model
from outcomes.mixed.generalised.passes import derivatives
from outcomes.mixed.generalised.rows import ArrayRows, Chunk
from outcomes.mixed.optimise import DRAW_TOLERANCE, refine_many

FURTHEST = 50.0
"""Standard errors from the start beyond which an estimate counts as infinite."""


def is_one_intercept(model: Model) -> bool:
    """Whether a model is of this kind, with its rows in memory and in one chunk."""
    rows, factors = model.rows, model.blocks.factors
    is_one = len(factors) == 1 and factors[0].k == 1 and not model.family.n_own
    return is_one and isinstance(rows, ArrayRows) and len(rows.chunks) == 1 and rows.chunks[0].Z is None


def refit_intercept(models: Sequence[Model], start: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum likelihood of models that differ in their events alone, without proof of each optimum.

    Parameters
    ----------
    models : sequence of Model
        See `is_one_intercept`.
    start : ndarray, shape (p + 1,)
        beta and theta, theta not zero.
    root : ndarray, shape (p + 1, p + 1)
        Of the parameters' covariance, near that of all of them: the searches' units.

    Returns
    -------
    parameters, shape (N, p + 1), NaN where the deviance does not exist at the start; and whether each search settled
    """
    searches = [_Search(model.rows.chunks[0], model.likelihood(start), start) for model in models]

    def evaluate(who: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [searches[i].at(start + root @ z) for i, z in zip(who, moved, strict=True)]
        return np.array([value for value, _ in found]), np.array([slope for _, slope in found]) @ root

    origin = np.zeros((len(models), start.size))
    moved, values, settled = refine_many(evaluate, origin, np.eye(start.size), tolerance=DRAW_TOLERANCE)
    is_near = np.abs(moved).max(axis=1) < FURTHEST
    found = np.where(np.isfinite(values)[:, None], start + moved @ root.T, np.nan)
    return found, settled & is_near


@dataclass(frozen=True)
class _Modes:
    """Modes u at psi, all sums by level there, and H."""

    psi: np.ndarray
    u: np.ndarray
    row: Derivatives
    score: np.ndarray
    weight: np.ndarray
    H: np.ndarray
    penalised: float


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
        beta, theta = psi[:-1], psi[-1]
        step, size, before = np.zeros(u.size), 1.0, np.inf
        for _ in range(MAX_INNER):
            trial = u + size * step
            row = derivatives(self.chunk, self.likelihood, beta, theta * trial[:, None])
            penalised = 0.5 * float(trial @ trial) - float(row.loglik.sum())
            if not penalised <= before + 1e-10 * (1 + abs(before)):
                size /= 2
                continue
            u, before, size = trial, penalised, 1.0
            score, weight = self._by_level(row.score), self._by_level(row.weight)
            H = 1 + theta**2 * weight
            if not H.min() > 0:
                return None
            slope = theta * score - u
            step = slope / H
            if float(slope @ step) <= INNER_STALLED:
                return _Modes(psi, u, row, score, weight, H, penalised)
        return None

    def _by_level(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.chunk.starts)
