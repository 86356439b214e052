"""The families of counts with a log link: Poisson, and negative binomial with variance mu + alpha mu^2.

Symbols: y is a count, mu = exp(eta) its mean. The negative binomial has one parameter of its own, a = sqrt(alpha): like
a standard deviation it may be estimated as zero, where the family is the Poisson one (Cameron & Trivedi 2013, doi
10.1017/CBO9781139013567, section 3.3.1; alpha is one over glmmTMB's and MASS's theta).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from outcomes.errors import UsageError
from outcomes.links import Derivatives
from outcomes.mixed.generalised.family import OwnDerivatives

LARGEST_ETA = 200.0
"""Linear predictors are cut here: counts of exp(200) are no data, and cubes of it are still finite."""

NO_DISPERSION = 1e-3
"""sqrt(alpha) below which the counts count as no more dispersed than Poisson ones: their variance is then larger by one
millionth of the squared mean."""

SERIES = 1e-2
"""alpha mu below which logarithms are summed as series, which the closed forms lose to rounding."""


def mean_count(eta: np.ndarray) -> np.ndarray:
    """exp(eta), finite."""
    return np.exp(np.minimum(eta, LARGEST_ETA))


class _LogLink:
    """What both families share."""

    is_own_located = False
    latent_variance = 1.0
    counts_extra_spread = True

    def start_eta(self, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
        """log(y + 1/2)."""
        return np.log(events + 0.5)

    def against(
        self, move: np.ndarray, own_move: np.ndarray, events: np.ndarray, trials: np.ndarray | None
    ) -> np.ndarray:
        """A count of zero gains as its mean falls; every other count has a mean that it likes best."""
        return np.where(events == 0, move, np.abs(move))


@dataclass(frozen=True)
class Poisson(_LogLink):
    """Counts with variance mu: l = y eta - mu, less log y!."""

    n_own = 0

    def at(self, own: np.ndarray) -> Poisson:
        """The rows' likelihood: no parameters of its own."""
        return self

    def first_own(self) -> np.ndarray:
        """No parameters."""
        return np.empty(0)

    def own_messages(self, own: np.ndarray) -> list[str]:
        """Nothing to say."""
        return []

    def derivatives(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
        """l, y - mu, mu and mu."""
        mean = mean_count(eta)
        return Derivatives(events * eta - mean, events - mean, mean, mean)

    def draw(self, eta: np.ndarray, trials: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Counts."""
        return rng.poisson(mean_count(eta)).astype(float)

    def fourth(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
        """mu."""
        return mean_count(eta)

    def by_own(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> OwnDerivatives:
        """No parameters: empty."""
        empty = np.empty((0, eta.size))
        return OwnDerivatives(empty, empty, empty, np.empty((0, 0, eta.size)))


@dataclass(frozen=True)
class NegativeBinomial(_LogLink):
    """Counts with variance mu + alpha mu^2."""

    n_own = 1

    def at(self, own: np.ndarray) -> NegativeBinomialRows:
        """The rows' likelihood at a = sqrt(alpha), own of shape (1,)."""
        return NegativeBinomialRows(float(own[0]))

    def first_own(self) -> np.ndarray:
        """A moderate dispersion: at zero its derivative would vanish."""
        return np.array([0.5])

    def own_messages(self, own: np.ndarray) -> list[str]:
        """Say when the dispersion is at its boundary."""
        if abs(float(own[0])) >= NO_DISPERSION:
            return []
        return ["The counts are no more dispersed than Poisson ones: the negative binomial's dispersion is zero."]


@dataclass(frozen=True)
class NegativeBinomialRows:
    """The negative binomial's rows at one dispersion.

    With alpha = a^2: l = sum_{j<y} log(1 + alpha j) + y eta - y log(1 + alpha mu) - log(1 + alpha mu) / alpha, less
    log y!. The sums over j are tables over the counts, exact for any alpha, zero included.
    """

    a: float

    n_own = 1

    @property
    def alpha(self) -> float:
        """Dispersion."""
        return self.a * self.a

    def _sums(self, code: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """sum_{j<y} log(1 + alpha j) and its first two derivatives by alpha, at counts (rows,)."""
        tables = _tables(self.alpha, 1 << int(code.max(initial=0)).bit_length())
        return tuple(table[code] for table in tables)

    def derivatives(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
        """With s = 1 / (1 + alpha mu): score (y - mu) s, weight mu s^2 (1 + alpha y)."""
        mean, alpha = mean_count(eta), self.alpha
        x = alpha * mean
        s = 1 / (1 + x)
        loglik = self._sums(events.astype(np.int64))[0] + events * (eta - np.log1p(x)) - mean * _log_ratio(x)
        weight = mean * s * s * (1 + alpha * events)
        return Derivatives(loglik, (events - mean) * s, weight, weight * (1 - x) * s)

    def draw(self, eta: np.ndarray, trials: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Counts: Poisson with a mean that a gamma draw multiplies."""
        mean = mean_count(eta)
        if self.alpha >= NO_DISPERSION**2:
            mean = mean * rng.gamma(1 / self.alpha, self.alpha, size=mean.shape)
        return rng.poisson(mean).astype(float)

    def fourth(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
        """weight ((1 - x)^2 - 2 x) s^2, x = alpha mu."""
        x = self.alpha * mean_count(eta)
        s = 1 / (1 + x)
        return self.derivatives(eta, events, trials).weight * ((1 - x) ** 2 - 2 * x) * s * s

    def by_own(self, eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> OwnDerivatives:
        """By a, from the derivatives by alpha: 2 a of the first, 4 a^2 and 2 of the second order."""
        mean, alpha = mean_count(eta), self.alpha
        _, summed, curved = self._sums(events.astype(np.int64))
        x = alpha * mean
        s = 1 / (1 + x)
        first = summed - events * mean * s - mean**2 * _log_ratio_slope(x)
        second = curved + events * (mean * s) ** 2 - mean**3 * _log_ratio_curve(x)
        score = -(events - mean) * mean * s * s
        weight = mean * s * s * (events - 2 * (1 + alpha * events) * mean * s)
        twice = 2 * self.a
        return OwnDerivatives(
            (twice * first)[None],
            (twice * score)[None],
            (twice * weight)[None],
            (twice * twice * second + 2 * first)[None, None],
        )


@lru_cache(maxsize=4)
def _tables(alpha: float, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sums over j < y for y = 0 .. size; every chunk of rows at one place asks for the same."""
    j = np.arange(size, dtype=float)
    rate = j / (1 + alpha * j)
    return tuple(np.concatenate([[0.0], np.cumsum(v)]) for v in (np.log1p(alpha * j), rate, -rate * rate))


def _series(x: np.ndarray, coefficients: Callable[[int], float]) -> np.ndarray:
    """Sum of (-x)^n c(n), n = 0 .. 9; right up to `SERIES`, and finite beyond it."""
    x, total = np.minimum(x, SERIES), np.zeros_like(x)
    for n in range(9, -1, -1):
        total = coefficients(n) - x * total
    return total


def _log_ratio(x: np.ndarray) -> np.ndarray:
    """f(x) = log(1 + x) / x."""
    large = np.maximum(x, SERIES)
    return np.where(x < SERIES, _series(x, lambda n: 1 / (n + 1)), np.log1p(large) / large)


def _log_ratio_slope(x: np.ndarray) -> np.ndarray:
    """f'(x)."""
    large = np.maximum(x, SERIES)
    exact = (large / (1 + large) - np.log1p(large)) / large**2
    return np.where(x < SERIES, -_series(x, lambda n: (n + 1) / (n + 2)), exact)


def _log_ratio_curve(x: np.ndarray) -> np.ndarray:
    """f''(x)."""
    large = np.maximum(x, SERIES)
    exact = (2 * np.log1p(large) - large * (2 + 3 * large) / (1 + large) ** 2) / large**3
    return np.where(x < SERIES, _series(x, lambda n: (n + 1) * (n + 2) / (n + 3)), exact)


FAMILIES: dict[str, Poisson | NegativeBinomial] = {
    "poisson": Poisson(),
    "negative_binomial": NegativeBinomial(),
}
"""Families of counts by name."""


def check_family(name: str) -> None:
    """Refuse a family that does not exist.

    Raises
    ------
    UsageError
        With the names there are.
    """
    if name not in FAMILIES:
        raise UsageError(f"There is no family of counts {name!r}.", f"use {' or '.join(map(repr, FAMILIES))}")
