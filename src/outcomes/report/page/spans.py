"""How a piece reads: runs of text with a look, the same for the page and for paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import singledispatch

from outcomes.disclosure import Shown
from outcomes.report.page.pieces import Estimate, Given, Link, Piece, Range, Ranged, Strong, Unsaid

CONVERGED_MARK = "✓"
"""Behind every number of a fit that converged."""


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


@spans.register
def _(piece: str, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece),)


@spans.register(Given)
@spans.register(Range)
@spans.register(Shown)
def _(piece: Given | Range | Shown, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.text),)


@spans.register
def _(piece: Strong, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.text, Look.STRONG),)


@spans.register
def _(piece: Link, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.text, to=piece.to),)


@spans.register
def _(piece: Ranged, in_table: bool = False) -> tuple[Span, ...]:
    told = piece.estimate
    return (Span(told.in_number, Look.STRONG), Span(told.form.unit + " "), Span(f"({told.in_interval})", Look.INTERVAL))


@spans.register
def _(piece: Unsaid, in_table: bool = False) -> tuple[Span, ...]:
    return (Span(piece.reason, Look.UNSAID),)


@spans.register
def _(piece: Estimate, in_table: bool = False) -> tuple[Span, ...]:
    unit, bracket = (" ", "") if in_table else (f"{piece.form.unit} ", "95% interval ")
    interval = Span(f"({bracket}{piece.in_interval}) {CONVERGED_MARK}", Look.INTERVAL)
    return (Span(piece.in_number, Look.STRONG), Span(unit), interval)
