"""What a reader of every release can work out about one table: the ranges of its counts and of their changes.

The reader knows the rule, all that was told, that parts add up to their sums, and of any two successive releases
whether the table only grew or only shrank: then no part and no sum moved the other way, a difference of parts neither.
A count, or a change between two releases, is protected where the values that remain possible include one of `threshold`
or more (in size), or else zero and two more: nobody can then prove that there is someone and that they are few. Ranges
are exact: integer programmes (`scipy.optimize.milp`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from outcomes.disclosure.counts import AMBIGUITY

MANY = 3
"""With more open ranges than this, two tables are looked for that widen many at once, for the price of one range."""


@dataclass(frozen=True)
class Revealed:
    """A count, or a change of one, that a reader can work out too exactly.

    Attributes
    ----------
    key : int
        Place of the count among the parts and sums.
    at : int
        Release; of a change, the later one.
    since : int or None
        The earlier release of a change.
    low, high : int
        Its range.
    """

    key: int
    at: int
    since: int | None
    low: int
    high: int


@dataclass(frozen=True)
class View:
    """One table as all releases tell it.

    Attributes
    ----------
    sums : ndarray of (n_sums, n_parts)
        How often a part counts in a sum; -1 where it is taken away.
    low, high : ndarray of (n_releases, n_parts + n_sums)
        Ranges behind what was told, parts first; `high` is inf where nothing was.
    grew : ndarray of (n_releases - 1, n_parts + n_sums)
        For each release after the first: 1 where no part fell since the one before and this count did not either, -1
        where none rose, else 0.
    """

    sums: np.ndarray
    low: np.ndarray
    high: np.ndarray
    grew: np.ndarray

    @property
    def n_parts(self) -> int:
        """Number of parts."""
        return self.sums.shape[1]

    @property
    def n_releases(self) -> int:
        """Number of releases."""
        return len(self.low)

    @property
    def all_counts(self) -> np.ndarray:
        """Matrix that makes parts and sums out of parts."""
        return np.vstack([np.eye(self.n_parts, dtype=int), self.sums])


class Ranges:
    """Ranges of all counts and changes of a view, from the solutions found so far; they only widen."""

    def __init__(self, view: View, threshold: int, found: list[np.ndarray] | None = None) -> None:
        self.view, self.threshold = view, threshold
        self._found = [] if found is None else found
        keys, releases = len(view.all_counts), view.n_releases
        # A count is a change since a release of nobody, which stands behind the last one.
        self._pairs = [(since, at) for at in range(releases) for since in (releases, *range(at))]
        self._since, self._at = np.array(self._pairs).T
        self.low = np.full((len(self._pairs), keys), np.inf)
        self.high = np.full((len(self._pairs), keys), -np.inf)
        self._problem = _problem(view, threshold)

    def add(self, parts: np.ndarray) -> None:
        """Widen the ranges by one table that fits all that was told; `parts` is (n_releases, n_parts)."""
        counts = np.vstack([parts @ self.view.all_counts.T, np.zeros(len(self.view.all_counts), dtype=int)])
        values = counts[self._at] - counts[self._since]
        self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)

    def unprotected(self) -> np.ndarray:
        """Places that no solution found so far protects."""
        return np.argwhere(~self.protects(self.low, self.high))

    def protects(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Whether a range holds a number that is not small, or zero and two more."""
        large = (low <= high) & (np.maximum(np.abs(low), np.abs(high)) >= self.threshold)  # low > high: none found yet
        return large | ((low <= 0) & (high >= 0) & (high - low >= AMBIGUITY - 1))

    def solve_together(self, places: np.ndarray) -> None:
        """Widen many ranges by two tables: one in which their sum is largest, one in which it is smallest."""
        objective = sum(self._objective(place) for place in places)
        for sign in (-1, 1):
            self._widen(sign * objective)

    def solve(self, place: Sequence[int]) -> Revealed | None:
        """Find the whole range of one count or change; return it where it is not protected."""
        (since, at), key = self._pairs[place[0]], int(place[1])
        for sign in (-1, 1):
            self._widen(sign * self._objective(place))
            if self.protects(self.low[*place], self.high[*place]):
                return None
        before = since if since < self.view.n_releases else None
        return Revealed(key, at, before, int(self.low[*place]), int(self.high[*place]))

    def _objective(self, place: Sequence[int]) -> np.ndarray:
        """What to multiply the parts by to have the count or change."""
        (since, at), key = self._pairs[place[0]], int(place[1])
        objective = np.zeros((self.view.n_releases + 1, self.view.n_parts))
        objective[at] += self.view.all_counts[key]
        objective[since] -= self.view.all_counts[key]
        return objective[:-1]  # nobody is in the release behind the last one

    def _widen(self, objective: np.ndarray) -> None:
        self._found.append(self._solution(objective))
        self.add(self._found[-1])

    def _solution(self, objective: np.ndarray) -> np.ndarray:
        bounds, constraints = self._problem
        found = milp(objective.ravel(), integrality=np.ones(objective.size), bounds=bounds, constraints=constraints)
        if found.x is None:
            raise ValueError("what was told of this table does not fit together")
        return np.rint(found.x).astype(int).reshape(objective.shape)


