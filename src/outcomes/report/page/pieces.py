"""What a sentence or a cell of the report is made of. A number gets in only by saying what it is.

A plain string with a digit in it is refused. An `Estimate` cannot be made without interval and state; a count comes
from `outcomes.disclosure` as `Shown`; any other number is `Given`, which says what kind of number it is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from outcomes.disclosure import Shown
from outcomes.languages import decimal, later, percent, spoken, translated
from outcomes.mixed import FitStatus

_DIGIT = re.compile(r"\d")
_INTERVAL_ERRORS = 2 * 1.96  # standard errors that a 95% interval is wide
_SIGNIFICANT = 2  # digits of the standard error that are told
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Form:
    """How an estimate is printed.

    Attributes
    ----------
    digits : int
        Decimals.
    is_percent : bool
        With the sign of percent behind every number.
    unit : str
        Behind the number in sentences, with its space: " points".
    times : float
        Factor before printing; 100 for percent.
    is_log : bool
        Stored as a logarithm, printed as a ratio.
    is_signed : bool
        Print a plus sign.
    up, down : str
        What an interval above and below no effect says, in words ("more dropout"); empty where zero is not "no effect".
    """

    digits: int = 2
    is_percent: bool = False
    unit: str = ""
    times: float = 1.0
    is_log: bool = False
    is_signed: bool = False
    up: str = ""
    down: str = ""

    def on_page(self, value: float) -> float:
        """A stored value in the unit of the page."""
        return (math.exp(value) if self.is_log else value) * self.times

    def digits_by(self, low: float, high: float) -> int:
        """Decimals up to the second significant digit of the standard error that a 95% interval has; at most `digits`.

        Further digits say nothing about the world, and much about the one client who joined since the last report.
        """
        error = (self.on_page(high) - self.on_page(low)) / _INTERVAL_ERRORS
        if error <= 0:
            return self.digits
        return max(0, min(self.digits, _SIGNIFICANT - 1 - math.floor(math.log10(error))))

    def number(self, value: float, digits: int | None = None) -> str:
        """Print one value as readers write it, with a true minus and no minus zero; `digits` decimals where given."""
        told = f"{self.on_page(value):.{self.digits if digits is None else digits}f}"
        if float(told) == 0:
            told = told.removeprefix("-")
        sign = "+" if self.is_signed and float(told) > 0 else ""
        return sign + (percent(told) if self.is_percent else decimal(told))


PERCENT = Form(digits=0, is_percent=True, times=100)
PERCENT_POINTS = Form(digits=0, unit=later(" percentage points"), times=100, is_signed=True, up="higher", down="lower")
PLAIN = Form()


class Direction(StrEnum):
    """What a 95% interval says about the sign of an effect."""

    MORE = "more"
    LESS = "less"
    UNCLEAR = "unclear"
    UNTOLD = "untold"  # there is no interval to read it off


def direction(low: float, high: float) -> Direction:
    """Read the sign off an interval; one that holds zero says nothing about it."""
    if low > 0:
        return Direction.MORE
    return Direction.LESS if high < 0 else Direction.UNCLEAR


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, from a fit that converged.

    Attributes
    ----------
    value, low, high : float
        In the unit of the table.
    state : FitStatus
        CONVERGED; any other state has words in place of the number (`Unsaid`).
    form : Form

    Raises
    ------
    ValueError
        Without a finite interval, or from a fit that did not converge.
    """

    value: float
    low: float
    high: float
    state: FitStatus
    form: Form = PLAIN

    def __post_init__(self) -> None:
        """Refuse a number that lacks what a reader needs to judge it."""
        if not all(isinstance(x, float) and math.isfinite(x) for x in (self.value, self.low, self.high)):
            raise ValueError("an estimate needs a value and both ends of its interval")
        if not self.low <= self.high:
            raise ValueError("the interval's low end lies above its high end")
        if self.state is not FitStatus.CONVERGED:
            raise ValueError(f"an estimate of a fit that is {self.state} is said in words: use Unsaid")

    @property
    def direction(self) -> Direction:
        """What the interval says about the sign."""
        return direction(self.low, self.high)

    @property
    def in_number(self) -> str:
        """The number alone, for the part of a sentence before its interval."""
        return self.form.number(self.value, self._digits)

    @property
    def _digits(self) -> int:
        return self.form.digits_by(self.low, self.high)

    @property
    def drawn(self) -> tuple[float, float, float]:
        """Value and both ends for a picture, in the unit of the page, with no more digits than are printed."""
        return tuple(
            round(self.form.on_page(x), self._digits) / self.form.times for x in (self.value, self.low, self.high)
        )

    @property
    def in_interval(self) -> str:
        """Both ends."""
        low, high = (self.form.number(end, self._digits) for end in (self.low, self.high))
        return spoken("{low} to {high}", low=low, high=high)


