"""What a section of the report is made of: paragraphs, lists, tables, pictures, folds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    """A figure in two widths, with its caption."""

    wide: Markup
    narrow: Markup
    caption: Words


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
