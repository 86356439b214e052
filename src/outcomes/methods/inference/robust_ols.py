"""Ordinary least squares whose standard errors allow for dependence within clients or therapists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from statsmodels.regression.linear_model import WLS

from outcomes.errors import FitRefused

MIN_CLUSTERS = 10
"""Our floor. Below about 40 clusters the intervals are still somewhat narrow (Cameron & Miller 2015, doi
10.3368/jhr.50.2.317)."""


@dataclass(frozen=True)
class RobustFit:
    """Coefficients and their robust covariance.

    Attributes
    ----------
    beta : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
    df : float
        Number of clusters - 1, or infinite without clusters.
    """

    beta: np.ndarray
    covariance: np.ndarray
    df: float


def robust_ols(
    outcome: np.ndarray,
    design: np.ndarray,
    clusters: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> RobustFit:
    """Fit (weighted) least squares with cluster-robust standard errors, or HC3 without clusters (by statsmodels).

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : ndarray, shape (n, p)
        With the intercept; no missing values.
    clusters : ndarray, shape (n,), optional
        Client (or therapist) of each row.
    weights : ndarray, shape (n,), optional
        Positive; alike where not given.

    Raises
    ------
    FitRefused
        If columns are linearly dependent or there are fewer than ten clusters.
    """
    # On orthonormal columns statsmodels' least squares are quick and well conditioned: it would decompose the whole
    # design several times otherwise.
    basis, root = np.linalg.qr(design)
    tolerance = np.linalg.norm(root, 2) * max(design.shape) * np.finfo(float).eps  # as matrix_rank(design) has it
    if np.linalg.matrix_rank(root, tol=tolerance) < design.shape[1]:
        raise FitRefused(f"The {design.shape[1]} columns of the regression are linearly dependent.", hint="drop one")
    model = WLS(outcome, basis, weights=1.0 if weights is None else weights, hasconst=True)  # else it looks for one
    if clusters is None:
        fit, df = model.fit(method="qr", cov_type="HC3"), np.inf
    else:
        labels, codes = np.unique(clusters, return_inverse=True)
        if labels.size < MIN_CLUSTERS:
            raise FitRefused(
                f"{labels.size} clusters are too few for cluster-robust standard errors; {MIN_CLUSTERS} are needed.",
                hint="use a mixed model with small-sample degrees of freedom",
            )
        fit, df = model.fit(method="qr", cov_type="cluster", cov_kwds={"groups": codes}), labels.size - 1
    back = np.linalg.inv(root)
    return RobustFit(back @ np.asarray(fit.params), back @ np.asarray(fit.cov_params()) @ back.T, float(df))
