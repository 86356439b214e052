"""How a period compares with the one told before it: from what both told alone, in words bound to the interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from outcomes.feedback.figures import Figure, Measure, Said
from outcomes.languages import spoken
from outcomes.methods.inference.mover import difference_interval

ALIKE_SHARE = 0.1
"""Of the scale: a change that is surely smaller is none that matters. A judgement, said on the page."""


class Change(StrEnum):
    """What the interval of a change says."""

    HIGHER = "higher"
    LOWER = "lower"
    ALIKE = "alike"  # surely smaller than what matters
    UNSURE = "unsure"
    FIRST = "first"  # there is nothing to compare with


@dataclass(frozen=True)
class Compared:
    """A figure and how it lies to the one before.

    Attributes
    ----------
    now : Figure
    before : Figure or None
    change : Change
    by : (float, float, float) or None
        Now less before, with its interval; None where one of them is no number.
    """

    now: Figure
    before: Figure | None
    change: Change
    by: tuple[float, float, float] | None


def latest(figures: Iterable[Figure], measure: Measure) -> tuple[Figure | None, Figure | None]:
    """Return the last figure of a measure and the one before it."""
    of_measure = sorted((one for one in figures if one.measure is measure), key=lambda one: one.period)
    *_, before, now = (None, None, *of_measure)
    return now, before


def compared(now: Figure, before: Figure | None, span: float) -> Compared:
    """Compare two periods of one therapist.

    The interval takes them for independent. They share clients, whose ratings go together, so it is too wide if
    anything; what it says adds nothing to what the two told.

    Parameters
    ----------
    now, before : Figure
    span : float
        Width of the scale.
    """
    if before is None:
        return Compared(now, None, Change.FIRST, None)
    if not now.said is before.said is Said.NUMBER:
        return Compared(now, before, Change.ALIKE if now.said is before.said else Change.UNSURE, None)
    by = difference_interval((now.value, now.low, now.high), (before.value, before.low, before.high))
    _, low, high = by
    if -ALIKE_SHARE * span < low and high < ALIKE_SHARE * span:
        change = Change.ALIKE
    else:
        change = Change.HIGHER if low > 0 else Change.LOWER if high < 0 else Change.UNSURE
    return Compared(now, before, change, by)


_HALF = 0.5  # of the sessions


def question(found: Mapping[Measure, Compared]) -> str:
    """Return one question for supervision: the first that what was found gives reason for."""
    told = {measure: one.now.said for measure, one in found.items()}
    changes = {measure: one.change for measure, one in found.items()}
    asked = found.get(Measure.ASKED)
    asks_seldom = asked is not None and (
        asked.now.said is Said.FEW or (asked.now.said is Said.NUMBER and asked.now.high < _HALF)
    )
    if told.get(Measure.LEANING) is Said.MORE:
        return spoken("With whom could I lead less, and how would I find out whether they like it?")
    if told.get(Measure.LEANING) is Said.LESS:
        return spoken("With whom could I lead more, and how would I find out whether they like it?")
    if changes.get(Measure.DISTANCE) is Change.HIGHER:
        return spoken("Where did I notice that my guidance was not what a client wanted, and what did I do then?")
    if asks_seldom:
        return spoken("What would help me to ask more often how my guidance feels?")
    if changes.get(Measure.SATISFACTION) is Change.LOWER:
        return spoken("What was different in these months, for my clients and for me?")
    return spoken("When did a client last tell me that they want more guidance or less, and what did I do then?")