@dataclass(frozen=True)
class Unsaid:
    """Words in place of a number, with the state that kept it back; whole numbers in them went through disclosure."""

    state: FitStatus
    reason: str
    direction: Direction = Direction.UNTOLD


Told = Estimate | Unsaid


@dataclass(frozen=True)
class Range:
    """Two ends between which a number lies whatever is not known; no interval of chance."""

    low: float
    high: float
    form: Form = PLAIN

    @property
    def text(self) -> str:
        """Both ends."""
        low, high = self.form.number(self.low), self.form.number(self.high)
        return low if low == high else spoken("{low} to {high}", low=low, high=high)


class Kind(StrEnum):
    """What a number is that is no estimate and no count."""

    DECLARED = "declared"  # by the study or the method: a scale's end, a session, a threshold
    PLACE = "place"  # where an estimate is looked at: a level of guidance
    SIMULATED = "simulated"  # from simulated studies, whose truth is known: nothing that these data showed
    TEST = "test"  # a p-value or a weight, in the trace of a verdict
    COUNT = "count"  # suppressed and rounded where the table was written
    REASON = "reason"  # why something was refused; whole numbers in it went through disclosure
    RELEASE = "release"  # an identifier or date of the release


@dataclass(frozen=True)
class Given:
    """A number, or words with numbers, that need no interval, and why they need none."""

    text: str
    kind: Kind = Kind.DECLARED


@dataclass(frozen=True)
class Strong:
    """Words that stand out."""

    text: str

    def __post_init__(self) -> None:
        """Refuse digits."""
        _refuse_digits(self.text)


@dataclass(frozen=True)
class Ranged:
    """An estimate as people read it who have never met an interval: the number, and its range in brackets."""

    estimate: Estimate


@dataclass(frozen=True)
class Link:
    """Words that lead to a part of a document of the same release: `annex.html#risks`."""

    text: str
    to: str

    def __post_init__(self) -> None:
        """Refuse digits."""
        _refuse_digits(self.text)


Piece = str | Estimate | Ranged | Unsaid | Range | Shown | Given | Strong | Link


@dataclass(frozen=True)
class Words:
    """A sentence or a cell; strings in it have no digits."""

    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        """Refuse bare numbers."""
        for piece in self.pieces:
            if isinstance(piece, str):
                _refuse_digits(piece)


def say(template: str, **parts: Piece) -> Words:
    """Fill the named places of a sentence, said in the language that is spoken now.

    Examples
    --------
    >>> say("By session {t}.", t=Given("8")).pieces
    ('By session ', Given(text='8', kind=<Kind.DECLARED: 'declared'>), '.')
    """
    split = _SLOT.split(translated(template))
    return Words(tuple(parts[text] if i % 2 else text for i, text in enumerate(split) if i % 2 or text))


def words(piece: Piece | Words) -> Words:
    """One piece as words."""
    return piece if isinstance(piece, Words) else Words((piece,))


def _refuse_digits(text: str) -> None:
    if _DIGIT.search(text):
        raise ValueError(f"a number in {text!r}: give it as Estimate, Shown or Given")
