"""What the rows of all places sum to in a binomial model, and the coordinates that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.errors import FitRefused
from outcomes.links import Link
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.columns import FixedPart, fixed_part, location_and_scale
from outcomes.mixed.design.data import Source
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.laplace import Model
from outcomes.mixed.generalised.problem import Coordinates, Problem

_FIRST = 3  # rows, rows left out, events; then levels by factor, sums of columns, products of columns


@dataclass(frozen=True)
class BinomialSums:
    """Of one place's rows, or of all.

    Parameters
    ----------
    n_rows, n_missing : int
    events, trials : float
    constant : float
        Sum of the log binomial coefficients.
    mean : ndarray, shape (p,)
        Of the fixed columns.
    products : ndarray, shape (p, p)
        Cross-products of the columns about their means.
    n_levels : dict of tuple to int
        Levels by grouping factor; none is in two places.
    """

    n_rows: int
    n_missing: int
    events: float
    trials: float
    constant: float
    mean: np.ndarray
    products: np.ndarray
    n_levels: dict[tuple[str, ...], int]

    def __add__(self, other: BinomialSums) -> BinomialSums:
        """The sums of two places."""
        n = self.n_rows + other.n_rows
        apart = other.mean - self.mean
        return BinomialSums(
            n,
            self.n_missing + other.n_missing,
            self.events + other.events,
            self.trials + other.trials,
            self.constant + other.constant,
            self.mean + apart * (other.n_rows / n),
            self.products + other.products + np.outer(apart, apart) * (self.n_rows * other.n_rows / n),
            {group: levels + other.n_levels[group] for group, levels in self.n_levels.items()},
        )

    def to_vector(self, design: Design) -> np.ndarray:
        """The sums of single trials as numbers that add over places."""
        levels = [self.n_levels[group] for group in design.groups]
        about_zero = self.products + np.outer(self.mean, self.mean) * self.n_rows
        upper = about_zero[np.triu_indices(self.mean.size)]
        counts = [self.n_rows, self.n_missing, self.events, *levels]
        return np.concatenate([counts, self.mean * self.n_rows, upper]).astype(float)

    @classmethod
    def from_vector(cls, summed: np.ndarray, design: Design) -> BinomialSums:
        """The sums whose `to_vector`s were added."""
        p, n_groups = len(design.fixed), len(design.groups)
        counts, levels, total, upper = np.split(summed, np.cumsum([_FIRST, n_groups, p]))
        about_zero = np.zeros((p, p))
        about_zero[np.triu_indices(p)] = upper
        about_zero += np.triu(about_zero, 1).T
        n, mean = round(counts[0]), total / counts[0]
        return cls(
            n,
            round(counts[1]),
            float(round(counts[2])),
            float(n),
            0.0,
            mean,
            about_zero - np.outer(mean, mean) * n,
            dict(zip(design.groups, np.rint(levels).astype(int).tolist(), strict=True)),
        )

    def fixed(self, design: Design) -> FixedPart:
        """The fixed columns' coordinates, which all places share."""
        center, _ = location_and_scale(design.fixed, self.mean, np.ones(self.mean.size))
        away = self.mean - center
        gram = self.products / self.n_rows + np.outer(away, away)
        _, scale = location_and_scale(design.fixed, self.mean, np.diag(gram))
        return fixed_part(design.fixed, self.mean, center, scale, gram / np.outer(scale, scale), self.n_rows)

    def working_gram(self, fixed: FixedPart) -> np.ndarray:
        """Cross-products of the columns kept, in working coordinates."""
        away = self.mean - fixed.center
        gram = self.products + np.outer(away, away) * self.n_rows
        return (gram / np.outer(fixed.scale, fixed.scale))[np.ix_(fixed.kept, fixed.kept)]

    @property
    def order(self) -> list[tuple[str, ...]]:
        """Grouping factors, most levels first, as with rows at hand."""
        return sorted(self.n_levels, key=lambda group: -self.n_levels[group])


@dataclass(frozen=True)
class _AllRows:
    """How many rows all places have together; where they are they stay."""

    n_rows: int
    n_columns: int
    has_slopes = False
    n_random_columns = 1


@dataclass(frozen=True)
class _Count:
    """Levels of a grouping factor of which only the number is known here."""

    name: str
    n_levels: int


def frame_of(design: Design, link: Link, fixed: FixedPart, sums: BinomialSums) -> Problem:
    """The problem without its rows.

    Raises
    ------
    FitRefused
        A grouping factor with fewer than two levels.
    """
    counts = tuple(_Count(":".join(group), sums.n_levels[group]) for group in sums.order)
    for count in counts:
        if count.n_levels < 2:
            raise FitRefused(
                f"The grouping factor {count.name} has fewer than two levels among the complete rows.",
                f"leave (1 | {count.name}) out",
            )
    factors = tuple(LevelFactor((1,), one.name, one.n_levels, np.array([0])) for one in counts)
    one = np.ones((1, 1))
    ones, effects = tuple(one for _ in counts), tuple((INTERCEPT_NAME,) for _ in counts)
    coordinates = Coordinates(fixed.names, fixed.back, ones, effects, counts, fixed.x_cov, ones, fixed.shift)
    model = Model(_AllRows(sums.n_rows, len(fixed.names)), Blocks(factors, np.empty((len(factors), 0)), 1), link)
    # no place is open any more
    design = replace(design, source=Source(None, design.source.columns))
    return Problem(design, model, coordinates, sums.constant, sums.n_missing, fixed.dropped, ())
