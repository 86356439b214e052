"""What a section of the report is made of: paragraphs, lists, tables, pictures, folds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from markupsafe import Markup

from outcomes.report.page.pieces import Piece, Words, words


class Tone(StrEnum):
    """How a paragraph is set."""

    PLAIN = "plain"
    HEADLINE = "headline"  # the section's result in a sentence
    NOTE = "note"  # small, beside the point


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    words: Words
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Heading:
    """A heading within the section."""

    words: Words


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Words, ...]


@dataclass(frozen=True)
class Table:
    """A table; its first `n_labels` columns are words on the left, the others numbers on the right."""

    head: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]
    n_labels: int = 1


@dataclass(frozen=True)
class Picture:
    """A figure as SVG in two widths, with its caption and what it shows in words."""

    wide: Markup
    narrow: Markup
    caption: Words
    description: str


@dataclass(frozen=True)
class Fold:
    """Details that open on demand; on paper they are open."""

    summary: Words
    blocks: tuple[Paragraph | Bullets | Table | Picture, ...]


Block = Paragraph | Heading | Bullets | Table | Picture | Fold


@dataclass(frozen=True)
class Section:
    """One section of the report; `name` is its anchor."""

    name: str
    title: str
    blocks: tuple[Block, ...]


NO_MONTH = "Data without dates, or of too few clients to show their last month"


@dataclass(frozen=True)
class Page:
    """The whole report.

    Attributes
    ----------
    title, study, question, audience : str
        As the study file has them.
    language : str
        Of the text, e.g. "en".
    release_id : str
    data_cut : date or None
        First day of the last month of the data; None where it is not shown.
    sections : tuple of Section
    """

    title: str
    study: str
    question: str
    audience: str
    language: str
    release_id: str
    data_cut: date | None
    sections: tuple[Section, ...]

    @property
    def kicker(self) -> str:
        """The line over the title."""
        return f"Report for {self.audience}"

    @property
    def meta(self) -> str:
        """The line under the question."""
        until = f"Data up to {self.data_cut:%B %Y}" if self.data_cut else NO_MONTH
        return f"{until} · release {self.release_id}"

    closing: ClassVar[str] = "Made by the study's own data pipeline. This page names no person."


def paragraph(piece: Piece | Words) -> Paragraph:
    """An ordinary paragraph."""
    return Paragraph(words(piece))


def headline(piece: Piece | Words) -> Paragraph:
    """The section's result in a sentence."""
    return Paragraph(words(piece), Tone.HEADLINE)


def note(piece: Piece | Words) -> Paragraph:
    """Small print."""
    return Paragraph(words(piece), Tone.NOTE)


def heading(piece: Piece | Words) -> Heading:
    """A heading within the section."""
    return Heading(words(piece))


def bullets(*items: Piece | Words) -> Bullets:
    """A list."""
    return Bullets(tuple(words(item) for item in items))


def table(head: tuple[Piece | Words, ...], rows: list[tuple[Piece | Words, ...]], n_labels: int = 1) -> Table:
    """A table of pieces."""
    return Table(tuple(map(words, head)), tuple(tuple(map(words, row)) for row in rows), n_labels)


def fold(summary: Piece | Words, *blocks: Paragraph | Bullets | Table | Picture) -> Fold:
    """Details that open on demand."""
    return Fold(words(summary), blocks)
