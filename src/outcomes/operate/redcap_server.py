"""A REDCap project pulled from its server: the dictionary, then only what the study maps, into the inbox.

Fields that the study does not map are not asked for, so that what identifies never leaves the server.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

from outcomes.contract import Kind
from outcomes.errors import StorageError, UsageError
from outcomes.landing.layouts.redcap_dictionary import Dictionary, read_dictionary
from outcomes.landing.rules.columns import known_names, normal
from outcomes.store.files import file_sha256, write_bytes
from outcomes.study import StudyFolder
from outcomes.study.clock import today
from outcomes.study.tables.layouts import LayoutName

TOKEN = "OUTCOMES_REDCAP_TOKEN"
_SECONDS = 120  # without a sign of the server
_TOKEN_LENGTH = 32


@dataclass(frozen=True)
class Pulled:
    """What came from a server.

    Attributes
    ----------
    name : str
        Name of the file in the inbox.
    n_fields : int
        Fields that were asked for, of all that the project has.
    n_project_fields : int
        Fields of the project.
    is_new : bool
        False where the inbox has a file of the same content already.
    """

    name: str
    n_fields: int
    n_project_fields: int
    is_new: bool

    def as_text(self) -> str:
        """Say it in one line."""
        what = f"{self.n_fields:,} of the project's {self.n_project_fields:,} fields were asked for"
        return f"inbox/{self.name}: {what}" if self.is_new else f"Nothing new: the inbox has this content; {what}"


def pull(study: StudyFolder) -> tuple[Pulled, ...]:
    """Pull every REDCap project that the study names a server of; call it under the writer lock.

    Sources that share server, dictionary and pattern are one project and one file.

    Raises
    ------
    UsageError
        If no source names a server, the token is missing or malformed, or the package that asks is not installed.
    StorageError
        If the server cannot be reached or refuses; its words are not repeated, they may quote data.
    """
    projects: dict[tuple[str, str, str], list[Kind]] = {}
    for kind, source in study.settings.sources.items():
        if source.format is LayoutName.REDCAP and source.redcap.server:
            key = (source.redcap.server, source.redcap.dictionary, source.pattern)
            projects.setdefault(key, []).append(kind)
    if not projects:
        raise UsageError(
            "No source of this study names a REDCap server",
            'write redcap = { server = "https://.../api/", ... } into [sources.sessions] of study.toml',
        )
    return tuple(_pull_project(study, kinds) for kinds in projects.values())


def _pull_project(study: StudyFolder, kinds: list[Kind]) -> Pulled:
    sources = [study.settings.sources[kind] for kind in kinds]
    options = sources[0].redcap
    project = _project(options.server)
    metadata = _asked(lambda: project.export_metadata(format_type="csv"))
    if not metadata.lstrip("\ufeff").startswith(("field_name", '"field_name"')):
        raise _refused("did not answer with a data dictionary")
    path = Path(options.dictionary)
    try:
        write_bytes(path, metadata.encode())
    except OSError as failed:
        raise StorageError(f"The data dictionary cannot be written: {failed.strerror}", "check the folder") from None
    dictionary = read_dictionary(path)
    dropped = {normal(name) for source in sources for name in source.drop}
    known = frozenset().union(*(known_names(kind, study.settings) for kind in kinds)) - dropped
    fields = _wanted(dictionary, known, {source.redcap.instrument for source in sources})
    records = _asked(
        lambda: project.export_records(
            format_type="csv", fields=fields, raw_or_label="raw", event_name="unique",
            export_data_access_groups=any("redcap_data_access_group" in one.columns.values() for one in sources),
        )
    )  # fmt: skip
    if not records.lstrip("\ufeff").replace('"', "").startswith(dictionary.record_id):
        raise _refused("did not answer with records")
    name = file_name(sources[0].pattern, today(study).isoformat())
    target, before = study.inbox / name, {file_sha256(one) for one in study.inbox.iterdir() if one.is_file()}
    aside = study.inbox / f".pulled-{name}"
    write_bytes(aside, records.encode())
    is_new = file_sha256(aside) not in before
    if is_new:
        os.replace(aside, target)
    aside.unlink(missing_ok=True)
    n_asked = sum(1 for one in dictionary.fields if one.name in fields)
    return Pulled(name, n_asked, len(dictionary.fields), is_new)


def _wanted(dictionary: Dictionary, known: frozenset[str], instruments: set[str]) -> list[str]:
    """Return the record's id, the fields that the study knows and their forms' states; nothing that identifies."""
    fields = {
        one.name: one.form
        for column, one in dictionary.by_column.items()
        if normal(column) in known and not one.is_identifier
    }
    forms = {*fields.values(), *instruments}
    names = [dictionary.record_id, *fields, *(f"{form}_complete" for form in dictionary.forms if form in forms)]
    return list(dict.fromkeys(names))


def file_name(pattern: str, day: str) -> str:
    """Return a name that fits a pattern of file names: `*_DATA_*.csv` gives `pulled_DATA_2025-01-07.csv`.

    Raises
    ------
    UsageError
        If none can be made.
    """
    stem = pattern.replace("*", "pulled", 1).replace("*", day)
    if pattern.count("*") == 1:
        stem = pattern.replace("*", f"pulled-{day}")
    name = stem if stem.lower().endswith(".csv") else f"{stem}.csv"
    if "/" in name or not fnmatchcase(name.lower(), pattern.lower()):
        raise UsageError(
            "No file name can be made from the pattern of the REDCap source", 'use one with "*", such as "*_DATA_*.csv"'
        )
    return name


def _project(server: str) -> Any:
    token = os.environ.get(TOKEN, "")
    if len(token) != _TOKEN_LENGTH or not token.isalnum():
        raise UsageError(
            f"{TOKEN} does not hold the token of a REDCap project ({_TOKEN_LENGTH} letters and digits)",
            f"ask for one in REDCap (API), and set {TOKEN} in the environment, never in study.toml",
        )
    try:
        redcap = import_module("redcap")
    except ModuleNotFoundError:
        raise UsageError(
            "To pull from a REDCap server the package PyCap is needed, and it is not installed",
            "pip install 'outcomes[redcap]'",
        ) from None
    # A server that sends the question on would have the token sent on with it.
    return redcap.Project(server, token, timeout=_SECONDS, allow_redirects=False)


def _asked(ask: Callable[[], str]) -> str:
    """Ask the server; whatever it or the package raises may quote data or the token, and is not passed on."""
    try:
        return ask()
    except Exception as failed:
        raise _refused(f"cannot be reached or refuses ({type(failed).__name__})") from None


def _refused(what: str) -> StorageError:
    return StorageError(
        f"The REDCap server {what}; nothing was written into the inbox",
        "check the address, the token and its rights (export of data and of the dictionary), and try again",
    )
