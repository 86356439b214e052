"""The report as PDF: tagged, archival (PDF/A-2a, PDF/UA-1), the same bytes for the same release."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any

import typst

from outcomes.languages import later, spoken
from outcomes.report.page.blocks import Page
from outcomes.report.page.typeset import Node, typeset

_STANDARDS = ["a-2a", "ua-1"]
_LOST = "\N{REPLACEMENT CHARACTER}"
_LOST_NOTE = later(
    "Some characters have no form in the fonts of this PDF and stand as {lost}; the page beside it has them."
)


def pdf(page: Page) -> bytes:
    """Return the report as PDF (A4); what the page folds away is open on paper.

    Its date is the data cut; 1970-01-01 where the data have no dates, because the day of writing would change the
    bytes. No network, no fonts of the machine. A character that the embedded fonts lack becomes U+FFFD, and the
    document says so.
    """
    document = typeset(page) | {"lost-note": ""}
    made_on = datetime.combine(page.data_cut or date(1970, 1, 1), time(), UTC)
    try:
        return _compiled(document, made_on)
    except typst.TypstError:
        lost = _without_glyph(_characters(document))
        if not lost:
            raise
        table = dict.fromkeys(map(ord, lost), _LOST)
        return _compiled(
            _mapped(document, lambda text: text.translate(table)) | {"lost-note": spoken(_LOST_NOTE, lost=_LOST)},
            made_on,
        )


def _compiled(document: Node, made_on: datetime) -> bytes:
    return typst.compile(
        (files(__package__) / "report.typ").read_bytes(), ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(document)}, pdf_standards=_STANDARDS, timestamp=made_on,
    )  # fmt: skip


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
    try:
        typst.compile(
            b'#set document(title: [a])\n#text(font: "Libertinus Serif", sys.inputs.character)',
            ignore_system_fonts=True, sys_inputs={"character": character}, pdf_standards=_STANDARDS, timestamp=0,
        )  # fmt: skip
    except typst.TypstError:
        return False
    return True