def revealed(view: View, threshold: int, truth: np.ndarray | None = None) -> tuple[Revealed, ...]:
    """Return every count and change of a table that a reader of all releases can work out too exactly.

    Parameters
    ----------
    view : View
        What was told.
    threshold : int
        The study's `minimum_count`.
    truth : ndarray of (n_releases, n_parts), optional
        The true parts: one more table that fits, which saves work. A reader does without.

    Raises
    ------
    ValueError
        If nothing fits all that was told.
    """
    ranges = Ranges(view, threshold)
    if truth is not None:
        ranges.add(truth)
    found, done = [], set()
    while True:
        left = [place for place in ranges.unprotected() if tuple(place) not in done]
        if not left:
            return tuple(found)
        done.add(tuple(left[-1]))
        if one := ranges.solve(left[-1]):
            found.append(one)


def first_revealed(
    view: View, threshold: int, fitting: Sequence[np.ndarray], found: list[np.ndarray]
) -> Revealed | None:
    """Return a count or change that a reader can work out too exactly; None where there is none.

    Parameters
    ----------
    view : View
        What was told.
    threshold : int
        The study's `minimum_count`.
    fitting : sequence of ndarray of (n_releases, n_parts)
        Tables that are known to fit: each saves work.
    found : list of ndarray
        Further tables that fit are added to it; they still fit once less is told.
    """
    ranges = Ranges(view, threshold, found)
    for table in fitting:
        ranges.add(table)
    n_before = np.inf
    while MANY < len(left := ranges.unprotected()) < n_before:
        n_before = len(left)
        ranges.solve_together(left)
    while len(left := ranges.unprotected()):
        if one := ranges.solve(left[-1]):
            return one
    return None


def _problem(view: View, threshold: int) -> tuple[Bounds, list[LinearConstraint]]:
    """Bounds of the parts of all releases, and what their sums and the growth between releases ask for."""
    releases, parts = view.n_releases, view.n_parts
    finite = view.high[np.isfinite(view.high)]
    top = 10 * threshold + 2 * (finite.max() if finite.size else 0)  # large enough to stand for "anything"
    high = np.minimum(view.high, top * parts)
    rows = np.kron(np.eye(releases, dtype=int), view.sums)
    constraints = [LinearConstraint(csr_array(rows), view.low[:, parts:].ravel(), high[:, parts:].ravel())]
    is_difference = (view.all_counts < 0).any(axis=1)  # other sums move as their parts do
    told_apart = np.flatnonzero(is_difference | (np.arange(len(is_difference)) < parts))
    moves = np.kron(np.diff(np.eye(releases, dtype=int), axis=0), view.all_counts[told_apart])
    signs = view.grew[:, told_apart].ravel()
    linked = signs != 0
    if linked.any():
        constraints.append(LinearConstraint(csr_array(moves[linked] * signs[linked, None]), 0, np.inf))
    part_high = np.minimum(view.high[:, :parts], top)
    return Bounds(view.low[:, :parts].ravel(), part_high.ravel()), constraints if len(view.sums) else constraints[1:]
