"""`study.toml` from the disk: every mistake with its line and key, and what was probably meant."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from outcomes.errors import StudyError
from outcomes.study.retired import without_retired
from outcomes.study.settings import StudySettings
from outcomes.study.tables.layouts import FOLDER

Location = tuple[int | str, ...]
"""Keys and numbers of list entries, from the outside in, as pydantic gives them."""

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r"""["']([^"']*)["']|([\w-]+)""")
_NAMED = re.compile(r"\[([a-z_]+(?:\.\w+)+)\](?: (?:names|gives) '([^']*)')?")


def read_settings(path: Path) -> StudySettings:
    """Read and check a study file; keys that were retired since it was written are left out.

    Parameters
    ----------
    path : Path
        The `study.toml`.

    Raises
    ------
    StudyError
        If the file is missing, is not TOML, or declares something that cannot hold; every problem is listed with its
        line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise StudyError(f"There is no {path.name} in {path.parent}", "run `outcomes init` on that folder") from missing
    except UnicodeDecodeError as broken:
        raise StudyError(f"{path.name} is not valid TOML: {broken}", "mend the line that is named") from broken
    except OSError as unreadable:
        raise StudyError(
            f"{path.name} cannot be read: {unreadable.strerror}", "check the file's permissions"
        ) from unreadable
    return settings_of(text, path)


def settings_of(text: str, path: Path) -> StudySettings:
    """Check the text of a study file that is at `path`, or is to be written there; see `read_settings`."""
    try:
        declared = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise StudyError(f"{path.name} is not valid TOML: {broken}", "mend the line that is named") from broken
    try:
        return StudySettings.model_validate(without_retired(declared), context={FOLDER: path.parent})
    except ValidationError as invalid:
        lines = lines_of(text)
        problems = "\n".join(f"  {_problem(error, lines)}" for error in invalid.errors())
        raise StudyError(
            f"{path.name} has {invalid.error_count()} problem(s):\n{problems}",
            "mend them and run again; docs/study-file.md has every key, `outcomes upgrade` renames those of before",
        ) from invalid


def lines_of(text: str) -> dict[Location, int]:
    """Return the line, from 1, on which each table and key of a TOML text begins.

    >>> lines_of('[study]\\nname = "a"\\n[[models]]\\nname = "b"')[("models", 0, "name")]
    4
    """
    found: dict[Location, int] = {}
    table: Location = ()
    counts: dict[Location, int] = {}
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        is_inside = bool(depth or quote)
        if not is_inside and (head := _TABLE.match(line)):
            table = _parts(head[2])
            if head[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, number)
            continue
        if not is_inside and (key := _KEY.match(line)):
            found.setdefault((*table, *_parts(key[1])), number)
        depth, quote = _nesting(line, depth, quote)
    return found


def _nesting(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Follow brackets and long texts over a line: inside them no key begins."""
    place = 0
    while place < len(line):
        sign, three = line[place], line[place : place + 3]
        if quote:
            if line.startswith(quote, place):
                place, quote = place + len(quote) - 1, ""
            elif quote.startswith('"') and sign == "\\":
                place += 1
        elif three in ('"""', "'''"):
            quote, place = three, place + 2
        elif sign in "\"'":
            quote = sign
        elif sign == "#":
            break
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        place += 1
    return max(depth, 0), quote if len(quote) == 3 else ""


def _parts(dotted: str) -> Location:
    return tuple(quoted or plain for quoted, plain in _PART.findall(dotted))


def _problem(error: Mapping[str, Any], lines: Mapping[Location, int]) -> str:
    """Say what is wrong, on which line, at which key."""
    location: Location = tuple(part for part in error["loc"] if part != "[key]")
    message = error["msg"].removeprefix("Value error, ")
    named = _NAMED.search(message)
    place = location
    if named and not location:
        place = (*named[1].split("."), *filter(None, (named[2],)))
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), 0)
    where = f"line {line}, " if line else ""
    key = ".".join(map(str, place)) or "the file as a whole"
    return f"{where}{key}: {_in_words(error, location, message)}"


def _in_words(error: Mapping[str, Any], location: Location, message: str) -> str:
    match error["type"]:
        case "extra_forbidden":
            known = _keys_beside(location)
            meant = get_close_matches(str(location[-1]), known, n=1)
            guess = f"; did you mean {meant[0]!r}?" if meant else "."
            return (
                f"there is no such key{guess} There is: {', '.join(known)}" if known else f"there is none such{guess}"
            )
        case "missing":
            return "it is needed and missing"
        case _:
            return message


def _keys_beside(location: Location) -> list[str]:
    """Return the keys that the table of a wrong key may have."""
    model: Any = StudySettings
    for part in location[:-1]:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = _model_in(model.model_fields[str(part)].annotation)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    """Return the settings class that a field holds, by itself or in a mapping or a list."""
    inside: Iterable[Any] = (annotation, *get_args(annotation))
    return next((one for one in inside if isinstance(one, type) and issubclass(one, BaseModel)), annotation)
