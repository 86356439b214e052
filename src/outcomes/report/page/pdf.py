"""The report as PDF: tagged, archival (PDF/A-2a, PDF/UA-1), the same bytes for the same release."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import typst

from outcomes.report.page.page_tree import Node, nodes, read_page
from outcomes.report.page.typst_style import STYLE

_STANDARDS = ["a-2a", "ua-1"]
_SERIF = 'font-family="Libertinus Serif"'  # of the compiler's own fonts: labels in pictures look like the text
_LONGEST_WORD = 45  # characters that fit a line, whichever they are
_WORD = 14  # characters of a word that stays whole in a table: as long as the page's own
_LONG_CELL = 600  # characters; a longer cell may go over the end of a page
_LOST = "\N{REPLACEMENT CHARACTER}"
_LOST_NOTE = (
    f"Some characters have no form in the fonts of this PDF and stand as {_LOST}; the page report.html has them."
)


def pdf_of(html: str, study_name: str, release_id: str, data_cut: date | None) -> bytes:
    """Return a page of ours as PDF (A4).

    Parameters
    ----------
    html : str
        The page, whole; anything that it folds away is open on paper.
    study_name, release_id : str
        Stand at the head and foot of each page.
    data_cut : date or None
        The document's date; 1970-01-01 where the data have no dates, because the day of writing would change the bytes.

    Returns
    -------
    bytes
        The PDF. No network, no fonts of the machine. A character that the embedded fonts lack becomes U+FFFD, and the
        document says so.

    Raises
    ------
    StepFailed
        If the page has an element that is not known.
    """
    document = read_page(html) | {"study": study_name, "release": release_id, "lost": 0, "lost-note": _LOST_NOTE}
    for block in nodes(document["blocks"]):
        _fit(block)
    made_on = datetime.combine(data_cut or date(1970, 1, 1), time(), UTC)
    try:
        return _compiled(document, made_on)
    except typst.TypstError:
        lost = _without_glyph(_characters(document))
        if not lost:
            raise
        table = dict.fromkeys(map(ord, lost), _LOST)
        return _compiled(_mapped(document, lambda text: text.translate(table)) | {"lost": len(lost)}, made_on)


def _compiled(document: Node, made_on: datetime) -> bytes:
    return typst.compile(
        STYLE.encode(), ignore_system_fonts=True, sys_inputs={"document": json.dumps(document)},
        pdf_standards=_STANDARDS, timestamp=made_on,
    )  # fmt: skip


def _fit(node: Node) -> None:
    """Make what a browser would scroll or shrink fit the paper: long words may break, long cells go on overleaf."""
    if node["name"] == "svg":
        node["source"] = re.sub(r'font-family="[^"]*"', _SERIF, node["source"])
    if node["name"] == "figure":
        node["alt"] = " ".join(inner["description"] for inner in nodes(node["children"]) if inner["name"] == "svg")
    if node["name"] == "table":
        for row in (*node["head"], *node["rows"]):
            for cell in row["cells"]:
                cell["long"] = sum(map(len, _texts(cell["children"]))) > _LONG_CELL
                _break_words(cell, max(_WORD, 2 * _LONGEST_WORD // node["columns"]))
    _break_words(node, _LONGEST_WORD)


def _break_words(node: Node, longest: int) -> None:
    room = longest * 2 if node["name"] == "code" else longest  # its letters are small
    node["children"] = [_breakable(child, room) if isinstance(child, str) else child for child in node["children"]]
    for child in node["children"]:
        if not isinstance(child, str):
            _break_words(child, longest)


def _breakable(text: str, longest: int) -> str:
    """Let words that are longer than a line break: anywhere, or better after a mark that joins words."""

    def broken(word: re.Match[str]) -> str:
        return re.sub(rf"(?<=[_./-])(?=\w)|(?<=\w{{{longest}}})(?=\w)", "\N{ZERO WIDTH SPACE}", word[0])

    return re.sub(rf"[^\s\u200b]{{{longest + 1},}}", broken, text)


def _texts(children: list[Any]) -> Iterator[str]:
    for child in children:
        yield from (child,) if isinstance(child, str) else _texts(child["children"])


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same tree with every string changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    if isinstance(value, dict):
        return {name: _mapped(one, change) for name, one in value.items()}
    return value


def _characters(document: Node) -> set[str]:
    return set(json.dumps(document, ensure_ascii=False)) - set(map(chr, range(0x20, 0x7F)))


def _without_glyph(characters: set[str]) -> set[str]:
    """Return the characters that the embedded fonts cannot show."""
    return {character for character in characters if not _has_glyph(character)}


def _has_glyph(character: str) -> bool:
    probe = 'for font in ("Libertinus Serif", "DejaVu Sans Mono") { text(font: font, sys.inputs.character) }'
    try:
        typst.compile(
            f"#set document(title: [a])\n#{{ {probe} }}".encode(), ignore_system_fonts=True,
            sys_inputs={"character": character}, pdf_standards=_STANDARDS, timestamp=0,
        )  # fmt: skip
    except typst.TypstError:
        return False
    return True
