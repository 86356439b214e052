"""Agreement between two definitions of dropout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from outcomes.errors import UsageError


@dataclass(frozen=True)
class Agreement:
    """Agreement of two labellings of the same episodes.

    Attributes
    ----------
    n : int
        Episodes labelled by both.
    observed : float
        Share (0-1) with the same label.
    kappa, kappa_std_error : float
        Cohen's kappa, its large-sample standard error; NaN where both use one label only.
    ac1, ac1_std_error : float
        Gwet's AC1, which stays near the observed agreement when one label is rare.
    """

    n: int
    observed: float
    kappa: float
    kappa_std_error: float
    ac1: float
    ac1_std_error: float

    def ac1_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of AC1 by t with n - 1 degrees of freedom, cut at 1."""
        half = float(stats.t.ppf((1 + level) / 2, self.n - 1)) * self.ac1_std_error
        return self.ac1 - half, min(self.ac1 + half, 1.0)


def cross_table(first: ArrayLike, second: ArrayLike, labels: tuple) -> np.ndarray:
    """Count label pairs, shape (q, q); pairs with a label outside `labels` (undetermined) are left out."""
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.ndim != 1:
        raise UsageError(f"The labellings have shapes {first.shape} and {second.shape}; both must be (n,).")
    return np.array([[np.sum((first == a) & (second == b)) for b in labels] for a in labels])


def agreement(table: ArrayLike) -> Agreement:
    """Compute Cohen's kappa and Gwet's AC1 from a square table of counts.

    kappa = (po - pe) / (1 - pe), pe = sum_k p_k. p_.k (Cohen 1960, doi 10.1177/001316446002000104; by statsmodels).
    AC1: pe = sum_k pi_k (1 - pi_k) / (q - 1), pi_k the mean of both margins, and
    var = (po (1 - po) - 4 (1 - g) (sum_k p_kk (1 - pi_k) / (q - 1) - po pe)
    + 4 (1 - g)^2 (sum_kl p_kl (1 - (pi_k + pi_l) / 2)^2 / (q - 1)^2 - pe^2)) / (n (1 - pe)^2)
    (Gwet 2008, doi 10.1348/000711006X126600).

    Parameters
    ----------
    table : array_like of int, shape (q, q)
        Rows: first labelling, columns: second; q >= 2.

    Raises
    ------
    UsageError
        If the table is not square, has fewer than two labels or no episodes.
    """
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape[0] < 2 or table.sum() <= 0:
        raise UsageError("Agreement needs a square table of counts with at least two labels and one episode.")
    n, q = table.sum(), table.shape[0]
    share = table / n
    observed = float(np.trace(share))
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    if np.isclose(rows @ columns, 1.0):
        kappa = kappa_error = float("nan")
    else:
        with np.errstate(invalid="ignore"):  # its z of a kappa without error, where one labelling has one label only
            result = cohens_kappa(table)
        kappa, kappa_error = float(result.kappa), float(np.sqrt(max(result.var_kappa, 0.0)))
    pi = (rows + columns) / 2
    chance = float(np.sum(pi * (1 - pi)) / (q - 1))
    ac1 = (observed - chance) / (1 - chance)
    diagonal = np.sum(np.diag(share) * (1 - pi)) / (q - 1)
    pairs = np.sum(share * (1 - (pi[:, None] + pi[None, :]) / 2) ** 2) / (q - 1) ** 2
    spread = (
        observed * (1 - observed)
        - 4 * (1 - ac1) * (diagonal - observed * chance)
        + 4 * (1 - ac1) ** 2 * (pairs - chance**2)
    )
    ac1_error = float(np.sqrt(max(spread, 0.0) / (n * (1 - chance) ** 2)))
    return Agreement(int(n), observed, kappa, kappa_error, float(ac1), ac1_error)
