"""Ordered categories as a family: P(y <= k) = G(tau_k - eta).

The thresholds tau are the family's own parameters: all of them ("flexible"), or the first one and the distance between
neighbours ("equidistant"). They are linear in those parameters: tau = J own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import UsageError
from outcomes.links import Derivatives
from outcomes.mixed.generalised.family import OwnDerivatives
from outcomes.mixed.ordinal.intervals import FAR, CumulativeLink, Interval

LARGEST_ETA = 500.0
"""Linear predictors are cut at +-500, far inside `FAR`."""

THRESHOLDS = ("flexible", "equidistant")
"""How thresholds may lie."""


def threshold_map(kind: str, n_categories: int) -> np.ndarray:
    """J (K - 1, r), with tau = J own.

    Raises
    ------
    UsageError
        Another kind.
    """
    if kind not in THRESHOLDS:
        raise UsageError(f"There are no thresholds of kind {kind!r}.", f"use {' or '.join(map(repr, THRESHOLDS))}")
    n = n_categories - 1
    return np.eye(n) if kind == "flexible" else np.column_stack([np.ones(n), np.arange(n)])


@dataclass(frozen=True)
class OrderedCategories:
    """The family of an outcome with K ordered categories, coded 1 .. K.

    Parameters
    ----------
    link : CumulativeLink
    map : ndarray, shape (K - 1, r)
        From `threshold_map`.
    shares : ndarray, shape (K,)
        Of the categories in the data.
    """

    link: CumulativeLink
    map: np.ndarray
    shares: np.ndarray

    is_own_located = True
    counts_extra_spread = False

    @property
    def n_own(self) -> int:
        """Threshold parameters."""
        return self.map.shape[1]

    @property
    def latent_variance(self) -> float:
        """Variance of the latent residual."""
        return self.link.latent_variance

    def at(self, own: np.ndarray) -> CategoryRows:
        """The rows' likelihood at threshold parameters (r,)."""
        return CategoryRows(self.link, self.map, self.map @ own)

    def first_own(self) -> np.ndarray:
        """Parameters of the thresholds that give the shares of the data, by least squares."""
        tau = self.link.quantile(np.cumsum(self.shares)[:-1])
        return np.linalg.lstsq(self.map, tau, rcond=None)[0]

    def own_messages(self, own: np.ndarray) -> list[str]:
        """Nothing to say: every category has rows."""
        return []

    def start_eta(self, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
        """The middle of each category on the latent scale, by the shares of the data."""
        upper = np.cumsum(self.shares)
        middle = self.link.quantile(upper - self.shares / 2)
        return middle[events.astype(np.int64) - 1] - float(middle @ self.shares)

    def against(
        self, move: np.ndarray, own_move: np.ndarray, events: np.ndarray, trials: np.ndarray | None
    ) -> np.ndarray:
        """How far the row's upper limit falls or its lower limit rises."""
        tau = self.map @ own_move
        code = events.astype(np.int64) - 1
        upper = np.where(code < len(tau), move - np.append(tau, 0.0)[code], -np.inf)
        lower = np.where(code > 0, np.concatenate([[0.0], tau])[code] - move, -np.inf)
        return np.maximum(upper, lower)


@dataclass(frozen=True)
class CategoryRows:
    """The rows of ordered categories at thresholds tau (K - 1,)."""

    link: CumulativeLink
    map: np.ndarray
    tau: np.ndarray

    @property
    def n_own(self) -> int:
        """Threshold parameters."""
        return self.map.shape[1]

    def derivatives(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
        """Log-probability of the row's category and its derivatives in eta; infinite where thresholds cross."""
        found = self._interval(eta, events)
        if found is None:
            nothing = np.zeros(eta.size)
            return Derivatives(np.full(eta.size, -np.inf), nothing, nothing, nothing)
        return Derivatives(found.loglik, found.score, found.weight, found.third)

    def by_own(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> OwnDerivatives:
        """By the threshold parameters, through the row's two limits."""
        found = self._interval(eta, events)
        r = self.n_own
        if found is None:
            nothing = np.zeros((r, eta.size))
            return OwnDerivatives(nothing, nothing, nothing, np.zeros((r, r, eta.size)))
        code = events.astype(np.int64)
        padded = np.vstack([np.zeros(r), self.map, np.zeros(r)])
        up, low = padded[code].T, padded[code - 1].T  # (r, rows)
        first, second = found.upper, found.lower
        cross = found.both * (up[:, None] * low[None] + low[:, None] * up[None])
        return OwnDerivatives(
            up * first.loglik + low * second.loglik,
            up * first.score + low * second.score,
            up * first.weight + low * second.weight,
            up[:, None] * up[None] * first.second + low[:, None] * low[None] * second.second + cross,
        )

    def draw(self, eta: np.ndarray, trials: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Codes of categories."""
        below = self.link.below(self.tau - eta[:, None])
        return 1.0 + (rng.random(eta.size)[:, None] > below).sum(axis=1)

    def fourth(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
        """Not asked of a family with parameters of its own."""
        raise NotImplementedError

    def _interval(self, eta: np.ndarray, events: np.ndarray) -> Interval | None:
        """The rows' intervals, or None where thresholds are not in order."""
        if not (np.diff(self.tau) > 0).all() or not np.abs(self.tau).max() < FAR / 2:
            return None
        eta = np.clip(eta, -LARGEST_ETA, LARGEST_ETA)
        limits = np.concatenate([[-FAR], self.tau, [FAR]])
        code = events.astype(np.int64)
        return self.link.interval(limits[code] - eta, limits[code - 1] - eta)
