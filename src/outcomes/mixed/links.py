"""Binomial log-likelihood and its derivatives in the linear predictor, for the logit and cloglog links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ETA_LIMIT = 500.0
"""Linear predictors are cut at +-500: probabilities are 0 or 1 to machine precision long before, and exp stays
finite."""


@dataclass(frozen=True)
class Derivatives:
    """Log-likelihood of rows and its derivatives in eta; arrays of shape (rows,).

    score = dl/deta, weight = -d2l/deta2 (observed information), third = dweight/deta.
    """

    loglik: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    third: np.ndarray


@dataclass(frozen=True)
class Link:
    """A link function of the binomial model.

    Parameters
    ----------
    name : str
    derivatives : callable
        (eta, events, trials) -> Derivatives; `trials` is None when every row is one trial. Binomial coefficients are
        left out.
    fourth : callable
        (eta, events, trials) -> d third / d eta.
    inverse : callable
        eta -> probability.
    start : callable
        probability -> eta.
    latent_variance : float
        Variance of the latent residual: pi^2/3 (logistic) or pi^2/6 (extreme value).
    """

    name: str
    derivatives: Callable[[np.ndarray, np.ndarray, np.ndarray | None], Derivatives]
    fourth: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    start: Callable[[np.ndarray], np.ndarray]
    latent_variance: float


def _logit_derivatives(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
    """Logistic: l = k eta - n log(1 + exp(eta)), in terms of exp(-|eta|) so that nothing overflows."""
    small = np.abs(eta)
    np.negative(small, out=small)
    np.exp(small, out=small)
    upper = 1.0 / (1.0 + small)  # the larger of p and 1 - p
    probability = np.where(eta >= 0, upper, small * upper)
    softplus = np.maximum(eta, 0.0) - np.log(upper)
    weight = small * upper * upper
    third = weight * (1.0 - 2.0 * probability)
    if trials is None:
        return Derivatives(events * eta - softplus, events - probability, weight, third)
    return Derivatives(events * eta - trials * softplus, events - trials * probability, trials * weight, trials * third)


def _cloglog_derivatives(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> Derivatives:
    """Complementary log-log: with m = exp(eta), l = k log(1 - exp(-m)) - (n - k) m."""
    mean = np.exp(np.clip(eta, -ETA_LIMIT, 50.0))
    others = (1.0 if trials is None else trials) - events
    survival = np.exp(-mean)
    ratio = np.where(mean > 1e-300, mean * survival / -np.expm1(-mean), 1.0)  # m / (exp(m) - 1)
    rest = ratio + mean - 1.0
    loglik = np.where(events > 0, events * np.log(-np.expm1(-mean)), 0.0) - others * mean
    score = events * ratio - others * mean
    weight = events * ratio * rest + others * mean
    third = events * ratio * (mean - ratio * rest - rest * rest) + others * mean
    return Derivatives(loglik, score, weight, third)


def _logit_fourth(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """w (1 - 6 p (1 - p))."""
    small = np.exp(-np.abs(eta))
    single = small / (1.0 + small) ** 2
    fourth = single * (1.0 - 6.0 * single)
    return fourth if trials is None else trials * fourth


def _cloglog_fourth(eta: np.ndarray, events: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """By the chain rule through ratio' = -ratio rest and rest' = m - ratio rest."""
    mean = np.exp(np.clip(eta, -ETA_LIMIT, 50.0))
    others = (1.0 if trials is None else trials) - events
    ratio = np.where(mean > 1e-300, mean * np.exp(-mean) / -np.expm1(-mean), 1.0)
    rest = ratio + mean - 1.0
    change = mean - ratio * rest
    inner = change - rest * rest
    slope = mean + ratio * rest * rest - ratio * change - 2.0 * rest * change
    return events * ratio * (slope - rest * inner) + others * mean


def _expit(eta: np.ndarray) -> np.ndarray:
    """Logistic distribution function."""
    return 1.0 / (1.0 + np.exp(-np.clip(eta, -ETA_LIMIT, ETA_LIMIT)))


LINKS: dict[str, Link] = {
    "logit": Link("logit", _logit_derivatives, _logit_fourth, _expit, lambda p: np.log(p) - np.log1p(-p), np.pi**2 / 3),
    "cloglog": Link(
        "cloglog",
        _cloglog_derivatives,
        _cloglog_fourth,
        lambda eta: -np.expm1(-np.exp(np.clip(eta, -ETA_LIMIT, 50.0))),
        lambda p: np.log(-np.log1p(-p)),
        np.pi**2 / 6,
    ),
}
"""The links of `fit_binomial` by name."""
