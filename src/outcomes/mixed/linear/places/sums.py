"""What the columns of all places sum to, and the coordinates that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.mixed.design.coding import Design
from outcomes.mixed.linear.gram import GramData, columns_of
from outcomes.mixed.linear.problem import LinearFrame, linear_frame

_FIRST = 3  # rows, rows left out, sum of log weights; then levels by factor, then products of columns


@dataclass(frozen=True)
class PooledSums:
    """Moments of all places' rows together, or of one place's.

    Parameters
    ----------
    columns : tuple of str, length v
    n_random : int
    center : ndarray, shape (v,)
        What the products are about (0 for the constant): the means, once all places are in.
    total : ndarray, shape (v, v)
        Weighted cross-products about the center.
    log_weights : float
    n_rows, n_missing : int
    n_levels : dict of tuple to int
        Levels by grouping factor.
    """

    columns: tuple[str, ...]
    n_random: int
    center: np.ndarray
    total: np.ndarray
    log_weights: float
    n_rows: int
    n_missing: int
    n_levels: dict[tuple[str, ...], int]

    @property
    def scale(self) -> np.ndarray:
        """Standard deviations, shape (v,); 1 where a column does not vary."""
        own = self.about(self.center + self.total[0] / self.total[0, 0]).total
        sd = np.sqrt(np.maximum(np.diag(own), 0.0) / own[0, 0])
        return np.where(sd > 0, sd, 1.0)

    def about(self, center: np.ndarray) -> PooledSums:
        """The same sums about another center; exact algebra."""
        center = np.append(0.0, center[1:])
        delta, ones = self.center - center, self.total[0]
        total = self.total + np.outer(delta, ones) + np.outer(ones, delta) + np.outer(delta, delta) * ones[0]
        return replace(self, center=center, total=total)

    def __add__(self, other: PooledSums) -> PooledSums:
        """The sums of two places, none of whose levels is in both, about their common means."""
        other = other.about(self.center)
        both = replace(
            self,
            total=self.total + other.total,
            log_weights=self.log_weights + other.log_weights,
            n_rows=self.n_rows + other.n_rows,
            n_missing=self.n_missing + other.n_missing,
            n_levels={group: n + other.n_levels[group] for group, n in self.n_levels.items()},
        )
        return both.about(both.center + both.total[0] / both.total[0, 0])

    def frame(self, design: Design) -> LinearFrame:
        """The model's coordinates, which all places share."""
        return linear_frame(self, design, self.n_rows, self.n_levels)

    def coordinates(self, gram: GramData) -> GramData:
        """A place's cross-products in these coordinates."""
        return replace(gram.recentred(self.center), scale=self.scale)


def sums_of(gram: GramData) -> PooledSums:
    """One place's sums."""
    levels = {group: found.n_levels for group, found in gram.levels.items()}
    return PooledSums(
        gram.columns, gram.n_random, gram.center, gram.total, gram.log_weights, gram.n_rows, gram.n_missing, levels
    )


def write_sums(design: Design, gram: GramData) -> np.ndarray:
    """One place's sums as numbers that add over places."""
    sums = sums_of(gram).about(np.zeros(len(gram.columns)))
    levels = [sums.n_levels[group] for group in design.groups]
    products = sums.total[np.triu_indices(len(sums.columns))]
    return np.array([sums.n_rows, sums.n_missing, sums.log_weights, *levels, *products], dtype=float)


def read_sums(design: Design, summed: np.ndarray) -> PooledSums:
    """Moments from the sum of all places' numbers."""
    columns, n_random = columns_of([design])
    groups = design.groups
    upper = np.triu_indices(len(columns))
    about_zero = np.zeros((len(columns), len(columns)))
    about_zero[upper] = summed[_FIRST + len(groups) :]
    about_zero = np.triu(about_zero) + np.triu(about_zero, 1).T
    levels = np.rint(summed[_FIRST : _FIRST + len(groups)]).astype(int).tolist()
    sums = PooledSums(
        columns,
        n_random,
        np.zeros(len(columns)),
        about_zero,
        float(summed[2]),
        round(summed[0]),
        round(summed[1]),
        dict(zip(groups, levels, strict=True)),
    )
    return sums.about(about_zero[0] / about_zero[0, 0])
