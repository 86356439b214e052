"""FHIR resources of a file, each with its place: one document, a Bundle, or one resource a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from outcomes.contract import Refusal, Rule
from outcomes.landing.formats.json_leaves import leaves, visible_text
from outcomes.landing.formats.sniffing import refuse_other_encodings
from outcomes.landing.layouts.base import Export
from outcomes.landing.refusal import FileRefused, counted

SUFFIXES = (".json", ".ndjson", ".jsonl")
_LONGEST_ID = 64  # letters of an id, by the FHIR standard
_BUNDLE = "Bundle"

Body = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource, the number of its entry (in NDJSON: its line), and the address that a Bundle gives it."""

    body: Body
    line: int
    address: str = ""

    @property
    def type(self) -> str:
        """Its resourceType; empty where it has none."""
        return text_of(self.body.get("resourceType"))


@dataclass(frozen=True)
class Resources:
    """All resources of a file, in order, the lines that are none, and whether a Bundle is one page of several."""

    every: tuple[Resource, ...]
    malformed: dict[int, tuple[Rule, list[str]]]
    is_page: bool = False

    def of(self, type_: str) -> tuple[Resource, ...]:
        """Return the resources of one type."""
        return tuple(one for one in self.every if one.type == type_)


def text_of(value: object) -> str:
    """Return a text as it is and '' for anything else; numbers are texts already, spelt as in the file."""
    return visible_text(value) if isinstance(value, str) else ""


def objects_in(body: object, name: str) -> list[Body]:
    """Return the objects of a list of a resource; whatever is none is passed over."""
    found = body.get(name) if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def object_in(body: object, name: str) -> Body:
    """Return an object of a resource, empty where there is none."""
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def read_resources(export: Export) -> Resources:
    """Read a file.

    Raises
    ------
    FileRefused
        If it is not UTF-8, cut off, no FHIR, or has Bundles within Bundles.
    """
    return resources_in(text_in(export.content))


def text_in(path: Path) -> str:
    """Return a file's text.

    Raises
    ------
    FileRefused
        If it is not UTF-8.
    """
    content = path.read_bytes()
    refuse_other_encodings(content[:4])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused(Refusal.ENCODING, "the file is not UTF-8, as FHIR asks", "export it again as UTF-8") from None


def resources_in(text: str) -> Resources:
    """Part a text into its resources.

    Raises
    ------
    FileRefused
        If it is empty, cut off, no FHIR, or has Bundles within Bundles.
    """
    if not text.strip():
        raise FileRefused(Refusal.EMPTY, "the file is empty", "export it again, with its answers")
    whole = _parsed(text)
    if whole is None:
        return _of_lines(text)
    if isinstance(whole, list):
        return _checked(Resources(tuple(Resource(_body(one), line) for line, one in enumerate(whole, 1)), {}))
    if isinstance(whole, dict) and whole.get("resourceType") == _BUNDLE:
        entries = whole.get("entry")
        found = [
            Resource(object_in(entry, "resource"), line, text_of(_body(entry).get("fullUrl")))
            for line, entry in enumerate(entries if isinstance(entries, list) else [], 1)
        ]
        return _checked(Resources(tuple(found), {}, any(_is_next(one) for one in objects_in(whole, "link"))))
    return _checked(Resources((Resource(_body(whole), 1),), {}))


def rewrite(export: Export, target: Path, lines: set[int]) -> None:
    """Write the file without the resources of some entries or lines."""
    text = text_in(export.content)
    try:
        whole = json.loads(text)
    except ValueError:
        kept = [line for number, line in enumerate(text.split("\n"), 1) if number not in lines]
        target.write_text("\n".join(kept), encoding="utf-8", newline="")
        return
    if isinstance(whole, list):
        whole = [one for number, one in enumerate(whole, 1) if number not in lines]
    elif whole.get("resourceType") == _BUNDLE:
        whole["entry"] = [one for number, one in enumerate(whole.get("entry", []), 1) if number not in lines]
        whole.pop("total", None)
    else:
        whole = {"resourceType": _BUNDLE, "type": "collection", "entry": []}
    target.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")


def _of_lines(text: str) -> Resources:
    """Read one resource a line; a document over many lines that is cut off has no line that is an object."""
    found, malformed = [], {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        body = _parsed(line)
        if isinstance(body, dict):
            found.append(Resource(body, number))
        else:
            ids = [leaf for leaf in leaves(line) if " " not in leaf and len(leaf) <= _LONGEST_ID + len("Patient/")]
            malformed[number] = (Rule.RAGGED_ROW, ids)
    if not any("resourceType" in one.body for one in found):
        raise FileRefused(
            Refusal.UNREADABLE, "the file is not whole JSON: it is cut off or damaged, or names a key twice",
            "export it again: one resource, a Bundle, or one resource a line (NDJSON)",
        )  # fmt: skip
    return _checked(Resources(tuple(found), malformed))


def _checked(found: Resources) -> Resources:
    within = sum(one.type == _BUNDLE for one in found.every)
    if within:
        raise FileRefused(
            Refusal.UNREADABLE, f"the file has {counted(within, 'Bundle')} among its resources",
            "give each Bundle a file of its own, or write one resource a line (NDJSON)",
        )  # fmt: skip
    if not any(one.type for one in found.every):
        raise FileRefused(
            Refusal.UNREADABLE, "the file has no FHIR resource: nothing in it has a resourceType",
            "export QuestionnaireResponses as JSON, or correct format in [sources] of study.toml",
        )  # fmt: skip
    return found


def _is_next(link: Body) -> bool:
    return link.get("relation") == "next"


def _body(value: object) -> Body:
    return value if isinstance(value, dict) else {}


def _parsed(text: str) -> object:
    """Parse JSON with numbers as they are spelt; None for what is not, or has a key twice or NaN."""
    try:
        return json.loads(
            text, parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_once
        )
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, object]]) -> Body:
    body = dict(pairs)
    if len(body) < len(pairs):
        raise ValueError("a key stands twice")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def items_of(body: Body) -> Iterator[Body]:
    """Yield all items of a Questionnaire or a QuestionnaireResponse in their order, however deep they are nested."""
    waiting = objects_in(body, "item")[::-1]
    while waiting:
        item = waiting.pop()
        yield item
        inner = [one for answer in objects_in(item, "answer") for one in objects_in(answer, "item")]
        waiting += [*objects_in(item, "item"), *inner][::-1]


def tail_of(address: str) -> str:
    """Return the last part of an address: the id, without its type, server and version.

    >>> tail_of("https://example.org/fhir/Patient/c1/_history/2"), tail_of("urn:uuid:9f"), tail_of("Questionnaire/a|1")
    ('c1', '9f', 'a')
    """
    plain = address.partition("|")[0].partition("/_history/")[0]
    return plain.rpartition("/")[2].removeprefix("urn:uuid:").removeprefix("urn:oid:")
