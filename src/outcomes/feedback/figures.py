"""What a page tells of one period: a number with its range, a few words in its place, or nothing.

A number is the mean over clients of each client's own mean, so that no client weighs more than another.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from outcomes.disclosure import is_group, shown_count
from outcomes.feedback.periods import Period
from outcomes.study.tables.confidential import Disclosure
from outcomes.study.tables.scales import Scale

_PARTS = 10
"""Who knows the means of all clients but one learns the last one's to no closer than such a part of the scale from a
mean that is told."""
_MOST_DIGITS = 2
_DOMINANT, _MOST_OF_IT = 2, 0.9
"""So many clients may not make up such a share of a sum: the rule of dominance of statistical offices (Hundepool et al.
2012, Statistical Disclosure Control, section 4.2)."""


class Measure(StrEnum):
    """What is told of."""

    SATISFACTION = "satisfaction"
    DISTANCE = "distance"  # of guidance from the client's wish, whichever way
    LEANING = "leaning"  # guidance less the wish: more or less than wished
    ASKED = "asked"  # share of sessions in which feelings about guidance were asked


class Said(StrEnum):
    """How it is told."""

    NUMBER = "number"
    FEW = "few"  # of the sessions, so few that their number is not told
    NEARLY_ALL = "nearly_all"
    MORE = "more"  # than wished
    LESS = "less"
    NEITHER = "neither"  # for sure


@dataclass(frozen=True)
class Figure:
    """One thing told of one period.

    Attributes
    ----------
    measure : Measure
    period : Period
    said : Said
    value, low, high : float or None
        As told, with no further digits; None where words are told.
    clients : int
        On how many clients it rests, rounded.
    """

    measure: Measure
    period: Period
    said: Said
    value: float | None
    low: float | None
    high: float | None
    clients: int


def digits_of(span: float, least: int) -> int:
    """Return the decimals of a mean on a scale of this width that rests on so many clients or more.

    Examples
    --------
    >>> [digits_of(span, 10) for span in (1, 4, 10, 30, 100)]
    [2, 1, 1, 0, 0]
    """
    return max(0, min(_MOST_DIGITS, math.floor(math.log10(_PARTS * least / span))))


def mean_figure(
    measure: Measure,
    period: Period,
    means: Sequence[float],
    ends: tuple[float, float],
    reach: float | None,
    rule: Disclosure,
    least: int,
) -> Figure | None:
    """Return the mean over clients with its 95% interval; None where it may not be told.

    That is with too few clients, where few of them make up most of it, and where it lies at an end of the scale, as all
    of them do then. The interval follows from the number of clients as it is told: value and number say all.

    Parameters
    ----------
    measure : Measure
    period : Period
    means : sequence of float
        One a client.
    ends : (float, float)
        Least and most that a client can have.
    reach : float or None
        Half the width of the interval of one client's mean (`spreads.reaches`); None where it is not known.
    rule : Disclosure
    least : int
        Fewest clients.
    """
    if reach is None or not is_enough(means, rule, least) or _is_dominated([x - ends[0] for x in means]):
        return None
    digits = digits_of(ends[1] - ends[0], least)
    value, half = round(statistics.fmean(means), digits), _half(len(means), reach, rule)
    if not ends[0] < value < ends[1]:
        return None
    low, high = (round(min(max(x, ends[0]), ends[1]), digits) for x in (value - half, value + half))
    return Figure(measure, period, Said.NUMBER, value, low, high, shown_count(len(means), rule).value)


def leaning_figure(
    period: Period, means: Sequence[float], reach: float | None, rule: Disclosure, least: int
) -> Figure | None:
    """Say whether clients get more or less guidance than they wish on average, in a word."""
    if reach is None or not is_enough(means, rule, least):
        return None
    value, half = statistics.fmean(means), _half(len(means), reach, rule)
    said = Said.MORE if value - half > 0 else Said.LESS if value + half < 0 else Said.NEITHER
    return Figure(Measure.LEANING, period, said, None, None, None, shown_count(len(means), rule).value)


def asked_figure(
    period: Period,
    shares: Sequence[float],
    sessions: tuple[int, int],
    reach: float | None,
    rule: Disclosure,
    least: int,
) -> Figure | None:
    """Return the mean share of sessions in which clients were asked; words where the part or the rest is small.

    Parameters
    ----------
    period : Period
    shares : sequence of float
        One a client.
    sessions : (int, int)
        In which it was asked, and not.
    reach : float or None
        As for `mean_figure`.
    rule : Disclosure
    least : int
        Fewest clients.
    """
    is_few, is_nearly_all = (not is_group(n, rule) for n in sessions)
    if not is_enough(shares, rule, least) or (is_few and is_nearly_all):
        return None  # where both are few, each would give away the other
    if not is_few and not is_nearly_all:
        return mean_figure(Measure.ASKED, period, shares, (0.0, 1.0), reach, rule, least)
    said = Said.FEW if is_few else Said.NEARLY_ALL
    return Figure(Measure.ASKED, period, said, None, None, None, shown_count(len(shares), rule).value)


def span_of(scale: Scale) -> float:
    """Width of a scale."""
    return scale.maximum - scale.minimum


def is_enough(means: Sequence[float], rule: Disclosure, least: int) -> bool:
    """Whether so many clients may be told of."""
    return len(means) >= least and is_group(len(means), rule)


def _half(n: int, reach: float, rule: Disclosure) -> float:
    """Half the width of an interval, from the fewest clients that the told number may stand for."""
    told = shown_count(n, rule).value
    return reach / math.sqrt(max(rule.minimum_count, told - rule.rounding // 2))


def _is_dominated(contributions: Sequence[float]) -> bool:
    """Whether few clients make up most of a sum; one of nothing is nobody's."""
    largest, total = sorted(contributions, reverse=True)[:_DOMINANT], sum(contributions)
    return total > 0 and sum(largest) >= _MOST_OF_IT * total
