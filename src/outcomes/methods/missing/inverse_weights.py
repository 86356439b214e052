"""Inverse-probability weights for ratings that are missing for a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError

TRUNCATION = (0.01, 0.99)
"""Percentiles at which weights are cut (Cole & Hernan 2008, doi 10.1093/aje/kwn164)."""


@dataclass(frozen=True)
class StabilisedWeights:
    """Weights of the observed rows.

    Attributes
    ----------
    weight : ndarray, shape (n,)
        NaN for rows that were not observed.
    mean_untruncated : float
        Near 1 where the model of the denominator is right; far from 1 says that it is not.
    n_truncated : int
    effective_n : float
        Kish's (sum w)^2 / sum w^2.
    """

    weight: np.ndarray
    mean_untruncated: float
    n_truncated: int
    effective_n: float


def stabilised_weights(
    is_observed: ArrayLike,
    probability: ArrayLike,
    marginal: ArrayLike,
    truncation: tuple[float, float] = TRUNCATION,
) -> StabilisedWeights:
    """Weight observed rows by P(observed | baseline) / P(observed | history).

    Robins, Hernan & Brumback 2000, doi 10.1097/00001648-200009000-00011; truncation at percentiles of the weights:
    Cole & Hernan 2008, doi 10.1093/aje/kwn164.

    Parameters
    ----------
    is_observed : array_like of bool, shape (n,)
    probability : array_like, shape (n,)
        P(observed | history), in (0, 1]; for session rows the product over the client's sessions so far.
    marginal : array_like, shape (n,) or scalar
        Numerator, from the model without the time-varying history.
    truncation : tuple of float
        Lower and upper percentile as proportions; (0, 1) cuts nothing.

    Raises
    ------
    UsageError
        If a probability of an observed row is missing or not in (0, 1], or no row is observed.
    """
    is_observed = np.asarray(is_observed, dtype=bool)
    probability = np.broadcast_to(np.asarray(probability, dtype=float), is_observed.shape)
    marginal = np.broadcast_to(np.asarray(marginal, dtype=float), is_observed.shape)
    used = np.stack([probability, marginal])[:, is_observed]
    if used.shape[1] == 0:
        raise UsageError("No row is observed, so there is nothing to weight.")
    bad = ~((used > 0) & (used <= 1)).all(axis=0)
    if bad.any():
        raise UsageError(f"{int(bad.sum())} of {bad.size} observed rows have a probability outside (0, 1].")
    raw = used[1] / used[0]
    cut = np.clip(raw, *np.quantile(raw, truncation))
    weight = np.full(is_observed.shape, np.nan)
    weight[is_observed] = cut
    return StabilisedWeights(
        weight=weight,
        mean_untruncated=float(raw.mean()),
        n_truncated=int((cut != raw).sum()),
        effective_n=float(cut.sum() ** 2 / np.sum(cut**2)),
    )
