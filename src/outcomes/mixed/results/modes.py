"""Estimated covariances and conditional modes of random effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from outcomes.errors import UsageError


@dataclass(frozen=True)
class VarianceBlock:
    """Estimated covariance of the random effects of one bracket of the formula.

    Parameters
    ----------
    group : str
    names : tuple of str, length k
    cov : ndarray, shape (k, k)
        In the outcome's units squared (linear model) or on the link's scale (binomial model).
    """

    group: str
    names: tuple[str, ...]
    cov: np.ndarray

    @property
    def sd(self) -> np.ndarray:
        """Standard deviations, shape (k,)."""
        return np.sqrt(np.maximum(np.diag(self.cov), 0.0))

    @property
    def corr(self) -> np.ndarray:
        """Correlations, shape (k, k); NaN where a standard deviation is zero."""
        scale = np.outer(self.sd, self.sd)
        return np.divide(self.cov, scale, out=np.full_like(scale, np.nan), where=scale > 0)


def correlation_name(first: str, second: str) -> str:
    """Name of a correlation of two random effects in tables."""
    return f"corr({first}, {second})"


@dataclass(frozen=True)
class Modes:
    """Conditional modes of one grouping factor.

    Parameters
    ----------
    labels : polars.Series, length L
    names : tuple of str, length k
    mode : ndarray, shape (L, k)
    cond_cov : ndarray, shape (L, k, k)
        Conditional covariance given the data and the estimated parameters (lme4's ``condVar``).
    """

    labels: pl.Series
    names: tuple[str, ...]
    mode: np.ndarray
    cond_cov: np.ndarray


class ConditionalModes(Protocol):
    """What a fit needs from its engine after the optimum: the modes, computed when they are asked for."""

    def modes(self, group: str) -> Modes:
        """Conditional modes of one grouping factor."""
        ...


@dataclass(frozen=True)
class StoredModes:
    """Modes by grouping factor, computed at once, behind the same door as those computed on demand."""

    by_group: dict[str, Modes]

    def modes(self, group: str) -> Modes:
        """Conditional modes of one grouping factor.

        Raises
        ------
        UsageError
            When the engine has none.
        """
        if group not in self.by_group:
            raise UsageError(f"This fit has no conditional modes by {group}.")
        return self.by_group[group]


NO_MODES = StoredModes({})
"""For models without random effects."""
