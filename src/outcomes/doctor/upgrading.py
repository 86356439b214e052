"""A study file of an earlier version, brought to this one line by line: comments and all else stay as they are."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes.errors import StudyError
from outcomes.store.files import write_text
from outcomes.study import StudyFolder
from outcomes.study.reading import Location, lines_of, settings_of
from outcomes.study.retired import RETIRED

ANY = "*"
"""Any one key, in the place of a renamed one."""


@dataclass(frozen=True)
class Renamed:
    """A key that has another name now, with the same meaning.

    Attributes
    ----------
    table : tuple of str
        Keys of the table that it stands in; `ANY` for any one.
    old, new : str
    """

    table: tuple[str, ...]
    old: str
    new: str


RENAMED = (Renamed(("scales", ANY), "construct", "measures"),)
"""All keys that were ever renamed; those taken away are in `outcomes.study.retired`, and each new one has a default."""

_WITHIN = "directiveness_within"
_SLOPES = f"0 + {_WITHIN} | therapist_id"


@dataclass(frozen=True)
class Upgrade:
    """What becomes of a study file.

    Attributes
    ----------
    before, after : str
        Its text.
    changes : tuple of str
        What was changed, line by line, in words.
    advice : tuple of str
        What an analyst may want to change, and why: nothing of it is done, because it would change results.
    """

    before: str
    after: str
    changes: tuple[str, ...]
    advice: tuple[str, ...]

    def diff(self, name: str) -> str:
        """The change as a unified diff; empty where there is none."""
        sides = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*sides, f"{name} (before)", f"{name} (after)"))


def upgrade(text: str) -> Upgrade:
    """Bring the text of a study file to this version.

    Parameters
    ----------
    text : str
        A `study.toml` of any version.

    Raises
    ------
    StudyError
        If it is no TOML, or a key that has another name now is written in a way that is not changed by lines.
    """
    try:
        declared = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise StudyError(f"The study file is not valid TOML: {broken}", "mend the line that is named") from broken
    lines, found = text.splitlines(keepends=True), lines_of(text)
    changes = []
    for rename in RENAMED:
        for place in _places(declared, rename):
            old, new = (*place, rename.old), (*place, rename.new)
            number = found.get(old, 0)
            line = re.sub(rf"^(\s*){rename.old}(\s*=)", rf"\g<1>{rename.new}\2", lines[number - 1]) if number else ""
            if not number or line == lines[number - 1]:
                raise StudyError(f"{_key(old)} is called {_key(new)} now", "write it so by hand, and upgrade again")
            if new in found:
                raise StudyError(f"{_key(old)} is called {_key(new)} now, and both are there", "remove the old one")
            lines[number - 1] = line
            changes.append(f"line {number}: {_key(old)} is called {_key(new)} now")
    for place, why in RETIRED.items():
        if number := found.get(place, 0):
            lines[number - 1] = ""
            changes.append(f"line {number}: {_key(place)} does nothing any more ({why}); it is taken out")
    return Upgrade(text, "".join(lines), tuple(changes), tuple(_advice(declared)))


def _places(declared: Mapping[str, Any], rename: Renamed) -> list[Location]:
    """The tables of a study file that have the old key."""
    tables: list[tuple[Location, Any]] = [((), declared)]
    for part in rename.table:
        tables = [
            ((*place, key), inner)
            for place, table in tables
            if isinstance(table, Mapping)
            for key, inner in table.items()
            if part in (ANY, key)
        ]
    return [place for place, table in tables if isinstance(table, Mapping) and rename.old in table]


def _advice(declared: Mapping[str, Any]) -> list[str]:
    advice = []
    for model in declared.get("models", ()):
        terms = [*model.get("fixed", ()), *model.get("random", ())]
        random = model.get("random", ())
        has_slope = any("therapist_id" in term and _WITHIN in term for term in random)
        if model.get("kind") == "linear" and _WITHIN in terms and not has_slope:
            advice.append(
                f"model {model.get('name')!r} has the same slope of {_WITHIN} for all therapists: its interval is too "
                f'narrow where they differ. New studies have "{_SLOPES}" in random'
            )
    return advice


def _key(place: Location) -> str:
    return ".".join(map(str, place))


def read_upgrade(study: StudyFolder) -> Upgrade:
    """Read a study's file and find what becomes of it; it is checked as this version reads it.

    Raises
    ------
    StudyError
        If there is none, or it cannot be used after the change either.
    """
    path = study.settings_path
    try:
        found = upgrade(path.read_bytes().decode())
    except FileNotFoundError:
        raise StudyError(f"There is no {path.name} in {path.parent}", "give the folder that holds study.toml") from None
    except UnicodeDecodeError:
        raise StudyError(f"{path.name} is not UTF-8", "save it as UTF-8") from None
    settings_of(found.after, path)
    return found


def keep_upgrade(study: StudyFolder, found: Upgrade) -> Path:
    """Write the new study file, and the one before beside it; call it under the writer lock.

    Raises
    ------
    StudyError
        If the file was edited meanwhile.
    """
    path = study.settings_path
    if path.read_bytes().decode() != found.before:
        raise StudyError(f"{path.name} was edited meanwhile", "upgrade again")
    kept = path.with_name(f"{path.name}.before")
    write_text(kept, found.before)
    write_text(path, found.after)
    return kept
