"""One count: not told when it is small, rounded when it is first told, and told anew only when it has moved enough.

A count under `minimum_count` is not told. A change under `minimum_count` is not told either: once a release has told a
count, later ones repeat that number until the truth is `minimum_count` or more away from it, and then move it in steps
of at least `minimum_count` from the first number that was told (docs/decisions/0034).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from outcomes.study.settings import Disclosure

WHOLE_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?![\w]|\.\d)|(?<![\w.])\d+(?![\w]|[.,]\d)")
"""A count in a sentence: no decimals, no part of a name."""

AMBIGUITY = 3
"""Fewest values that a small count, or a small change of one, must still be able to have."""

_LEAST_MOVE = 2 * AMBIGUITY - 1  # with smaller moves, a count that comes back to a number would leave fewer values
LOOSEST_SHARE = 0.20
"""Widest range, as a share, that the told counts may leave for a percentage that is told."""


class Reason(StrEnum):
    """Why a number is not shown."""

    SHOWN = "shown"
    SMALL = "small"  # under the threshold
    REVEALING = "revealing"  # with what else is told, now or before, it would give away a small one


@dataclass(frozen=True)
class Shown:
    """A number as it may leave.

    Attributes
    ----------
    value : int or None
        The rounded number; None where it is not shown.
    text : str
        What a reader sees: "1,240", "fewer than 10" or "not shown".
    reason : Reason
        Whether and why it was withheld.
    """

    value: int | None
    text: str
    reason: Reason = Reason.SHOWN


WITHHELD = Shown(None, "not shown", Reason.REVEALING)


@dataclass(frozen=True)
class Cell:
    """What one release told of one count.

    Attributes
    ----------
    value : int or None
        The number that was told.
    reason : Reason
        Why, where there is none.
    low, high : int
        Smallest and largest true count behind it for a reader who knows the rule and all earlier releases; `high` is
        None where nothing bounds it.
    count : int
        The true count; it stays with the owner of the study.
    """

    value: int | None
    reason: Reason
    low: int
    high: int | None
    count: int

    def shown(self, rule: Disclosure) -> Shown:
        """Return the number as a reader sees it."""
        if self.reason is Reason.SMALL:
            return Shown(None, f"fewer than {rule.minimum_count:,}", Reason.SMALL)
        return WITHHELD if self.value is None else Shown(self.value, f"{self.value:,}")

    def withheld(self) -> Cell:
        """Return the cell with nothing told."""
        return Cell(None, Reason.REVEALING, 0, None, self.count)


def told_cell(count: int, rule: Disclosure, before: Sequence[int] = ()) -> Cell:
    """Return what may be told of a count after what earlier releases told of it.

    Parameters
    ----------
    count : int
        People, episodes or sessions, 0 or more.
    rule : Disclosure
        The study's thresholds.
    before : sequence of int
        The numbers that earlier releases told of this count, oldest first.
    """
    if not is_group(count, rule):
        return Cell(None, Reason.SMALL, 0, rule.minimum_count - 1, count)
    value = _told(count, rule, before)
    # The numbers behind a told one lie within two steps of it: a reader tries them all.
    reach = 3 * step(rule) + rule.rounding
    behind = [
        one
        for one in range(max(rule.minimum_count, value - reach), value + reach + 1)
        if _told(one, rule, before) == value
    ]
    return Cell(value, Reason.SHOWN, behind[0], behind[-1], count)


def _told(count: int, rule: Disclosure, before: Sequence[int]) -> int:
    if not before:
        return rounded(count, rule)
    first, last = before[0], before[-1]
    if abs(count - last) < _least_move(rule):
        return last
    by = step(rule)
    value = first + (2 * (count - first) + by) // (2 * by) * by
    # At the threshold itself a number would stand for one or two counts only.
    return value if value >= rule.minimum_count + AMBIGUITY - 1 else value + by


def step(rule: Disclosure) -> int:
    """Return the smallest multiple of the rounding base that is a change large enough to be told."""
    return -(-_least_move(rule) // rule.rounding) * rule.rounding


def _least_move(rule: Disclosure) -> int:
    return max(rule.minimum_count, _LEAST_MOVE)


def rounded(count: int, rule: Disclosure) -> int:
    """Nearest multiple of the rounding base that is not under the threshold, halves upwards."""
    value = (count + rule.rounding // 2) // rule.rounding * rule.rounding
    return value if value >= rule.minimum_count else value + rule.rounding


def share(part: Cell, whole: Cell) -> Shown:
    """Return a share in whole percent, from what was told of both, so that it gives away no more than they do.

    Withheld where either is, or where the told numbers leave it open by more than `LOOSEST_SHARE`.
    """
    if part.value is None or whole.value is None or not whole.value:
        return WITHHELD if part.reason is not Reason.SMALL else Shown(None, WITHHELD.text, Reason.SMALL)
    if part.high / whole.low - part.low / whole.high > LOOSEST_SHARE:
        return WITHHELD
    percent = round(100 * part.value / whole.value)
    return Shown(percent, f"{percent}%")


def is_group(n_people: int, rule: Disclosure) -> bool:
    """Whether so many people, episodes or sessions are a group that something may be told of, and not single ones."""
    return n_people >= rule.minimum_count


def estimates_may_be_shown(n_rows: int, n_terms: int, rule: Disclosure) -> bool:
    """Whether a model leaves `rule.minimum_residual_df` residual degrees of freedom (ACRO's rule)."""
    return n_rows - n_terms >= rule.minimum_residual_df
