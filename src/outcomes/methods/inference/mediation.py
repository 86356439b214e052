"""1-1-1 mediation: guidance -> alliance -> satisfaction, within clients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError
from outcomes.methods.inference.contrasts import check_coefficients, check_covariance, check_level


@dataclass(frozen=True)
class IndirectEffect:
    """An indirect effect with its Monte-Carlo interval.

    Attributes
    ----------
    value : float
        a b + cov(a_i, b_i), outcome units per unit of the predictor.
    conf_low, conf_high : float
        Asymmetric where the product's distribution is.
    level : float
    n_draws : int
    """

    value: float
    conf_low: float
    conf_high: float
    level: float
    n_draws: int


def indirect_effect(
    paths: ArrayLike,
    covariance: ArrayLike,
    rng: np.random.Generator,
    *,
    slope_covariance: float = 0.0,
    slope_covariance_std_error: float = 0.0,
    level: float = 0.95,
    n_draws: int = 100_000,
) -> IndirectEffect:
    """Estimate the average indirect effect a_W b_W + cov(a_i, b_i) within clients.

    Kenny, Korchmaros & Bolger 2003, doi 10.1037/1082-989X.8.2.115; Bauer, Preacher & Gil 2006, doi
    10.1037/1082-989X.11.2.142. Interval: percentiles over draws of (a, b) from their joint normal (Preacher & Selig
    2012, doi 10.1080/19312458.2012.679848). Both paths must be slopes within clients, the mediator before the outcome.

    Parameters
    ----------
    paths : array_like, shape (2,)
        (a, b): predictor to mediator; mediator to outcome at the same predictor.
    covariance : array_like, shape (2, 2)
        Sampling covariance of (a, b); off-diagonal 0 where they come from separate models.
    rng : numpy.random.Generator
    slope_covariance : float
        Covariance over clients of the random slopes a_i and b_i; 0 where they are fixed.
    slope_covariance_std_error : float
        Its standard error; drawn independently of (a, b).
    level : float
    n_draws : int

    Raises
    ------
    UsageError
        If a path is missing, or the covariance or a standard error cannot be one.
    """
    if not slope_covariance_std_error >= 0:
        raise UsageError("The standard error of the slopes' covariance must not be negative or missing.")
    check_level(level)
    paths = check_coefficients(paths, 2)
    covariance = check_covariance(covariance, 2)
    a, b = rng.multivariate_normal(paths, covariance, size=n_draws, method="eigh").T
    product = a * b + rng.normal(slope_covariance, slope_covariance_std_error, size=n_draws)
    low, high = np.quantile(product, [(1 - level) / 2, (1 + level) / 2])
    return IndirectEffect(float(paths[0] * paths[1] + slope_covariance), float(low), float(high), level, n_draws)
