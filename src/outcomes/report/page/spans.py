"""How a piece reads: runs of text with a look, the same for the page and for paper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import singledispatch

from outcomes.disclosure import Shown
from outcomes.disclosure.counts import WITHHELD
from outcomes.languages import count, percent, spoken, translated
from outcomes.report.page.pieces import Estimate, Given, Link, Piece, Range, Ranged, Strong, Unsaid, Words

CONVERGED_MARK = "✓"
"""Behind every number of a fit that converged."""

_FEWER = re.compile(r"fewer than ([\d,]+)")


class Look(StrEnum):
    """How a run of text is set."""

    PLAIN = "plain"
    STRONG = "strong"
    INTERVAL = "interval"  # beside the number, quieter than it
    UNSAID = "unsaid"  # words in place of a number


@dataclass(frozen=True)
class Span:
    """A run of text in one look; `to` is where it leads, empty for nowhere."""

    text: str
    look: Look = Look.PLAIN
    to: str = ""


@singledispatch
def spans(piece: Piece, in_table: bool = False) -> tuple[Span, ...]:
    """Return a piece as runs of text; in a table the head says what the bracket is."""
    raise TypeError(f"no text for {type(piece).__name__}")


def plain(words: Words, *, in_table: bool = False) -> str:
    """Words without their looks."""
    return "".join(span.text for piece in words.pieces for span in spans(piece, in_table=in_table))


@spans.register
def _(piece: str, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece),)


@spans.register(Given)
@spans.register(Range)
def _(piece: Given | Range, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.text),)


@spans.register
def _(piece: Shown, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(shown_text(piece)),)


def shown_text(one: Shown) -> str:
    """A count or share as it may leave, in the language that is spoken now."""
    if one.value is not None:
        return percent(str(one.value)) if one.text.endswith("%") else count(one.value)
    if found := _FEWER.fullmatch(one.text):
        return spoken("fewer than {least}", least=count(int(found[1].replace(",", ""))))
    return spoken("not shown") if one.text == WITHHELD.text else one.text


@spans.register
def _(piece: Strong, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.text, Look.STRONG),)


@spans.register
def _(piece: Link, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.text, to=piece.to),)


@spans.register
def _(piece: Ranged, in_table: bool = False) -> tuple[Span, ...]:
    told = piece.estimate
    return (
        Span(told.in_number, Look.STRONG),
        Span(translated(told.form.unit) + " "),
        Span(f"({told.in_interval})", Look.INTERVAL),
    )


@spans.register
def _(piece: Unsaid, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.reason, Look.UNSAID),)


@spans.register
def _(piece: Estimate, in_table: bool = False) -> tuple[Span, ...]:
    unit, bracket = (" ", "") if in_table else (f"{piece.form.unit} ", "95% interval ")
    interval = Span(f"({bracket}{piece.in_interval}) {CONVERGED_MARK}", Look.INTERVAL)
    return (Span(piece.in_number, Look.STRONG), Span(unit), interval)
