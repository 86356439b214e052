"""Whole numbers that fit all that was printed: linear identities, and lists of which one row is true. By HiGHS."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

TOP = 20_000  # stands for "any number"
Expression = Mapping[Hashable, int]


class NothingFitsError(Exception):
    """What was printed contradicts itself: the attacker knows a rule that does not hold, or a page told an untruth."""


@dataclass
class Unknowns:
    """A growing set of whole numbers, 0 or more, and what is known of them."""

    _place: dict[Hashable, int] = field(default_factory=dict)
    _low: list[float] = field(default_factory=list)
    _high: list[float] = field(default_factory=list)
    _rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    _state: tuple = ()
    _groups: dict[tuple[int, ...], _Group] = field(default_factory=dict)

    def __contains__(self, name: Hashable) -> bool:
        """Whether anything is known of it."""
        return name in self._place

    def about(self, name: Hashable, low: float = 0, high: float = np.inf) -> Hashable:
        """Learn a range; what was known before stays."""
        if name not in self._place:
            self._place[name] = len(self._low)
            self._low.append(0)
            self._high.append(TOP)
        at = self._place[name]
        self._low[at], self._high[at] = max(self._low[at], low), min(self._high[at], high)
        return name

    def link(self, expression: Expression, low: float, high: float) -> None:
        """Learn that a sum of multiples lies in a range."""
        row: dict[int, float] = {}
        for name, times in expression.items():
            self.about(name)
            row[self._place[name]] = row.get(self._place[name], 0) + times
        self._rows.append((row, low, high))

    def equal(self, expression: Expression) -> None:
        """Learn that a sum of multiples is zero."""
        self.link(expression, 0, 0)

    def one_of(self, names: Sequence[Hashable], rows: np.ndarray) -> None:
        """Learn that the named numbers are one of the rows."""
        start = len(self._low)
        for _ in rows:
            self._low.append(0)
            self._high.append(1)
        places = range(start, start + len(rows))
        self._rows.append((dict.fromkeys(places, 1.0), 1, 1))
        for column, name in enumerate(names):
            self.about(name)
            chosen = {at: -float(value) for at, value in zip(places, rows[:, column], strict=True)}
            self._rows.append(({self._place[name]: 1.0, **chosen}, 0, 0))

    def possible(self, expression: Expression, enough: int = 3, large: int = 10) -> tuple[int, int, int]:
        """Return smallest, largest and number of possible values.

        Where `enough` or more are possible, one of them `large` in size or zero between them, the ends and the number
        are those found so far: least of what is possible. Otherwise the ends are exact, the number is up to `enough`.

        Raises
        ------
        NothingFitsError
            If nothing fits.
        """
        group, cost = self._costed(expression)
        for sign in (-1, 1):
            if self._is_wide(group, cost, enough, large):
                break
            if self._solve(group, sign * cost) is None:
                raise NothingFitsError
        else:
            found = self._values(group, cost)
            for value in range(min(found) + 1, max(found)):
                if len(self._values(group, cost)) >= enough:
                    break
                if value not in found:
                    self._solve(group, np.zeros(len(cost)), (cost, value))
        found = self._values(group, cost)
        return min(found), max(found), len(found)

    def widen(self, expressions: Sequence[Expression], enough: int = 3, large: int = 10) -> None:
        """Look for solutions that leave many sums many values at once; `possible` needs fewer of its own then."""
        n_before, left = np.inf, list(expressions)
        while len(left) < n_before:
            n_before, costs = len(left), {}
            for group, cost in map(self._costed, left):
                costs[id(group)] = (group, costs[id(group)][1] + cost if id(group) in costs else cost)
            for group, cost in costs.values():
                for sign in (-1, 1):
                    self._solve(group, sign * cost)
            left = [one for one in left if not self._is_wide(*self._costed(one), enough, large)]

    def _costed(self, expression: Expression) -> tuple[_Group, np.ndarray]:
        group = self._group([self._place[self.about(name)] for name in expression])
        cost = np.zeros(len(self._low))
        for name, times in expression.items():
            cost[self._place[name]] += times
        return group, cost

    def _is_wide(self, group: _Group, cost: np.ndarray, enough: int, large: int) -> bool:
        found = self._values(group, cost)
        return len(found) >= enough and (max(map(abs, found)) >= large or min(found) <= 0 <= max(found))

    def ends(self, expression: Expression) -> tuple[int, int]:
        """Return smallest and largest possible value, exactly.

        Raises
        ------
        NothingFitsError
            If nothing fits.
        """
        (group, cost), ends = self._costed(expression), []
        for sign in (1, -1):
            found = self._solve(group, sign * cost)
            if found is None:
                raise NothingFitsError
            ends.append(round(float(cost[group.places] @ found)))
        return ends[0], ends[1]

    def agrees(self, values: Mapping[Hashable, int]) -> bool:
        """Whether these values fit all that was learned; those of unknowns that nobody heard of do not matter."""
        everything = _Group(np.arange(len(self._low)), self._rows, [])
        low, high = list(self._low), list(self._high)
        for name, value in values.items():
            if name in self._place:
                at = self._place[name]
                if not low[at] <= value <= high[at]:
                    return False
                self._low[at] = self._high[at] = value
        found = self._solve(everything, np.zeros(len(low)))
        self._low, self._high = low, high
        return found is not None

    def _values(self, group: _Group, cost: np.ndarray) -> set[int]:
        return {round(float(cost[group.places] @ one)) for one in group.solutions}

    def _group(self, places: Sequence[int]) -> _Group:
        """Unknowns that have to do with the given ones, whatever the way; others cannot say anything about them."""
        state = (len(self._low), len(self._rows), tuple(self._low), tuple(self._high))
        if state != self._state:
            self._state, self._groups = state, {}
        key = tuple(sorted(set(places)))
        if key not in self._groups:
            inside = self._reached(key)
            same = next((one for one in self._groups.values() if set(one.places) == inside), None)
            self._groups[key] = same or _Group(
                np.array(sorted(inside)), [row for row in self._rows if not inside.isdisjoint(row[0])], []
            )
        return self._groups[key]

    def _reached(self, places: Sequence[int]) -> set[int]:
        inside, rows, grew = set(places), [set(row) for row, _, _ in self._rows], True
        while grew:
            grew, left = False, []
            for row in rows:
                if inside.isdisjoint(row):
                    left.append(row)
                else:
                    inside |= row
                    grew = True
            rows = left
        return inside

    def _solve(self, group: _Group, cost: np.ndarray, also: tuple[np.ndarray, int] | None = None) -> np.ndarray | None:
        at = {place: i for i, place in enumerate(group.places.tolist())}
        rows = list(group.rows)
        if also:
            rows.append(({p: float(also[0][p]) for p in np.flatnonzero(also[0]).tolist()}, also[1], also[1]))
        low, high = np.array(self._low)[group.places], np.array(self._high)[group.places]
        if (low > high).any():
            return None
        constraints = []
        if rows:
            i, j, times = zip(
                *((i, at[p], t) for i, (row, _, _) in enumerate(rows) for p, t in row.items()), strict=True
            )
            matrix = csr_array((times, (i, j)), shape=(len(rows), len(at)))
            constraints = [LinearConstraint(matrix, [row[1] for row in rows], [row[2] for row in rows])]
        found = milp(
            cost[group.places], integrality=np.ones(len(at)), bounds=Bounds(low, high), constraints=constraints
        )
        if found.x is None:
            return None
        group.solutions.append(np.rint(found.x))
        return group.solutions[-1]


@dataclass
class _Group:
    """Unknowns that hang together, what links them, and the solutions found so far."""

    places: np.ndarray
    rows: list
    solutions: list[np.ndarray]
