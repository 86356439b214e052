"""The log-probability of an interval of the latent variable, l = log[G(a) - G(b)], and its derivatives.

a = tau_k - eta and b = tau_{k-1} - eta are the upper and lower limits of category k less the linear predictor; the
derivatives in eta are score = dl/deta, weight = -d2l/deta2 and third = dweight/deta. Limits that are not there stand at
+-`FAR`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, ndtr, ndtri

from outcomes.errors import UsageError

FAR = 2000.0
"""A limit beyond any linear predictor (cut at +-500): G is 0 or 1 there to the last digit."""


@dataclass(frozen=True)
class Limit:
    """Derivatives by one limit: of l, score and weight, and the second one of l, each (rows,)."""

    loglik: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class Interval:
    """l and its derivatives, each (rows,); `both` is the derivative of l by both limits."""

    loglik: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    third: np.ndarray
    upper: Limit
    lower: Limit
    both: np.ndarray


def logistic_interval(a: np.ndarray, b: np.ndarray) -> Interval:
    """Logistic G: G(a) - G(b) = G(a) [1 - G(b)] [1 - exp(b - a)], which loses nothing in the tails."""
    A, B = expit(a), expit(b)
    gA, gB = A * expit(-a), B * expit(-b)
    slope_a, slope_b = gA * (1 - 2 * A), gB * (1 - 2 * B)
    gap = a - b
    h = 1 / np.expm1(np.minimum(gap, FAR / 4))  # derivative of log(1 - exp(-gap))
    change = -h * (1 + h)
    return Interval(
        loglik=log_expit(a) + log_expit(-b) + np.log(-np.expm1(-gap)),
        score=A + B - 1,
        weight=gA + gB,
        third=-(slope_a + slope_b),
        upper=Limit(1 - A + h, gA, slope_a, change - gA),
        lower=Limit(-B - h, gB, slope_b, change - gB),
        both=-change,
    )


def normal_interval(a: np.ndarray, b: np.ndarray) -> Interval:
    """Normal G: with r = phi / P at the limits, s = r_b - r_a, q = b r_b - a r_a and c = b^2 r_b - a^2 r_a, the weight
    is s^2 - q and its derivative s - 2 s weight - c + s q."""
    flip = a + b > 0  # of both tails take the one where probabilities do not round to 1
    high, low = np.where(flip, log_ndtr(-b), log_ndtr(a)), np.where(flip, log_ndtr(-a), log_ndtr(b))
    loglik = high + np.log(-np.expm1(np.minimum(low - high, 0.0)))
    r_a, r_b = _ratio(a, loglik), _ratio(b, loglik)
    s = r_b - r_a
    q = b * r_b - a * r_a
    c = b * b * r_b - a * a * r_a
    weight = s * s - q
    score_a, score_b = r_a * (a - s), r_b * (s - b)
    return Interval(
        loglik=loglik,
        score=s,
        weight=weight,
        third=s - 2 * s * weight - c + s * q,
        upper=Limit(r_a, score_a, 2 * s * score_a - r_a * (a * a - 1 - q), -r_a * (a + r_a)),
        lower=Limit(-r_b, score_b, 2 * s * score_b - r_b * (1 - b * b + q), r_b * (b - r_b)),
        both=r_a * r_b,
    )


def _ratio(x: np.ndarray, loglik: np.ndarray) -> np.ndarray:
    """phi(x) / P."""
    return np.exp(-0.5 * x * x - 0.5 * np.log(2 * np.pi) - loglik)


@dataclass(frozen=True)
class CumulativeLink:
    """A distribution of the latent variable.

    name : str; interval : (a, b) -> Interval; below : G; density : g; quantile : the inverse of G; latent_variance :
    variance of the latent residual; ratio : name of exp(effect) in tables, or None where it means nothing.
    """

    name: str
    interval: Callable[[np.ndarray, np.ndarray], Interval]
    below: Callable[[np.ndarray], np.ndarray]
    density: Callable[[np.ndarray], np.ndarray]
    quantile: Callable[[np.ndarray], np.ndarray]
    latent_variance: float
    ratio: str | None

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Callable[[str], CumulativeLink], tuple[str]]:
        return cumulative_link, (self.name,)


CUMULATIVE_LINKS: dict[str, CumulativeLink] = {
    link.name: link
    for link in (
        CumulativeLink(
            "logit",
            logistic_interval,
            expit,
            lambda x: expit(x) * expit(-x),
            lambda p: np.log(p) - np.log1p(-p),
            np.pi**2 / 3,
            "odds_ratio",
        ),
        CumulativeLink(
            "probit", normal_interval, ndtr, lambda x: np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi), ndtri, 1.0, None
        ),
    )
}
"""Links of ordered categories by name."""


def cumulative_link(name: str) -> CumulativeLink:
    """The link of this name.

    Raises
    ------
    UsageError
        When there is none; the message lists the names.
    """
    if name not in CUMULATIVE_LINKS:
        raise UsageError(
            f"The link {name!r} is not available for ordered categories.", f"use {' or '.join(CUMULATIVE_LINKS)}"
        )
    return CUMULATIVE_LINKS[name]
