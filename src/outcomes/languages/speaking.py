"""The language that is spoken now: sentences from its catalogue, numbers and dates as its readers write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_decimal, format_percent, get_decimal_symbol, get_group_symbol

_MINUS, _HYPHEN_MINUS = "\N{MINUS SIGN}", "-"
_A_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Language:
    """A language and what is said in it.

    Attributes
    ----------
    code : str
        ISO 639, with a country where that matters: "de", "pt_BR".
    messages : mapping of str to str
        What is said in place of each English message; none in English itself.
    """

    code: str
    messages: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def locale(self) -> Locale:
        """How its readers write numbers and dates."""
        return Locale.parse(self.code)

    @property
    def tag(self) -> str:
        """Its name in `lang` attributes (BCP 47): "pt-BR"."""
        return self.code.replace("_", "-")

    @property
    def is_source(self) -> bool:
        """Whether it is the language that sentences are written in."""
        return self.code == ENGLISH.code

    @property
    def chart_format(self) -> dict[str, object]:
        """Its numbers for the drawing engine (d3's format locale)."""
        return {
            "decimal": get_decimal_symbol(self.locale), "thousands": get_group_symbol(self.locale), "grouping": [3],
            "currency": ["", ""], "percent": percent("0").removeprefix("0"),
        }  # fmt: skip


ENGLISH = Language("en")
_now: ContextVar[Language] = ContextVar("language", default=ENGLISH)


@contextmanager
def speaking(language: Language) -> Iterator[Language]:
    """Say everything inside the block in a language."""
    before = _now.set(language)
    try:
        yield language
    finally:
        _now.reset(before)


def spoken_in() -> Language:
    """Return the language that is spoken now."""
    return _now.get()


def later(message: str) -> str:
    """Mark a message that is kept here and said elsewhere; it stays English until `translated` says it."""
    return message


def translated(message: str) -> str:
    """Return a message in the language that is spoken now; what its catalogue lacks (a study's own words) as it is."""
    return _now.get().messages.get(message, message)


def spoken(message: str, **parts: object) -> str:
    """Say a message, its named places filled.

    Examples
    --------
    >>> spoken("{low} to {high}", low=1, high=2)
    '1 to 2'
    """
    said = translated(message)
    return said.format(**parts) if parts else said


def decimal(text: str) -> str:
    """Return a number, written with a decimal point, as readers write it; its decimals and its minus stay.

    Examples
    --------
    >>> with speaking(Language("de")):
    ...     decimal("-0.50")
    '−0,50'
    """
    places = len(text.partition(".")[2])
    pattern = f"0.{'0' * places}" if places else "0"
    return format_decimal(Decimal(text), pattern, _now.get().locale).replace(_HYPHEN_MINUS, _MINUS)


def count(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return format_decimal(number, locale=_now.get().locale)


def percent(text: str) -> str:
    """Return a number of percent, written with a decimal point, with the sign as readers set it: "12%", "12 %"."""
    locale, places = _now.get().locale, len(text.partition(".")[2])
    pattern = locale.percent_formats[None].pattern.replace("#,##0", f"0.{'0' * places}" if places else "0")
    return format_percent(Decimal(text) / _A_HUNDRED, pattern, locale).replace(_HYPHEN_MINUS, _MINUS)


def as_written(number: float) -> str:
    """Return a number that a study declares with as many decimals as it has there: an end of a scale."""
    return decimal(f"{number:g}") if "e" not in f"{number:g}" else f"{number:g}"


def month(day: date, is_short: bool = False) -> str:
    """Return a month with its year: "June 2026", or "Jun 2026"."""
    return format_skeleton("yMMM" if is_short else "yMMMM", day, locale=_now.get().locale)


def month_alone(day: date, is_short: bool = False) -> str:
    """Return a month without its year: "June", or "Jun"."""
    return format_date(day, "LLL" if is_short else "LLLL", locale=_now.get().locale)


def moment(when: datetime) -> str:
    """Return a day and a time, in UTC."""
    return format_datetime(when, "long", locale=_now.get().locale)
