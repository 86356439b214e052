"""Many sequences of releases, published and attacked: how much of what was kept back was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from studies_in_turn import Publisher, cohort, in_turn, truth
from verdicts import attack


@dataclass(frozen=True)
class Rates:
    """What an attacker found over some sequences.

    Attributes
    ----------
    n_hidden, n_changes : int
        Numbers that were not told, and changes of all numbers from one release to the next and from first to last.
    hidden_identified, changes_identified : int
        Of these, how many were found exactly.
    hidden_won, changes_won : int
        How many could be proved to be few, or left fewer values than declared.
    days : int
        Releases that told the day of the last session.
    gave_up : int
        Agreements of which the attacker did not try all tables.
    n_wrong : int
        Sequences in which what the attacker takes for sure was not true.
    """

    n_hidden: int = 0
    n_changes: int = 0
    hidden_identified: int = 0
    changes_identified: int = 0
    hidden_won: int = 0
    changes_won: int = 0
    days: int = 0
    gave_up: int = 0
    n_wrong: int = 0

    def __add__(self, other: Rates) -> Rates:
        """Both together."""
        return Rates(*(mine + theirs for mine, theirs in zip(self.values, other.values, strict=True)))

    @property
    def values(self) -> tuple[int, ...]:
        """All numbers."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)

    def __str__(self) -> str:
        """One row of the table of docs/trust.md."""
        return (
            f"{self.hidden_identified:,} and {self.hidden_won:,} of {self.n_hidden:,} | "
            f"{self.changes_identified:,} and {self.changes_won:,} of {self.n_changes:,} | {self.days:,}"
        )


def attacked(new: Callable[[], Publisher], n_sequences: int, length: int, n_clients: int, seed: int) -> Rates:
    """Publish so many sequences of releases, one client joining, ending or withdrawing each; attack each of them."""
    found = Rates()
    for number in range(n_sequences):
        rng = np.random.default_rng([seed, n_clients, number])
        publisher, releases, moves, known = new(), [], [], []
        for clients, move in in_turn(cohort(n_clients, rng), length, rng):
            releases.append(publisher.publish(clients))
            known.append(truth(clients))
            moves += [move] if move else []
        outcome = attack(releases, moves)
        hidden = [one for one in outcome.found if one.since is None]
        changes = [one for one in outcome.found if one.since is not None]
        found += Rates(
            len(hidden), len(changes),
            sum(one.is_identified for one in hidden), sum(one.is_identified for one in changes),
            sum(not one.is_protected for one in hidden), sum(not one.is_protected for one in changes),
            outcome.exact_days, outcome.gave_up, not outcome.holds(known),
        )  # fmt: skip
    return found
