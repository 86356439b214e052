"""Small-number suppression and rounding of everything that leaves for stakeholders.

The thresholds come from the study (`[disclosure]` in `study.toml`). Counts of people, episodes and sessions pass
through here before a report sees them; minimum and maximum of a variable never do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from outcomes.study.settings import Disclosure

MINIMUM_RESIDUAL_DF = 10
"""Fewest residual degrees of freedom of a model whose estimates are shown (ACRO's rule)."""

AMBIGUITY = 3
"""Fewest values that a suppressed count must still be able to have for a reader who sees all the rest of its table."""


class Reason(StrEnum):
    """Why a number is not shown."""

    SHOWN = "shown"
    SMALL = "small"  # under the threshold
    REVEALING = "revealing"  # with the total, it would give away a small one


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


_WHOLE_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?![\w]|\.\d)|(?<![\w.])\d+(?![\w]|[.,]\d)")
_WITHHELD = Shown(None, "not shown", Reason.REVEALING)


def shown_count(count: int, rule: Disclosure) -> Shown:
    """Suppress a count under `rule.minimum_count` (zero too) and round the others to `rule.rounding`.

    Parameters
    ----------
    count : int
        People, episodes or sessions, 0 or more.
    rule : Disclosure
        The study's thresholds.

    Examples
    --------
    >>> [shown_count(n, Disclosure()).text for n in (0, 9, 12, 1238)]
    ['fewer than 10', 'fewer than 10', '10', '1,240']
    """
    if count < rule.minimum_count:
        return Shown(None, f"fewer than {rule.minimum_count:,}", Reason.SMALL)
    rounded = _rounded(count, rule)
    return Shown(rounded, f"{rounded:,}")


def shown_percent(part: int, whole: int, rule: Disclosure) -> Shown:
    """Return a share in whole percent, from the rounded counts so that it gives away no more than they do.

    Withheld where the part or the rest of the whole is under the threshold.

    Examples
    --------
    >>> shown_percent(203, 1000, Disclosure()).text, shown_percent(996, 1000, Disclosure()).text
    ('20%', 'not shown')
    """
    if min(part, whole - part) < rule.minimum_count:
        return Shown(None, "not shown", Reason.SMALL)
    percent = round(100 * _rounded(part, rule) / _rounded(whole, rule))
    return Shown(percent, f"{percent}%")


@dataclass(frozen=True)
class ShownTable:
    """The parts of a total, and the total, safe to stand beside each other."""

    parts: tuple[Shown, ...]
    total: Shown


def shown_table(counts: Sequence[int], rule: Disclosure) -> ShownTable:
    """Make the parts of one total safe to stand beside that total.

    Small parts are suppressed. Where the total, the other parts and the threshold would leave a suppressed part fewer
    than `AMBIGUITY` possible values, the smallest part still shown is withheld too, and so on; at last the total.

    Parameters
    ----------
    counts : sequence of int
        All parts of the total.
    rule : Disclosure
        The study's thresholds.
    """
    shown = [shown_count(count, rule) for count in counts]
    total = shown_count(sum(counts), rule)
    while total.value is not None and not _is_ambiguous(shown, total.value, rule):
        open_parts = [place for place, part in enumerate(shown) if part.value is not None]
        if not open_parts:
            total = _WITHHELD
            break
        shown[min(open_parts, key=lambda place: counts[place])] = _WITHHELD
    return ShownTable(tuple(shown), total)


def shown_text(text: str, rule: Disclosure) -> str:
    """Treat every whole number in a sentence as a count: suppress or round it.

    Examples
    --------
    >>> shown_text("Left out: 4 of 1,238 rows (p < 0.05).", Disclosure())
    'Left out: fewer than 10 of 1,240 rows (p < 0.05).'
    """
    return _WHOLE_NUMBER.sub(lambda found: shown_count(int(found[0].replace(",", "")), rule).text, text)


def percentile_may_be_shown(people_beyond: int, rule: Disclosure) -> bool:
    """Whether enough people lie beyond a percentile, on its thin side, for it to stand for a group and not for one."""
    return people_beyond >= rule.minimum_count


def estimates_may_be_shown(n_rows: int, n_terms: int) -> bool:
    """Whether a model leaves at least `MINIMUM_RESIDUAL_DF` residual degrees of freedom."""
    return n_rows - n_terms >= MINIMUM_RESIDUAL_DF


def feasible(shown: int, rule: Disclosure) -> tuple[int, int]:
    """Smallest and largest true count behind a shown one."""
    below = rule.rounding // 2
    return max(rule.minimum_count, shown - below), shown + rule.rounding - 1 - below


def _rounded(count: int, rule: Disclosure) -> int:
    """Nearest multiple of the rounding base, halves upwards."""
    return (count + rule.rounding // 2) // rule.rounding * rule.rounding


def _is_ambiguous(shown: Sequence[Shown], total: int, rule: Disclosure) -> bool:
    """Whether every suppressed small part could still have enough values for who knows the rest."""
    lowest, highest = feasible(total, rule)
    for part in shown:
        if part.value is not None:
            part_lowest, part_highest = feasible(part.value, rule)
            lowest, highest = lowest - part_highest, highest - part_lowest
    small = rule.minimum_count - 1
    hidden = [part for part in shown if part.value is None]
    caps = [small if part.reason is Reason.SMALL else highest for part in hidden]
    for place, part_cap in enumerate(caps):
        if hidden[place].reason is not Reason.SMALL:
            continue
        others = sum(caps[:place]) + sum(caps[place + 1 :])
        values = min(part_cap, highest) - max(0, lowest - others) + 1
        if values < min(AMBIGUITY, rule.minimum_count):
            return False
    return True
