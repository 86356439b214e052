"""The doors: a number, a share, a table or a sentence as it may leave.

With the study's plain thresholds they look at one number or table alone. With a `Telling` (what a report is written
with) they regard all that earlier releases told, and want `about`: what the number is of, in words that stay the same
from release to release and name no person.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import PrivateAttr

from outcomes.disclosure.counts import Shown
from outcomes.disclosure.tables import ShownCross, ShownTable
from outcomes.disclosure.teller import Teller
from outcomes.errors import UsageError
from outcomes.study.settings import Disclosure


class Telling(Disclosure):
    """The study's thresholds with the one who tells this release's numbers and remembers those of earlier ones."""

    _teller: Teller = PrivateAttr()

    @classmethod
    def by(cls, teller: Teller) -> Telling:
        """Return the thresholds of a teller, with it."""
        telling = cls(**teller.rule.model_dump())
        telling._teller = teller
        return telling

    @property
    def teller(self) -> Teller:
        """Who decides and writes down."""
        return self._teller


def shown_count(count: int, rule: Disclosure, about: str = "") -> Shown:
    """Suppress a count under `rule.minimum_count` (zero too) and round the others to `rule.rounding`.

    Parameters
    ----------
    count : int
        People, episodes or sessions, 0 or more.
    rule : Disclosure
        The study's thresholds; a `Telling` regards what earlier releases told.
    about : str
        What it is of; needed with a `Telling`.

    Raises
    ------
    UsageError
        If a report tells a number without saying what it is about, or two numbers about the same thing.

    Examples
    --------
    >>> [shown_count(n, Disclosure()).text for n in (0, 9, 12, 1238)]
    ['fewer than 10', 'fewer than 10', '10', '1,240']
    """
    return _teller(rule, about).count(about, count)


def shown_percent(part: int, whole: int, rule: Disclosure, about: str = "") -> Shown:
    """Return a share in whole percent, from the told counts so that it gives away no more than they do.

    Withheld where the part or the rest of the whole is under the threshold.

    Examples
    --------
    >>> shown_percent(203, 1000, Disclosure()).text, shown_percent(996, 1000, Disclosure()).text
    ('20%', 'not shown')
    """
    return _teller(rule, about).percent(about, part, whole)


def shown_table(counts: Sequence[int], rule: Disclosure, about: str = "", parts: Sequence[str] = ()) -> ShownTable:
    """Make the parts of one total safe to stand beside that total.

    Parameters
    ----------
    counts : sequence of int
        All parts of the total.
    rule : Disclosure
        The study's thresholds; a `Telling` regards what earlier releases told.
    about : str
        What the table is of; needed with a `Telling`.
    parts : sequence of str
        Names of the parts, the same from release to release; their places where not given.
    """
    names = list(parts) or [str(place) for place in range(len(counts))]
    if len(set(names)) < len(names):
        raise UsageError(f"Two parts of one table have the same name: {about}", "name them apart")
    return _teller(rule, about).table(about, dict(zip(names, counts, strict=True)))


def shown_cross(
    counts: Sequence[Sequence[int]], rule: Disclosure, rows: Sequence[str], columns: Sequence[str], about: str = ""
) -> ShownCross:
    """Make a two-way table and its margins safe to stand together; `counts` has one sequence a row."""
    return _teller(rule, about).cross(about, rows, columns, counts)


def shown_text(text: str, rule: Disclosure) -> str:
    """Treat every whole number in a sentence as a count: suppress or round it.

    What a number is about is the sentence without its numbers.

    Examples
    --------
    >>> shown_text("Left out: 4 of 1,238 rows (p < 0.05).", Disclosure())
    'Left out: fewer than 10 of 1,240 rows (p < 0.05).'
    """
    return (rule.teller if isinstance(rule, Telling) else Teller(rule)).text(text)


def _teller(rule: Disclosure, about: str) -> Teller:
    """Whoever keeps the ledger, or somebody who forgets at once."""
    if not isinstance(rule, Telling):
        return Teller(rule)
    if not about:
        raise UsageError(
            "A report tells a number without saying what it is about", "give `about` to the shown_... call"
        )
    return rule.teller
