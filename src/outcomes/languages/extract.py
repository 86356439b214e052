"""All messages of the documents, out of the sources: `python -m outcomes.languages.extract nl > languages/nl.po`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

MARKS = frozenset({"say", "spoken", "later"})
"""Functions whose first argument is a message."""
PLACES = (
    "answers/common", "answers/run.py", "feedback", "models/refusals.py", "operate/delivery",
    "report/documents", "report/figures/distance.py", "report/figures/icons.py", "report/figures/pathway.py",
    "report/figures/shares.py", "report/figures/spread.py", "report/findings", "report/page", "report/reading",
    "report/sections/opening/seal.py", "study/sealing.py", "study/tables/questions.py",
)  # fmt: skip
"""What brief, report, mails and feedback are made from; the annex's own sections stay English."""


_HEADER = "# Sentences of brief, report, mails and feedback; keep every {place}, write no digits (docs/report.md)."


def catalogue(code: str) -> Catalog:
    """Return a catalogue to be filled, each message with the places where it is said.

    Babel's own extractor misses a marked call inside another (`say("{a}", a=Strong(spoken("b")))`).
    """
    made = Catalog(code or None, project="outcomes", header_comment=_HEADER, fuzzy=False)
    root = files("outcomes")
    for place in PLACES:
        for name, source in _sources(root.joinpath(*place.split("/")), place):
            for message in messages(source):
                made.add(message, locations=[(name, None)])
    return made


def messages(source: str) -> Iterator[str]:
    """Messages of a source file, in their order."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value:
                yield first.value


def _sources(item: Traversable, name: str) -> Iterator[tuple[str, str]]:
    if item.is_file():
        if name.endswith(".py"):
            yield name, item.read_text(encoding="utf-8")
        return
    for one in sorted(item.iterdir(), key=lambda it: it.name):
        yield from _sources(one, f"{name}/{one.name}")


if __name__ == "__main__":
    write_po(sys.stdout.buffer, catalogue(sys.argv[1] if len(sys.argv) > 1 else ""), width=100, sort_output=True)
