"""Rubin's rules: one estimate from several completed data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError
from outcomes.methods.inference.contrasts import Estimate, estimate


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate and what the missing values cost.

    Attributes
    ----------
    pooled : Estimate
    within, between : float
        Mean variance of the completed-data estimates, and the variance between them.
    increase : float
        Relative increase of the variance because values are missing.
    missing_information : float
        Share of the information that is missing, 0 to 1.
    """

    pooled: Estimate
    within: float
    between: float
    increase: float
    missing_information: float


def pool_imputations(
    estimates: ArrayLike, variances: ArrayLike, df_complete: float = np.inf, level: float = 0.95
) -> Pooled:
    """Pool the estimates of m completed data sets.

    T = U + (1 + 1/m) B; degrees of freedom by Rubin 1987 (equation 3.1.6), bounded by those of the complete data as in
    Barnard & Rubin 1999, doi 10.1093/biomet/86.4.948.

    Parameters
    ----------
    estimates, variances : array_like, shape (m,)
        One estimate and its squared standard error an imputation, m at least 2.
    df_complete : float
        Degrees of freedom if nothing were missing.
    level : float

    Raises
    ------
    UsageError
        With fewer than two imputations, or variances that are not positive.
    """
    found, variances = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    m = found.size
    if found.ndim != 1 or found.shape != variances.shape or m < 2:
        raise UsageError("Rubin's rules need one estimate and one variance from each of at least two imputations.")
    if not (np.isfinite(found).all() and (variances > 0).all()):
        raise UsageError("Every imputation needs a finite estimate and a positive variance.")
    within, between = float(variances.mean()), float(found.var(ddof=1))
    total = within + (1 + 1 / m) * between
    increase = (1 + 1 / m) * between / within
    df_rubin = (m - 1) * (1 + 1 / increase) ** 2 if increase > 0 else np.inf
    df = _bounded(df_rubin, df_complete, (1 + 1 / m) * between / total)
    missing = (increase + 2 / (df + 3)) / (increase + 1)
    return Pooled(estimate(float(found.mean()), total, level, df), within, between, increase, missing)


def _bounded(df: float, df_complete: float, share: float) -> float:
    """Barnard and Rubin's degrees of freedom: never more than the complete data have."""
    if not np.isfinite(df_complete):
        return df
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    return observed if not np.isfinite(df) else df * observed / (df + observed)
