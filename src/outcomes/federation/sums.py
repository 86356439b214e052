"""The first round: what all sites' columns sum to, and the coordinates that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.federation.plan import Plan
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.problem import LinearFrame, linear_frame

_FIRST = 3  # rows, rows left out, sum of log weights; then levels by factor, then products of columns


@dataclass(frozen=True)
class PooledSums:
    """Moments of all sites' rows together.

    Parameters
    ----------
    columns : tuple of str, length v
    n_random : int
    center, scale : ndarray, shape (v,)
        Means and standard deviations (0 and 1 for the constant).
    total : ndarray, shape (v, v)
        Cross-products about the means.
    log_weights : float
    n_rows, n_missing : int
    n_levels : dict of tuple to int
        Levels by grouping factor.
    """

    columns: tuple[str, ...]
    n_random: int
    center: np.ndarray
    scale: np.ndarray
    total: np.ndarray
    log_weights: float
    n_rows: int
    n_missing: int
    n_levels: dict[tuple[str, ...], int]

    def frame(self, plan: Plan) -> LinearFrame:
        """The model's coordinates, which all sites share."""
        return linear_frame(self, plan.design, self.n_rows, self.n_levels)

    def coordinates(self, gram: GramData) -> GramData:
        """A site's cross-products in these coordinates."""
        return replace(gram.recentred(self.center), scale=self.scale)


def write_sums(plan: Plan, gram: GramData) -> np.ndarray:
    """One site's numbers of the first round."""
    about_zero = gram.recentred(np.zeros(len(gram.columns)))
    levels = [gram.levels[group].n_levels for group in plan.design.groups]
    products = about_zero.total[np.triu_indices(len(gram.columns))]
    return np.array([gram.n_rows, gram.n_missing, gram.log_weights, *levels, *products], dtype=float)


def read_sums(plan: Plan, summed: np.ndarray) -> PooledSums:
    """Moments from the sum of all sites' numbers."""
    columns, n_random = plan.columns
    groups = plan.design.groups
    upper = np.triu_indices(len(columns))
    about_zero = np.zeros((len(columns), len(columns)))
    about_zero[upper] = summed[_FIRST + len(groups) :]
    about_zero = np.triu(about_zero) + np.triu(about_zero, 1).T
    center = np.append(0.0, about_zero[0, 1:] / about_zero[0, 0])
    total = about_zero - np.outer(center, about_zero[0]) - np.outer(about_zero[0], center)
    total += np.outer(center, center) * about_zero[0, 0]
    sd = np.sqrt(np.maximum(np.diag(total), 0.0) / total[0, 0])
    levels = np.rint(summed[_FIRST : _FIRST + len(groups)]).astype(int).tolist()
    return PooledSums(
        columns,
        n_random,
        center,
        np.where(sd > 0, sd, 1.0) if len(sd) else sd,
        total,
        float(summed[2]),
        round(summed[0]),
        round(summed[1]),
        dict(zip(groups, levels, strict=True)),
    )
