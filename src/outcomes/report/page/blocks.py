"""What a section of the report is made of: paragraphs, lists, tables, pictures, folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from markupsafe import Markup

from outcomes.languages import later, month, spoken, translated
from outcomes.report.page.pieces import Piece, Words, words
from outcomes.study.tables.delivery import Document, OwnDocument


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
    """A table; its first `n_labels` columns are words on the left, the others numbers on the right.

    `caption` says what it is for those who do not see what stands around it; the section's title where it is empty.
    """

    head: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]
    n_labels: int = 1
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure as SVG in two widths: its title says what it finds, `description` the same with its numbers.

    `wide` and `narrow` give the SVG, once it is drawn.
    `data` is what is drawn, as CSV; empty where nothing can be downloaded.
    """

    wide: Callable[[], Markup]
    narrow: Callable[[], Markup]
    caption: Words
    description: str
    title: str = ""
    data: str = ""


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


NO_MONTH = later("Data without dates, or of too few clients to show their last month")
SIMULATED = later("Simulated data")
SIMULATED_NOTE = later("A computer made up all clients in it. No one here is real.")


@dataclass(frozen=True)
class Notice:
    """A line for readers of another language; `language` as documents name it."""

    text: str
    language: str


@dataclass(frozen=True)
class Page:
    """One whole document.

    Attributes
    ----------
    document : Document or OwnDocument
        Which of the release's documents it is, or of those for one person.
    title, study, question, audience : str
        As the study file has them; the audience as the document names it.
    language : str
        Of the text, as documents name it: "en", "pt-BR".
    release_id : str
    data_cut : date or None
        First day of the last month of the data; None where it is not shown.
    sections : tuple of Section
    is_simulated : bool
        Whether the data are made up: said above everything, and in the file's title.
    notice : Notice or None
        Said first to readers of another language; None where the page is in theirs.
    stand_ins : str
        What the page's own words stand for where a scale measures something else; empty where none does.
    """

    document: Document | OwnDocument
    title: str
    study: str
    question: str
    audience: str
    language: str
    release_id: str
    data_cut: date | None
    sections: tuple[Section, ...]
    is_simulated: bool = False
    notice: Notice | None = None
    stand_ins: str = ""

    @property
    def kicker(self) -> str:
        """The line over the title."""
        return spoken("{kind} for {audience}", kind=translated(_KINDS[self.document][0]), audience=self.audience)

    @property
    def meta(self) -> str:
        """The line under the question."""
        until = spoken("Data up to {month}", month=month(self.data_cut)) if self.data_cut else translated(NO_MONTH)
        return f"{until} · {self.release_label}"

    @property
    def release_label(self) -> str:
        """Which release it is of."""
        return spoken("release {release}", release=self.release_id)

    @property
    def simulated(self) -> tuple[str, ...]:
        """What is said above everything where the data are made up."""
        return (translated(SIMULATED), translated(SIMULATED_NOTE)) if self.is_simulated else ()

    @property
    def file_title(self) -> str:
        """What windows, shelves and mail programs call it."""
        said = f"{self.title}: {translated(_KINDS[self.document][1])}"
        return f"{translated(SIMULATED)}: {said}" if self.is_simulated else said

    @property
    def has_contents(self) -> bool:
        """Whether it is so long that it needs a list of contents."""
        return self.document is Document.ANNEX

    @property
    def closing(self) -> str:
        """The last line."""
        made = "Made by the study's own data pipeline. " if self.document is Document.ANNEX else ""
        return made + spoken("This page names no person.")


_KINDS = {
    Document.BRIEF: (later("Brief"), later("brief")),
    Document.EASY: (later("In easy words"), later("in easy words")),
    Document.REPORT: (later("Report"), later("report")),
    Document.ANNEX: ("Annex", "annex"),
    Document.EXPLORER: ("Pictures to point at", "pictures to point at"),
    OwnDocument.FEEDBACK: (later("Feedback"), later("feedback")),
}
"""What each document is, as a line begins and behind a colon."""


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
