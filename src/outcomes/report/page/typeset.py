"""Blocks as data for the Typst program `report.typ`: it reads every word as a value, so that no text can become code.

What a browser would scroll or shrink is made to fit the paper here: long words may break, long cells go on overleaf.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import singledispatch
from typing import Any

from outcomes.report.page.blocks import (
    Bullets,
    Fold,
    Heading,
    Page,
    Paragraph,
    Picture,
    Section,
    Table,
)
from outcomes.report.page.pieces import Words
from outcomes.report.page.spans import Span, spans

Node = dict[str, Any]

_SERIF = 'font-family="Libertinus Serif"'  # of the compiler's own fonts: labels in pictures look like the text
_NAMESPACE = '<svg xmlns="http://www.w3.org/2000/svg"'
_SIZE = re.compile(r'viewBox="[-\d.]+ [-\d.]+ (\d[\d.]*) (\d[\d.]*)"')
_LONGEST_WORD = 45  # characters that fit a line, whichever they are
_WORD = 14  # characters of a word that stays whole in a table: as long as the page's own
_LONG_CELL = 600  # characters; a longer cell may go over the end of a page
_HEAD_LINES = 3
_LINE, _GAP, _MOST = 105, 3, 28  # characters on a line of a table, between columns, of numbers
_LEAST, _WORDS = 14, 16  # characters that a column of short, of long words has at least
_SPACE = re.compile(r"[ \t\n\r\f]+")


@singledispatch
def typeset(part: object) -> Node:
    """Return a block, a section or the whole page as data; `kind` says what it is."""
    raise TypeError(f"no typesetting for {type(part).__name__}")


@typeset.register
def _(part: Paragraph) -> Node:
    return {"kind": "paragraph", "tone": part.tone, "words": _words(part.words)}


@typeset.register
def _(part: Heading) -> Node:
    return {"kind": "heading", "words": _words(part.words)}


@typeset.register
def _(part: Bullets) -> Node:
    return {"kind": "bullets", "items": [_words(item) for item in part.items]}


@typeset.register
def _(part: Table) -> Node:
    longest = max(_WORD, 2 * _LONGEST_WORD // len(part.head))

    def row(cells: tuple[Words, ...]) -> list[Node]:
        return [_cell(words, place >= part.n_labels, longest) for place, words in enumerate(cells)]

    head, rows = row(part.head), [row(it) for it in part.rows]
    return {
        "kind": "table",
        "columns": len(head),
        "widths": _widths(head, rows, part.n_labels),
        "head": head,
        "rows": rows,
    }


def _widths(head: list[Node], rows: list[list[Node]], n_labels: int) -> list[int]:
    """Shares of the line for the columns of a table that is wider than it; empty where all fit side by side.

    Left alone, long words on the left would get no more room than short numbers, and run over pages. Columns of numbers
    get what their longest number and their head in three lines need; words share the rest.
    """
    texts = [
        ["".join(it["text"] for it in line[place]["words"]) for line in (head, *rows)] for place in range(len(head))
    ]
    if sum(max(map(len, column)) for column in texts) <= _LINE:
        return []
    heads = [max(len(column[0]) // _HEAD_LINES, *map(len, column[0].split() or [""])) for column in texts]
    needed = [
        min(_MOST, max(head, *map(len, column[1:] or [""]))) + _GAP for head, column in zip(heads, texts, strict=True)
    ]
    longest = [max(map(len, column)) for column in texts[:n_labels]]
    least = [max(_LEAST, min(_WORDS, one)) for one in longest]
    rest = max(_LINE - sum(needed[n_labels:]), sum(least))
    shares = [max(floor, rest * one // max(1, sum(longest))) for floor, one in zip(least, longest, strict=True)]
    return shares + needed[n_labels:]


def _cell(words: Words, is_number: bool, longest: int) -> Node:
    made = _fitted((span for piece in words.pieces for span in spans(piece, in_table=True)), longest)
    return {"words": made, "is-number": is_number, "is-long": sum(len(it["text"]) for it in made) > _LONG_CELL}


@typeset.register
def _(part: Picture) -> Node:
    svg = re.sub(r'font-family="[^"]*"', _SERIF, part.wide()).replace("<svg", _NAMESPACE, 1)
    width, height = map(float, _SIZE.search(svg).groups())
    return {
        "kind": "picture", "svg": svg, "width": width, "height": height,
        "description": part.description, "caption": _words(part.caption), "title": _text(part.title),
    }  # fmt: skip


@typeset.register
def _(part: Fold) -> Node:
    return {"kind": "fold", "summary": _words(part.summary), "blocks": [typeset(block) for block in part.blocks]}


@typeset.register
def _(part: Section) -> Node:
    return {
        "kind": "section", "name": part.name, "title": _text(part.title),
        "blocks": [typeset(block) for block in part.blocks],
    }  # fmt: skip


@typeset.register
def _(part: Page) -> Node:
    said = ("title", "study", "kicker", "question", "stand_ins", "meta", "closing", "release_label", "file_title")
    return {name: _text(getattr(part, name)) for name in said} | {
        "language": part.language, "sections": [typeset(section) for section in part.sections],
        "simulated": list(part.simulated),
        "notice": [part.notice.text, part.notice.language] if part.notice else [],
        "document": part.document, "has-contents": part.has_contents,
    }  # fmt: skip


def _words(words: Words) -> list[Node]:
    return _fitted((span for piece in words.pieces for span in spans(piece)), _LONGEST_WORD)


def _text(text: str) -> str:
    return "".join(span["text"] for span in _fitted([Span(text)], _LONGEST_WORD))


def _fitted(made: Iterable[Span], longest: int) -> list[Node]:
    """Runs of text with white space as a browser has it: one space between words, none at the ends."""
    fitted: list[Node] = []
    for span in made:
        text = _SPACE.sub(" ", span.text)
        if not fitted or fitted[-1]["text"].endswith(" "):
            text = text.removeprefix(" ")
        if text:
            fitted.append({"text": _breakable(text, longest), "look": span.look})
    if fitted:
        fitted[-1]["text"] = fitted[-1]["text"].removesuffix(" ")
    return fitted


def _breakable(text: str, longest: int) -> str:
    """Let words that are longer than a line break: anywhere, or better after a mark that joins words."""

    def broken(word: re.Match[str]) -> str:
        return re.sub(rf"(?<=[_./-])(?=\w)|(?<=\w{{{longest}}})(?=\w)", "\N{ZERO WIDTH SPACE}", word[0])

    return re.sub(rf"[^\s\u200b]{{{longest + 1},}}", broken, text)
