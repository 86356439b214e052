"""Blocks as HTML: one file, without network or script.

A figure holds its picture twice: `div.wide` for desk and paper, `div.narrow` for phones. A table of more than three
columns, or of words and intervals too long for the screen, becomes one card a row on a phone: `data-label` of a cell is
the head of its column.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import singledispatch
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from outcomes.languages import spoken
from outcomes.report.page.blocks import (
    Block,
    Bullets,
    Fold,
    Heading,
    Page,
    Paragraph,
    Picture,
    Section,
    Table,
    Tone,
)
from outcomes.report.page.palette import in_roles, style
from outcomes.report.page.pieces import Words
from outcomes.report.page.spans import Look, Span, plain, spans

CARD_COLUMNS = 4
"""From so many columns on, a table is shown as cards on a phone."""
PHONE_CHARACTERS, COLUMN_GAP = 44, 2
"""Characters of a table's type that a line takes on a screen of 390 px; those that columns stand apart."""

_tag = Markup
_LOOKS = {
    Look.PLAIN: _tag("{}"),
    Look.STRONG: _tag("<strong>{}</strong>"),
    Look.INTERVAL: _tag('<em class="interval">{}</em>'),
    Look.UNSAID: _tag('<em class="unsaid">{}</em>'),
}


@singledispatch
def html(part: object) -> Markup:
    """Return a sentence, a block, a section or the whole page as HTML."""
    raise TypeError(f"no HTML for {type(part).__name__}")


@html.register
def _(part: Span) -> Markup:
    said = _LOOKS[part.look].format(part.text)
    return _tag('<a href="{}">{}</a>').format(part.to, said) if part.to else said


@html.register
def _(part: Words) -> Markup:
    return _joined(span for piece in part.pieces for span in spans(piece))


@html.register
def _(part: Paragraph) -> Markup:
    kind = Markup("") if part.tone is Tone.PLAIN else _tag(' class="{}"').format(part.tone)
    return _tag("<p{}>{}</p>\n").format(kind, html(part.words))


@html.register
def _(part: Heading) -> Markup:
    return _tag("<h3>{}</h3>\n").format(html(part.words))


@html.register
def _(part: Bullets) -> Markup:
    return _tag("<ul>\n{}</ul>\n").format(Markup("").join(_tag("<li>{}</li>\n").format(html(i)) for i in part.items))


@html.register
def _(part: Table) -> Markup:
    is_wide = len(part.head) >= CARD_COLUMNS or _narrowest(part) > PHONE_CHARACTERS
    caption = part.caption or _text(part.head[0])
    head = Markup("").join(
        _tag('<th scope="col" role="columnheader"{}>{}</th>').format(_side(place, part.n_labels), _cell(words))
        if _text(words)
        else _tag('<td role="cell"></td>')
        for place, words in enumerate(part.head)
    )
    body = Markup("").join(_row(part, cells, is_wide) for cells in part.rows)
    return _tag(
        '<div class="scroll" role="region" tabindex="0" aria-label="{0}"><table role="table"{1}>\n'
        '<caption class="unseen">{0}</caption>\n'
        '<thead role="rowgroup"><tr role="row">{2}</tr></thead>\n<tbody role="rowgroup">\n{3}</tbody>\n</table></div>\n'
    ).format(caption, _tag(' class="cards"') if is_wide else Markup(""), head, body)


def _narrowest(part: Table) -> int:
    """Characters that a line of the table has at least: words and intervals do not break, and columns stand apart."""

    def longest(column: Sequence[Words]) -> int:
        made = [span for words in column for piece in words.pieces for span in spans(piece, in_table=True)]
        pieces = [[one.text] if one.look is Look.INTERVAL else one.text.split() for one in made]
        return max((len(text) for found in pieces for text in found), default=0)

    return sum(map(longest, zip(part.head, *part.rows, strict=True))) + COLUMN_GAP * (len(part.head) - 1)


def _row(part: Table, cells: tuple[Words, ...], is_wide: bool) -> Markup:
    def cell(place: int, words: Words) -> Markup:
        label = _text(part.head[place]) if is_wide and place else ""
        named = _tag(' data-label="{}"').format(label) if label else Markup("")
        side = _side(place, part.n_labels)
        if place == 0 and _text(words):
            return _tag('<th scope="row" role="rowheader">{}</th>').format(_cell(words))
        return _tag('<td role="cell"{}{}>{}</td>').format(side, named, _cell(words))

    made = Markup("").join(itertools.starmap(cell, enumerate(cells)))
    return _tag('<tr role="row">{}</tr>\n').format(made)


def _side(place: int, n_labels: int) -> Markup:
    return _tag(' class="number"') if place >= n_labels else Markup("")


def _cell(words: Words) -> Markup:
    return _joined(span for piece in words.pieces for span in spans(piece, in_table=True))


def _text(words: Words) -> str:
    return plain(words, in_table=True)


@html.register
def _(part: Picture) -> Markup:
    title = _tag('<p class="figure-title">{}</p>\n').format(part.title) if part.title else Markup("")
    data = base64.b64encode(part.data.encode()).decode()
    link = (
        _tag(' <a class="data" download="figure.csv" href="data:text/csv;base64,{}">{}</a>')
        .format(data, spoken("Data (CSV)"))
        if part.data
        else Markup("")
    )  # fmt: skip
    return _tag(
        '<figure>\n{}<div class="wide">{}</div>\n<div class="narrow">{}</div>\n<figcaption>{}{}</figcaption>\n'
        "</figure>\n"
    ).format(
        title,
        _drawing(part.wide(), part.description),
        _drawing(part.narrow(), part.description),
        html(part.caption),
        link,
    )


def _drawing(svg: Markup, description: str) -> Markup:
    """The drawing with its description for those who do not see it."""
    named = _tag('<svg role="img" aria-label="{}"').format(description)
    return _tag(in_roles(str(svg)).replace("<svg", named, 1))


@html.register
def _(part: Fold) -> Markup:
    return _tag("<details>\n<summary>{}</summary>\n{}</details>\n").format(html(part.summary), _joined(part.blocks))


@html.register
def _(part: Section) -> Markup:
    blocks = _captioned(part.blocks, part.title, itertools.count(1))
    return _tag('<section id="{0}" class="{0}" aria-labelledby="{0}-title">\n<h2 id="{0}-title">{1}</h2>\n{2}'
                "</section>\n").format(part.name, part.title, _joined(blocks))  # fmt: skip


def _captioned(blocks: Iterable[Block], title: str, numbers: Iterator[int]) -> Iterator[Block]:
    """Name each table after its section, so that no two on a page have the same name."""
    for block in blocks:
        if isinstance(block, Table) and not block.caption:
            caption = spoken("{title}, table {n}: {head}", title=title, n=next(numbers), head=_text(block.head[0]))
            yield replace(block, caption=caption)
        elif isinstance(block, Fold):
            yield replace(block, blocks=tuple(_captioned(block.blocks, title, numbers)))
        else:
            yield block


@html.register
def _(part: Page) -> str:
    environment = Environment(
        loader=PackageLoader(__package__, "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html").render(
        css=styles(), page=part, sections=[html(section) for section in part.sections],
        skip=spoken("Skip to the content"),
    )  # fmt: skip


def styles() -> Markup:
    """The style sheet of all pages."""
    return style() + Markup((files(__package__) / "report.css").read_text(encoding="utf-8"))


def _joined(parts: Iterable[object] | Iterator[object]) -> Markup:
    return Markup("").join(map(html, parts))
