"""How much of what was kept back an attacker found: the only place that may know the truth is a judge."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from delivered import Delivered
from identities import Attack, Move, Quantity, days_of_last_session
from tables_that_fit import NothingFitsError

FEWEST_VALUES = 3
"""Values that a hidden number must still be able to have, zero or a large one among them: with fewer, or with small
ones only, a reader could prove that there is somebody and that they are few (docs/decisions/0034)."""
SMALL = 10  # the threshold of the studies attacked


@dataclass(frozen=True)
class Found:
    """One hidden number, or one change between two releases, and what it can still be."""

    release: int
    since: int | None
    quantity: Quantity
    low: int
    high: int
    n_values: int

    @property
    def is_identified(self) -> bool:
        """Whether one value is left."""
        return self.n_values == 1

    @property
    def is_protected(self) -> bool:
        """Whether enough values are left, and not only small ones."""
        reaches = max(abs(self.low), abs(self.high)) >= SMALL
        return self.n_values >= FEWEST_VALUES and (reaches or self.low <= 0 <= self.high)


@dataclass(frozen=True)
class Outcome:
    """What became of one sequence.

    Attributes
    ----------
    found : tuple of Found
        All hidden numbers, and all changes of numbers.
    exact_days : int
        Releases that tell the day of the last session.
    gave_up : int
        Agreements that were too many tables to try.
    system : Attack
        What it was found from.
    """

    found: tuple[Found, ...]
    exact_days: int
    gave_up: int
    system: Attack

    @property
    def won(self) -> tuple[Found, ...]:
        """Those that are not protected."""
        return tuple(one for one in self.found if not one.is_protected)

    def holds(self, truth: Sequence[Mapping[Quantity, int]]) -> bool:
        """Whether the truth fits all that the attacker takes for sure; where not, the attack itself is wrong."""
        values = {(at, quantity): n for at, known in enumerate(truth) for quantity, n in known.items()}
        return self.system.unknowns.agrees(values)


def attack(releases: Sequence[Delivered], moves: Sequence[Move], one_course: bool = True) -> Outcome:
    """Attack releases, oldest first; `one_course`: the attacker knows that nobody came back for a second course.

    Raises
    ------
    NothingFitsError
        If the releases contradict what the attacker takes for sure.
    """
    system = Attack(one_course=one_course).learn(releases, moves)
    asked = [((at, None, quantity), {(at, quantity): 1}) for at, quantity in dict.fromkeys(system.hidden)]
    told = {quantity: [] for _, quantity in (*system.hidden, *system.open)}
    for at, quantity in dict.fromkeys((*system.hidden, *system.open)):
        told[quantity].append(at)
    for quantity, places in told.items():
        steps = [*itertools.pairwise(sorted(places)), *([(min(places), max(places))] if len(places) > 2 else [])]
        asked += [((at, since, quantity), {(at, quantity): 1, (since, quantity): -1}) for since, at in steps]
    system.unknowns.widen([expression for _, expression in asked])
    found = [Found(*place, *system.unknowns.possible(expression)) for place, expression in asked]
    days = [days_of_last_session(one) for one in releases]
    return Outcome(tuple(found), sum(one == 1 for one in days), system.gave_up, system)


__all__ = ["FEWEST_VALUES", "Found", "NothingFitsError", "Outcome", "attack"]
