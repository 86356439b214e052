"""How much therapists differ: variance shares, median odds ratio, boundary test, comparative intervals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy
from numpy.typing import ArrayLike

from outcomes.errors import FitRefused, UsageError
from outcomes.links import Link, link_named

MIN_THERAPISTS = 10
"""Below, the data cannot inform the therapist variance (a convention: no source gives a sharp limit)."""

USUAL_THERAPISTS = 30
"""From here on the usual large-sample methods hold (a convention: no source gives a sharp limit)."""

_LEAST_LRT = 0.01
"""Below it the statistic is rounding, and the ratio of an estimate to it no noise."""


class TherapistInformation(StrEnum):
    """What a number of therapists can carry."""

    NONE = "too few therapists"
    SMALL_SAMPLE = "small-sample methods only"
    USUAL = "usual"


@dataclass(frozen=True)
class ComparativeIntervals:
    """Shrunken therapist effects with intervals made for comparing pairs, in the order given: never a ranking.

    Attributes
    ----------
    effect, conf_low, conf_high : ndarray, shape (n_therapists,)
        Link-scale deviations from the average therapist.
    multiplier : float
        Of the standard error; two intervals that do not overlap differ at the level on average over pairs.
    level : float
    """

    effect: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    multiplier: float
    level: float


def therapist_information(n_therapists: int) -> TherapistInformation:
    """Say what this number of therapists can carry."""
    if n_therapists < MIN_THERAPISTS:
        return TherapistInformation.NONE
    return TherapistInformation.SMALL_SAMPLE if n_therapists < USUAL_THERAPISTS else TherapistInformation.USUAL


def variance_share(group_variance: float, *other_variances: float) -> float:
    """Intraclass correlation s2v / (s2v + all other variances); for a linear model pass s2u and s2e.

    Raises
    ------
    UsageError
        If a variance is negative or they are all zero.
    """
    variances = np.array([group_variance, *other_variances], dtype=float)
    if not (variances >= 0).all() or variances.sum() == 0:
        raise UsageError("A variance share needs variances that are not negative and not all zero.")
    return float(group_variance / variances.sum())


def latent_variance_share(group_variance: float, link: str | Link, *other_variances: float) -> float:
    """Intraclass correlation on the latent scale: the link's residual variance is fixed (pi^2/3 for the logit).

    Goldstein, Browne & Rasbash 2002, doi 10.1207/S15328031US0104_02.

    Examples
    --------
    >>> round(latent_variance_share(0.199, "logit"), 3)
    0.057
    """
    return variance_share(group_variance, *other_variances, link_named(link).latent_variance)


def variance_from_share(share: float, link: str | Link) -> float:
    """Random-intercept variance behind a latent share: s2v = share / (1 - share) x residual variance."""
    if not 0 <= share < 1:
        raise UsageError(f"A variance share must lie in [0, 1); {share} was given.")
    return float(share / (1 - share) * link_named(link).latent_variance)


def median_odds_ratio(group_variance: float) -> float:
    """Median odds ratio exp(sqrt(2 s2v) z_.75): the same client, two random therapists, higher against lower odds.

    Larsen & Merlo 2005, doi 10.1093/aje/kwi017. With a cloglog link the same number is a median hazard ratio.

    Examples
    --------
    >>> round(median_odds_ratio(0.474), 2)
    1.93
    """
    if not group_variance >= 0:
        raise UsageError("The variance of therapists cannot be negative.")
    with np.errstate(over="ignore"):  # therapists who differ without end: infinite, and a table then has no number
        return float(np.exp(np.sqrt(2 * group_variance) * scipy.stats.norm.ppf(0.75)))


def boundary_p_value(lrt: float) -> float:
    """p-value of one variance against zero, under the mixture of chi2(0) and chi2(1), half each.

    Self & Liang 1987, doi 10.1080/01621459.1987.10478472. `lrt` = 2 (l1 - l0); values below 0 by rounding count as 0.
    """
    if np.isnan(lrt):
        raise UsageError("The likelihood-ratio statistic is missing.")
    return 1.0 if lrt <= 0 else float(0.5 * scipy.stats.chi2.sf(lrt, 1))


def detectable_variance(variance: float, lrt: float, n_groups: int, alpha: float, power: float) -> float:
    """Variance between groups that the test against zero finds in a share `power` of studies like this one.

    An error of the estimate tells little of that: it grows with the estimate. In a balanced design lrt = (k - 1) (F - 1
    - ln F), where F is the ratio of mean squares and F - 1 = variance / noise (Searle, Casella & McCulloch 1992, doi
    10.1002/9780470316856). So a study tells its noise, and F of studies with a variance v spreads as (1 +
    v / noise) chi2(k - 1) / (k - 1).

    Parameters
    ----------
    variance : float
        As estimated, above 0.
    lrt : float
        2 (l1 - l0) against no variance.
    n_groups : int
        k, at least 2.
    alpha, power : float
        Level of `boundary_p_value`'s test, and the share of studies that should find it; 0-1.
    """
    k = n_groups - 1
    noise = variance / (_mean_square_ratio(max(lrt, _LEAST_LRT) / k) - 1)
    least = _mean_square_ratio(scipy.stats.chi2.isf(2 * alpha, 1) / k)
    return noise * (least / (scipy.stats.chi2.isf(power, k) / k) - 1)


def _mean_square_ratio(value: float) -> float:
    """F above 1 for which F - 1 - ln F has a value."""
    return float(scipy.optimize.brentq(lambda f: f - 1 - np.log(f) - value, 1.0, 1.6 * (value + 1)))


def comparative_intervals(effects: ArrayLike, std_errors: ArrayLike, level: float = 0.95) -> ComparativeIntervals:
    """Intervals for comparing any two therapists (Goldstein & Healy 1995, doi 10.2307/2983411).

    Half-width c s_i with c = z mean_{i<j} sqrt(s_i^2 + s_j^2) / (s_i + s_j), so that overlap is judged at the level on
    average over pairs; c = 1.39 for equal standard errors. Effects must come from a case-mix adjusted model.

    Parameters
    ----------
    effects : array_like, shape (n_therapists,)
        Conditional modes.
    std_errors : array_like, shape (n_therapists,)
        Their comparative (conditional) standard errors.
    level : float

    Raises
    ------
    FitRefused
        If there are fewer than ten therapists.
    UsageError
        If a standard error is not positive.
    """
    effects, errors = np.asarray(effects, dtype=float), np.asarray(std_errors, dtype=float)
    if effects.shape != errors.shape or effects.ndim != 1 or not (errors > 0).all():
        raise UsageError("Every therapist effect needs one positive standard error.")
    if therapist_information(effects.size) is TherapistInformation.NONE:
        raise FitRefused(
            f"{effects.size} therapists are too few to compare; at least {MIN_THERAPISTS} are needed.",
            hint="pool practices, or report the average over therapists only",
        )
    i, j = np.triu_indices(effects.size, k=1)
    ratio = np.hypot(errors[i], errors[j]) / (errors[i] + errors[j])
    multiplier = float(scipy.stats.norm.ppf((1 + level) / 2) * ratio.mean())
    return ComparativeIntervals(
        effects, effects - multiplier * errors, effects + multiplier * errors, multiplier, level
    )
