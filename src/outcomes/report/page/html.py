"""Blocks as HTML: one file, without network or script.

A figure holds its picture twice: `div.wide` for desk and paper, `div.narrow` for phones.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from outcomes.report.page.blocks import Bullets, Fold, Heading, Page, Paragraph, Picture, Section, Table, Tone
from outcomes.report.page.pieces import Words
from outcomes.report.page.spans import Look, Span, spans

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
    return _LOOKS[part.look].format(part.text)


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
    def row(name: str, cells: tuple[Words, ...]) -> Markup:
        made = (
            _tag("<{0}{1}>{2}</{0}>").format(name, _side(place, part.n_labels), _cell(words))
            for place, words in enumerate(cells)
        )
        return _tag("<tr>{}</tr>\n").format(Markup("").join(made))

    body = Markup("").join(row("td", cells) for cells in part.rows)
    return _tag('<div class="scroll"><table>\n<thead>{}</thead>\n<tbody>\n{}</tbody>\n</table></div>\n').format(
        row("th", part.head), body
    )


def _side(place: int, n_labels: int) -> Markup:
    return _tag(' class="number"') if place >= n_labels else Markup("")


def _cell(words: Words) -> Markup:
    return _joined(span for piece in words.pieces for span in spans(piece, in_table=True))


@html.register
def _(part: Picture) -> Markup:
    return _tag(
        '<figure>\n<div class="wide">{}</div>\n<div class="narrow">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n'
    ).format(_drawing(part.wide, part.description), _drawing(part.narrow, part.description), html(part.caption))


def _drawing(svg: Markup, description: str) -> Markup:
    """The drawing with its description for those who do not see it."""
    return _tag(str(svg).replace("<svg", _tag('<svg role="img" aria-label="{}"').format(description), 1))


@html.register
def _(part: Fold) -> Markup:
    return _tag("<details>\n<summary>{}</summary>\n{}</details>\n").format(html(part.summary), _joined(part.blocks))


@html.register
def _(part: Section) -> Markup:
    return _tag('<section id="{0}" class="{0}">\n<h2>{1}</h2>\n{2}</section>\n').format(
        part.name, part.title, _joined(part.blocks)
    )


@html.register
def _(part: Page) -> str:
    environment = Environment(
        loader=PackageLoader(__package__, "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = Markup((files(__package__) / "report.css").read_text(encoding="utf-8"))
    return environment.get_template("report.html").render(
        css=style, page=part, sections=[html(section) for section in part.sections]
    )


def _joined(parts: Iterable[object]) -> Markup:
    return Markup("").join(map(html, parts))
