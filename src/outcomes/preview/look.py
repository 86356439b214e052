"""One look at source files: what each is, what its columns would become, and what landing would say."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from outcomes.contract import Kind
from outcomes.landing.files import kind_of, readable_name
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import normal
from outcomes.preview.cells import CLEAN, FoundTable, write_clean
from outcomes.preview.columns import FoundColumn, find_columns
from outcomes.preview.draft import SourceDraft, draft_lines, pattern_of, settings_of
from outcomes.preview.files import read_file
from outcomes.preview.guesses import Guess, Mapping, best_mapping, nearest
from outcomes.preview.identifying import identifying
from outcomes.preview.landing_trial import Trial, try_landing
from outcomes.preview.questions import Answer, answers_of
from outcomes.store.warehouse import connect
from outcomes.study.settings import StudySettings

_MEMORY = "1GB"


@dataclass(frozen=True)
class FileLook:
    """What was found in one file.

    Attributes
    ----------
    name : str
    table : FoundTable or None
        None where the file cannot be read; `refused` and `hint` then say why.
    columns : tuple of FoundColumn
    kind : Kind or None
        None where no kind of file fits.
    guesses : tuple of Guess
        What columns would become.
    identifying : dict of str to tuple of str
        Columns that seem to point at persons, with the kinds of identifiers.
    unknown : dict of str to tuple of str
        Columns that nothing is known of, with the nearest names of the contract.
    trial : Trial or None
        What landing would say; None where there is nothing to try.
    """

    name: str
    table: FoundTable | None = None
    columns: tuple[FoundColumn, ...] = ()
    kind: Kind | None = None
    guesses: tuple[Guess, ...] = ()
    identifying: dict[str, tuple[str, ...]] | None = None
    unknown: dict[str, tuple[str, ...]] | None = None
    trial: Trial | None = None
    refused: str = ""
    hint: str = ""
    mapping: Mapping | None = None


@dataclass(frozen=True)
class Look:
    """What was found in all files together: the questions that they can answer, and the study file to paste."""

    files: tuple[FileLook, ...]
    answers: tuple[Answer, ...]
    study_lines: tuple[str, ...]

    @property
    def n_refused(self) -> int:
        """Files that cannot be read."""
        return sum(one.table is None for one in self.files)


def look_at(paths: Sequence[Path], settings: StudySettings | None = None, study_name: str = "My study") -> Look:
    """Look at files; nothing is kept.

    Parameters
    ----------
    paths : sequence of Path
    settings : StudySettings, optional
        A study's own mapping, which is then used in place of guesses.
    study_name : str
        For the lines of the study file.
    """
    with tempfile.TemporaryDirectory(prefix="outcomes-check-") as folder, connect(memory_limit=_MEMORY) as con:
        con.execute("pragma disable_optimizer")
        con.execute("set threads = 1")  # many small questions: sharing them out takes longer than answering them
        found = [_found(con, path, Path(folder) / str(number), settings) for number, path in enumerate(paths)]
        drafts = _drafts(found)
        lines = draft_lines(drafts, study_name) if drafts and not settings else []
        used = settings or (settings_of(lines) if lines else None)
        files = tuple(_with_trial(con, one, Path(folder) / str(number), used) for number, one in enumerate(found))
    names = {guess.column for one in files if one.kind for guess in one.guesses} | _constants(settings)
    return Look(files, answers_of(names) if names else (), tuple(lines))


def _constants(settings: StudySettings | None) -> set[str]:
    return {name for source in settings.sources.values() for name in source.constants} if settings else set()


def _found(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, settings: StudySettings | None) -> FileLook:
    name = readable_name(path)
    scratch.mkdir()
    try:
        table = read_file(con, path, scratch)
    except FileRefused as refused:
        return FileLook(name, refused=refused.message, hint=refused.hint)
    except OSError as failed:
        return FileLook(name, refused=f"the file cannot be read: {failed.strerror}", hint="check its permissions")
    columns = find_columns(con, table)
    write_clean(con, table.header, scratch)
    mapping, refused, hint = _mapping(columns, name, table, settings)
    ids = frozenset(guess.found.name for guess in mapping.guesses if guess.column.endswith("_id")) if mapping else set()
    marked = identifying(con, columns, frozenset(ids))
    kind = mapping.kind if mapping else None
    unknown = {
        column.name: nearest(column.name, kind)
        for column in (mapping.unknown if mapping else columns)
        if column.name not in marked
    }
    guesses = tuple(guess for guess in mapping.guesses if guess.found.name not in marked) if mapping else ()
    trial = Trial(refused, hint) if refused else None
    return FileLook(name, table, columns, kind, guesses, marked, unknown, trial, mapping=mapping)


def _mapping(
    columns: tuple[FoundColumn, ...], name: str, table: FoundTable, settings: StudySettings | None
) -> tuple[Mapping | None, str, str]:
    if settings is None:
        return best_mapping(columns, name, table.n_rows), "", ""
    try:
        kind = kind_of(name, settings)
    except FileRefused as refused:
        return None, refused.message, refused.hint
    source = settings.sources[kind]
    by_name = {normal(column.name): column for column in columns}
    guesses = []
    for column in settings.columns(kind):
        found = by_name.get(normal(source.columns.get(column.name, column.name)))
        if found and column.name not in source.constants:
            guesses.append(Guess(found, column.name, 1.0, "as study.toml says"))
    used = {guess.found.place for guess in guesses}
    dropped = {normal(name) for name in source.drop}
    unknown = tuple(one for one in columns if one.place not in used and normal(one.name) not in dropped)
    return Mapping(kind, tuple(sorted(guesses, key=lambda guess: guess.found.place)), unknown), "", ""


def _drafts(found: list[FileLook]) -> list[SourceDraft]:
    """Take the first file of each kind; its names and those of its like make the pattern."""
    drafts = []
    for kind in Kind:
        of_kind = [one for one in found if one.kind is kind and one.mapping]
        others = [one.name for one in found if one.kind is not kind]
        if of_kind:
            pattern = pattern_of([one.name for one in of_kind], others)
            drafts.append(SourceDraft(of_kind[0].mapping, pattern, of_kind[0].identifying or {}))
    return drafts


def _with_trial(
    con: duckdb.DuckDBPyConnection, one: FileLook, scratch: Path, settings: StudySettings | None
) -> FileLook:
    if one.trial or not (settings and one.kind and one.table):
        return one
    return replace(one, trial=try_landing(con, scratch / CLEAN, scratch, one.kind, settings, one.table.n_malformed))
