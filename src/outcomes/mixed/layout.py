"""Where the parts of a parameter vector lie: the one place that knows its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


def consecutive(sizes: Sequence[int]) -> tuple[slice, ...]:
    """Slices of the given sizes, one after the other."""
    edges = np.cumsum([0, *sizes])
    return tuple(slice(int(a), int(b)) for a, b in pairwise(edges))


@dataclass(frozen=True)
class Layout:
    """psi = (own, beta, theta) of a generalised mixed model.

    Parameters
    ----------
    n_own : int
        The family's own parameters: thresholds of an ordinal outcome, the dispersion of negative binomial counts.
    n_fixed : int
        Fixed effects, p.
    n_theta : tuple of int
        Covariance parameters of each grouping factor.
    """

    n_own: int
    n_fixed: int
    n_theta: tuple[int, ...]

    @property
    def own(self) -> slice:
        """The family's own parameters."""
        return slice(0, self.n_own)

    @property
    def beta(self) -> slice:
        """Fixed effects."""
        return slice(self.n_own, self.location.stop)

    @property
    def location(self) -> slice:
        """The family's parameters and the fixed effects: all that is no covariance parameter."""
        return slice(0, self.n_own + self.n_fixed)

    @property
    def theta(self) -> slice:
        """Covariance parameters of all factors."""
        return slice(self.location.stop, self.size)

    @property
    def by_factor(self) -> tuple[slice, ...]:
        """Covariance parameters of each factor, as places in psi."""
        return tuple(slice(self.theta.start + s.start, self.theta.start + s.stop) for s in consecutive(self.n_theta))

    @property
    def size(self) -> int:
        """Length of psi."""
        return self.location.stop + sum(self.n_theta)

    def join(self, location: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """psi from its parts."""
        return np.concatenate([location, theta])


@dataclass(frozen=True)
class JointLayout:
    """psi = (beta, gamma, log sigma, free loadings) of the joint model of ratings and dropout."""

    n_fixed: int
    n_hazard: int
    free: tuple[str, ...]

    @property
    def parts(self) -> tuple[slice, slice, slice, slice]:
        """Fixed effects of the ratings, of the hazard, log sigma, and the loadings."""
        return consecutive((self.n_fixed, self.n_hazard, 1, len(self.free)))

    def at(self, loading: str) -> int:
        """Place of one free loading."""
        return self.parts[3].start + self.free.index(loading)
