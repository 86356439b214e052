"""A number, a share, a table or a sentence looked at alone, without regard to what was told before.

A report does not use these: its numbers pass through a `Teller`, which remembers earlier releases.
"""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.disclosure.counts import Shown
from outcomes.disclosure.tables import ShownCross, ShownTable
from outcomes.disclosure.teller import Teller
from outcomes.errors import UsageError
from outcomes.study.settings import Disclosure

_ALONE = "a number alone"


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
    return Teller(rule).count(_ALONE, count)


def shown_percent(part: int, whole: int, rule: Disclosure) -> Shown:
    """Return a share in whole percent, from the told counts so that it gives away no more than they do.

    Withheld where the part or the rest of the whole is under the threshold.

    Examples
    --------
    >>> shown_percent(203, 1000, Disclosure()).text, shown_percent(996, 1000, Disclosure()).text
    ('20%', 'not shown')
    """
    return Teller(rule).percent(_ALONE, part, whole)


def shown_table(counts: Sequence[int], rule: Disclosure, parts: Sequence[str] = ()) -> ShownTable:
    """Make the parts of one total safe to stand beside that total.

    Parameters
    ----------
    counts : sequence of int
        All parts of the total.
    rule : Disclosure
        The study's thresholds.
    parts : sequence of str
        Names of the parts; their places where not given.
    """
    names = list(parts) or [str(place) for place in range(len(counts))]
    if len(set(names)) < len(names):
        raise UsageError("Two parts of one table have the same name", "name them apart")
    return Teller(rule).table(_ALONE, dict(zip(names, counts, strict=True)))


def shown_cross(
    counts: Sequence[Sequence[int]], rule: Disclosure, rows: Sequence[str], columns: Sequence[str]
) -> ShownCross:
    """Make a two-way table and its margins safe to stand together; `counts` has one sequence per row."""
    return Teller(rule).cross(_ALONE, rows, columns, counts)


def shown_text(text: str, rule: Disclosure) -> str:
    """Treat every whole number in a sentence as a count: suppress or round it.

    What a number is about is the sentence without its numbers.

    Examples
    --------
    >>> shown_text("Left out: 4 of 1,238 rows (p < 0.05).", Disclosure())
    'Left out: fewer than 10 of 1,240 rows (p < 0.05).'
    """
    return Teller(rule).text(text)
