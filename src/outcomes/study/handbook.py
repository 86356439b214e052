"""The reference of `study.toml` and its JSON schema, both from the settings' own descriptions.

`python -m outcomes.study.handbook` prints `docs/study-file.md`; a test keeps the page and the settings together.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from outcomes.study.settings import StudySettings

_HEAD = """# The study file

Every key of `study.toml`. Only `[study] name` and one source of sessions with its `pattern` are needed; whatever you
leave out has the default. `outcomes init` writes a file to start from, `outcomes init DIR --from FILE...` maps one from
your files, `outcomes check --study DIR FILE` tries it. A mistake is told with its line and key.

`outcomes schema > study.schema.json` writes a JSON schema: editors complete and check the file from it (in VS Code with
Even Better TOML: `#:schema ./study.schema.json` as the first line).

This page is written by `python -m outcomes.study.handbook > docs/study-file.md`.
"""
_NAMED = {"sources": "<kind>", "scales": "<name>", "instruments": "<scale>"}
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def reference_page() -> str:
    """Return the reference as Markdown: one table a part of the file."""
    return "\n".join([_HEAD, *_part(StudySettings, "")])


def json_schema() -> str:
    """Return the JSON schema of the study file; examples are values and not TOML."""
    schema = StudySettings.model_json_schema()
    _with_values(schema)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2)


def _with_values(node: Any) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            node["examples"] = [
                tomllib.loads(f"x = {one}")["x"] if isinstance(one, str) else one for one in node["examples"]
            ]
        for inner in node.values():
            _with_values(inner)
    elif isinstance(node, list):
        for inner in node:
            _with_values(inner)


def _part(model: type[BaseModel], place: str) -> Iterator[str]:
    """Yield the table of one part's own keys, then its parts."""
    own = {name: field for name, field in model.model_fields.items() if _model_of(field.annotation) is None or place}
    inner = {name: field for name, field in model.model_fields.items() if _model_of(field.annotation) is not None}
    if place:
        yield from ("", "| key | holds | default | example | meaning |", "|---|---|---|---|---|")
        for name, field in own.items():
            yield _row(name, field)
    for name, field in inner.items():
        if place == "multiverse":  # its parts are written inline, and all are alike
            continue
        inside = ".".join(filter(None, (place, name, _NAMED.get(name))))
        title = f"[[{inside}]]" if name == "models" else f"[{inside}]"
        yield from ("", f"{'###' if place else '##'} `{title}`", "", f"{_sentence(field.description)}")
        yield from _part(_model_of(field.annotation), inside)
    if place == "multiverse":
        yield from ("", "Each dimension is `{ type, choices }`; docs/multiverse.md lists the choices of each:")
        yield from _part(_model_of(next(iter(inner.values())).annotation), "multiverse.")


def _row(name: str, field: FieldInfo) -> str:
    needed = "needed" if field.is_required() else _code(_toml(field.get_default(call_default_factory=True)))
    example = _code(field.examples[0]) if field.examples else ""
    cells = (f"`{name}`", _holds(field.annotation), needed, example, _sentence(field.description))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(text: str | None) -> str:
    return (text or "").rstrip(".")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _holds(annotation: Any) -> str:
    """Say in words what a key holds."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "one of: " + ", ".join(f"`{one}`" for one in annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of: " + ", ".join(f"`{json.dumps(one)}`" for one in inside)
    if origin in (Union, UnionType):
        return _holds(next(one for one in inside if one is not type(None)))
    if origin is tuple:
        return f"list of {_holds(inside[0])}"
    if origin is dict:
        return "table"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return "text"


def _toml(value: Any) -> str:
    """Write a default as TOML; an empty table, or none, is nothing."""
    if value is None or isinstance(value, dict | BaseModel):
        return ""
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the part of the file that a field holds, by itself, by name or in a list."""
    inside = (annotation, *get_args(annotation))
    return next((one for one in inside if isinstance(one, type) and issubclass(one, BaseModel)), None)


if __name__ == "__main__":
    print(reference_page())
