"""Reliability of ratings: of group means (ICC1, ICC2), of a scale's items (Cronbach's alpha), of departures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import FitRefused


@dataclass(frozen=True)
class AnovaReliability:
    """Reliability from the one-way analysis of variance.

    Attributes
    ----------
    icc1 : float
        Share of variance between groups; negative where the means vary less than chance.
    icc2 : float
        Reliability of an average group's mean.
    within_sd : float
    n_groups, n_rows : int
    mean_group_size : float
    """

    icc1: float
    icc2: float
    within_sd: float
    n_groups: int
    n_rows: int
    mean_group_size: float


@dataclass(frozen=True)
class ItemReliability:
    """Internal consistency of a scale, on complete cases.

    Attributes
    ----------
    alpha : float
        Cronbach's alpha.
    standardised_alpha : float
        The same from the mean inter-item correlation.
    mean_correlation : float
    item_rest_correlation : ndarray, shape (k,)
        Each item with the sum of the others.
    n_complete, n_incomplete : int
    """

    alpha: float
    standardised_alpha: float
    mean_correlation: float
    item_rest_correlation: np.ndarray
    n_complete: int
    n_incomplete: int


def anova_reliability(values: ArrayLike, groups: ArrayLike) -> AnovaReliability:
    """Compute ICC1 = (MSB - MSW) / (MSB + (N - 1) MSW) and ICC2 = (MSB - MSW) / MSB.

    N is the mean group size, as in Bliese 2000 and the R package multilevel (doi 10.32614/CRAN.package.multilevel).

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN is left out.
    groups : array_like, shape (n,)

    Raises
    ------
    FitRefused
        If there is one group only, no group has two rows, or the group means do not vary.
    """
    values, groups = np.asarray(values, dtype=float), np.asarray(groups)
    keep = ~np.isnan(values)
    values, codes = values[keep], np.unique(groups[keep], return_inverse=True)[1]
    n = values.size
    sizes = np.bincount(codes) if n else np.zeros(0, dtype=int)
    if sizes.size < 2 or n == sizes.size:
        raise FitRefused(
            f"{n} rows in {sizes.size} groups cannot separate variance within from variance between.",
            hint="at least two groups, one of them with two rows",
        )
    means = np.bincount(codes, values) / sizes
    ms_between = np.sum(sizes * (means - values.mean()) ** 2) / (sizes.size - 1)
    ms_within = np.sum((values - means[codes]) ** 2) / (n - sizes.size)
    if ms_between == 0:
        raise FitRefused("The group means do not vary, so their reliability is not defined.")
    size = n / sizes.size
    return AnovaReliability(
        icc1=float((ms_between - ms_within) / (ms_between + (size - 1) * ms_within)),
        icc2=float((ms_between - ms_within) / ms_between),
        within_sd=float(np.sqrt(ms_within)),
        n_groups=int(sizes.size),
        n_rows=int(n),
        mean_group_size=float(size),
    )


def item_reliability(items: ArrayLike) -> ItemReliability:
    """Compute Cronbach's alpha = k/(k-1) (1 - sum var(item) / var(total)) (Cronbach 1951, doi 10.1007/BF02310555).

    Parameters
    ----------
    items : array_like, shape (n, k)
        Scored items, already reversed where the key says so; rows with NaN are left out and counted.

    Raises
    ------
    FitRefused
        If fewer than two items, fewer than three complete rows, or an item that does not vary.
    """
    items = np.atleast_2d(np.asarray(items, dtype=float))
    complete = items[~np.isnan(items).any(axis=1)]
    n, k = complete.shape
    if k < 2 or n < 3:
        raise FitRefused(
            f"{n} complete rows of {k} items cannot show internal consistency.", hint="two items, three rows"
        )
    covariance = np.cov(complete, rowvar=False)
    variances = np.diag(covariance)
    if (variances == 0).any():
        raise FitRefused(f"{int((variances == 0).sum())} of {k} items do not vary.", hint="leave them out")
    correlation = np.corrcoef(complete, rowvar=False)
    mean_r = float((correlation.sum() - k) / (k * (k - 1)))
    rest = complete.sum(axis=1, keepdims=True) - complete
    item_rest = np.array([np.corrcoef(complete[:, j], rest[:, j])[0, 1] for j in range(k)])
    return ItemReliability(
        alpha=float(k / (k - 1) * (1 - variances.sum() / covariance.sum())),
        standardised_alpha=k * mean_r / (1 + (k - 1) * mean_r),
        mean_correlation=mean_r,
        item_rest_correlation=item_rest,
        n_complete=int(n),
        n_incomplete=int(items.shape[0] - n),
    )


def departure_reliability(reliability: float, total_variance: float, within_variance: float) -> float:
    """Reliability of departures from a client's mean, where that of the ratings as they stand is known.

    The error's variance is (1 - r) V, all of it within clients, so that the departures have 1 - (1 - r) V / W. A slope
    on departures divided by it is what it would be without that error (Fuller 1987, doi 10.1002/9780470316665,
    section 1.1).

    Parameters
    ----------
    reliability : float
        r, share of the variance of the ratings that is not error, 0 to 1.
    total_variance, within_variance : float
        V of all ratings and W of their departures, squared scale units, as observed (error included).

    Raises
    ------
    FitRefused
        If the error is as large as the departures.

    Examples
    --------
    >>> round(departure_reliability(0.9, total_variance=4.0, within_variance=2.0), 2)
    0.8
    """
    share = 1 - (1 - reliability) * total_variance / within_variance if within_variance > 0 else 0.0
    if share <= 0:
        raise FitRefused("The error of the ratings is as large as their departures from clients' means.")
    return share
