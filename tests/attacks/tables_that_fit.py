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
    _is_choice: list[bool] = field(default_factory=list)
    _rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def __contains__(self, name: Hashable) -> bool:
        """Whether anything is known of it."""
        return name in self._place

    def about(self, name: Hashable, low: float = 0, high: float = np.inf) -> Hashable:
        """Learn a range; what was known before stays."""
        if name not in self._place:
            self._place[name] = len(self._low)
            self._low.append(0)
            self._high.append(TOP)
            self._is_choice.append(False)
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
            self._is_choice.append(True)
        places = range(start, start + len(rows))
        self._rows.append(({at: 1.0 for at in places}, 1, 1))
        for column, name in enumerate(names):
            self.about(name)
            chosen = {at: -float(value) for at, value in zip(places, rows[:, column], strict=True)}
            self._rows.append(({self._place[name]: 1.0, **chosen}, 0, 0))

    def possible(self, expression: Expression, most: int = 12) -> tuple[int, int, int]:
        """Return smallest, largest and number of possible values; the number is exact up to `most`, else at least that.

        Raises
        ------
        NothingFitsError
            If nothing fits.
        """
        low, high = self._end(expression, 1), self._end(expression, -1)
        if high - low >= most:
            return low, high, high - low + 1
        between = sum(self._fits(expression, value) for value in range(low + 1, high))
        return low, high, between + (2 if high > low else 1)

    def _end(self, expression: Expression, sign: int) -> int:
        cost = np.zeros(len(self._low))
        for name, times in expression.items():
            self.about(name)
            cost = np.pad(cost, (0, len(self._low) - len(cost)))
            cost[self._place[name]] += sign * times
        found = self._solve(cost, self._rows)
        if found is None:
            raise NothingFitsError
        return round(sign * float(cost @ found))

    def _fits(self, expression: Expression, value: int) -> bool:
        row = {self._place[name]: float(times) for name, times in expression.items()}
        return self._solve(np.zeros(len(self._low)), [*self._rows, (row, value, value)]) is not None

    def _solve(self, cost: np.ndarray, rows: list) -> np.ndarray | None:
        places = [(i, at, times) for i, (row, _, _) in enumerate(rows) for at, times in row.items()]
        constraints = []
        if places:
            i, at, times = zip(*places, strict=True)
            matrix = csr_array((times, (i, at)), shape=(len(rows), len(cost)))
            constraints = [LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])]
        if any(low > high for low, high in zip(self._low, self._high, strict=True)):
            return None
        found = milp(cost, integrality=np.ones(len(cost)), bounds=Bounds(self._low, self._high), constraints=constraints)
        return None if found.x is None else np.rint(found.x)
