"""How far coders agree: on each utterance (kappa, alpha), and on what a session's rating is made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError

_FEWEST_SESSIONS = 2  # coded twice: with one session there is no spread to compare the error with


@dataclass(frozen=True)
class Agreement:
    """How far coders agree on a rating that is made of their codes.

    Attributes
    ----------
    scale : str
        The rating.
    n_coders, n_sessions : int
    n_utterances_twice, n_sessions_twice : int
        Coded by two or more.
    cohens_kappa : float or None
        Mean over pairs of coders of Cohen's kappa (Light's kappa), over the utterances that both coded; None where no
        pair has any, or none of their codes differ.
    krippendorffs_alpha : float or None
        Nominal, over utterances; None where nothing was coded twice or all codes are one.
    reliability : float or None
        Of the rating of a session as it stands (the mean of its coders); None where too little was coded twice.
    """

    scale: str
    n_coders: int
    n_sessions: int
    n_utterances_twice: int
    n_sessions_twice: int
    cohens_kappa: float | None
    krippendorffs_alpha: float | None
    reliability: float | None


def cohens_kappa(codes: ArrayLike) -> float | None:
    """Return the mean over pairs of coders of Cohen's kappa (Light 1971, doi 10.1037/h0031643).

    Parameters
    ----------
    codes : array_like, shape (n_coders, n_units)
        Codes as whole numbers; NaN where a coder did not code a unit.

    Returns
    -------
    float or None
        None where no two coders share a unit, or those who do use one code only.

    Examples
    --------
    >>> round(cohens_kappa([[1, 1, 0, 0, 1], [1, 0, 0, 0, 1]]), 4)
    0.6154
    """
    from statsmodels.stats.inter_rater import cohens_kappa as kappa_of_table
    from statsmodels.stats.inter_rater import to_table

    codes = np.asarray(codes, dtype=float)
    found = []
    for one, other in combinations(codes, 2):
        both = ~np.isnan(one) & ~np.isnan(other)
        pair = np.column_stack([one[both], other[both]])
        if pair.size and len(np.unique(pair)) > 1:
            found.append(float(kappa_of_table(to_table(pair)[0], return_results=False)))
    return float(np.mean(found)) if found else None


def krippendorffs_alpha(codes: ArrayLike) -> float | None:
    """Return Krippendorff's alpha for nominal codes (Hayes & Krippendorff 2007, doi 10.1080/19312450709336664).

    Parameters
    ----------
    codes : array_like, shape (n_coders, n_units)
        NaN where a coder did not code a unit.

    Returns
    -------
    float or None
        None where no unit was coded twice, or all codes are one.

    Raises
    ------
    UsageError
        If the package that computes it is not installed.
    """
    try:
        from krippendorff import alpha
    except ModuleNotFoundError:
        raise UsageError(
            "To tell how far coders agree the package krippendorff is needed, and it is not installed",
            "pip install 'outcomes[coding]'",
        ) from None
    twice = _coded_twice(codes)
    if len(np.unique(twice[~np.isnan(twice)])) < 2:
        return None
    return float(alpha(reliability_data=twice, level_of_measurement="nominal"))


def interval_alpha(ratings: ArrayLike) -> float | None:
    """Return Krippendorff's alpha for ratings on an interval scale.

    alpha = 1 - Do / De, Do = sum_u 2 m_u / (m_u - 1) sum_i (x_iu - mean_u)^2 / n, De = 2 sum (x - mean)^2 / (n - 1),
    m_u ratings of unit u, n ratings in all. The package's own needs room for units x values x values: terabytes for
    some thousand sessions.

    Parameters
    ----------
    ratings : array_like, shape (n_coders, n_units)
        NaN where a coder did not rate a unit.

    Returns
    -------
    float or None
        None where no unit was rated twice, or all ratings are one.
    """
    twice = _coded_twice(ratings)
    n = int((~np.isnan(twice)).sum())
    if not n:
        return None
    m = (~np.isnan(twice)).sum(axis=0)
    within = np.nansum((twice - np.nanmean(twice, axis=0)) ** 2, axis=0)
    between = 2 * np.nansum((twice - np.nanmean(twice)) ** 2) / (n - 1)
    return float(1 - (2 * m / (m - 1) * within).sum() / n / between) if between > 0 else None


def _coded_twice(codes: ArrayLike) -> np.ndarray:
    codes = np.asarray(codes, dtype=float)
    return codes[:, (~np.isnan(codes)).sum(axis=0) > 1] if codes.size else codes


def reliability_of_means(ratings: ArrayLike) -> float | None:
    """Return the reliability of sessions' mean ratings over their coders.

    That of one coder is Krippendorff's alpha for intervals; that of a mean of k coders is k r / (1 + (k - 1) r)
    (Spearman, Brown), k the harmonic mean of the coders a session has. An alpha below 0 is no reliability: 0.

    Parameters
    ----------
    ratings : array_like, shape (n_coders, n_sessions)
        NaN where a coder did not code a session.

    Returns
    -------
    float or None
        In [0, 1]; None where fewer than two sessions were coded twice, or all ratings are one.
    """
    ratings = np.asarray(ratings, dtype=float)
    n_coders = (~np.isnan(ratings)).sum(axis=0) if ratings.size else np.array([])
    if (n_coders > 1).sum() < _FEWEST_SESSIONS:
        return None
    one = interval_alpha(ratings)
    if one is None:
        return None
    k = float(1 / np.mean(1 / n_coders[n_coders > 0]))
    return max(k * one / (1 + (k - 1) * one), 0.0) if one > 0 else 0.0
