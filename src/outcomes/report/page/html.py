"""Blocks as HTML, in a small plain set of elements that other formats can walk.

h1-h3, p, ul/li, table/thead/tbody/tr/th/td, figure/figcaption, svg, details/summary, a, strong/em, section, header,
footer, div; nothing else. A figure holds its picture twice: `div.wide` for desk and paper, `div.narrow` for phones.
"""

from __future__ import annotations

from functools import singledispatch

from markupsafe import Markup

from outcomes.disclosure import Shown
from outcomes.report.page.blocks import Bullets, Fold, Heading, Paragraph, Picture, Section, Table, Tone
from outcomes.report.page.pieces import Estimate, Given, Range, Strong, Unsaid, Words

SETTLED = "✓"
"""Behind every number of a fit that converged."""

_tag = Markup


@singledispatch
def html(part: object) -> Markup:
    """Return one piece, block or section as HTML."""
    raise TypeError(f"no HTML for {type(part).__name__}")


@html.register
def _(part: str) -> Markup:
    return Markup.escape(part)


@html.register(Given)
@html.register(Range)
@html.register(Shown)
def _(part: Given | Range | Shown) -> Markup:
    return Markup.escape(part.text)


@html.register
def _(part: Strong) -> Markup:
    return _tag("<strong>{}</strong>").format(part.text)


@html.register
def _(part: Unsaid) -> Markup:
    return _tag('<em class="unsaid">{}</em>').format(part.reason)


@html.register
def _(part: Estimate) -> Markup:
    return _tag('<strong>{}</strong>{} <em class="interval">(95% interval {}) {}</em>').format(
        part.in_number, part.form.unit, part.in_interval, SETTLED
    )


@html.register
def _(part: Words) -> Markup:
    return Markup("").join(map(html, part.pieces))


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
    def row(name: str, cells: tuple[Words, ...]) -> Markup:
        told = (
            _tag("<{0}{1}>{2}</{0}>").format(name, _side(place, part.n_labels), _cell(words))
            for place, words in enumerate(cells)
        )
        return _tag("<tr>{}</tr>\n").format(Markup("").join(told))

    body = Markup("").join(row("td", cells) for cells in part.rows)
    return _tag('<div class="scroll"><table>\n<thead>{}</thead>\n<tbody>\n{}</tbody>\n</table></div>\n').format(
        row("th", part.head), body
    )


def _side(place: int, n_labels: int) -> Markup:
    return _tag(' class="number"') if place >= n_labels else Markup("")


def _cell(words: Words) -> Markup:
    """In a table the head says what the bracket is."""
    return Markup("").join(_number(part) if isinstance(part, Estimate) else html(part) for part in words.pieces)


def _number(part: Estimate) -> Markup:
    return _tag('<strong>{}</strong> <em class="interval">({}) {}</em>').format(
        part.in_number, part.in_interval, SETTLED
    )


@html.register
def _(part: Picture) -> Markup:
    return _tag(
        '<figure>\n<div class="wide">{}</div>\n<div class="narrow">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n'
    ).format(part.wide, part.narrow, html(part.caption))


@html.register
def _(part: Fold) -> Markup:
    return _tag("<details>\n<summary>{}</summary>\n{}</details>\n").format(
        html(part.summary), Markup("").join(map(html, part.blocks))
    )


@html.register
def _(part: Section) -> Markup:
    return _tag('<section id="{0}" class="{0}">\n<h2>{1}</h2>\n{2}</section>\n').format(
        part.name, part.title, Markup("").join(map(html, part.blocks))
    )
