"""One look at source files: what each is, what its columns would become, and what landing would say."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from outcomes.contract import Kind
from outcomes.landing.files import readable_name
from outcomes.landing.refusal import FileRefused
from outcomes.preview.cells import CLEAN, FoundTable, write_clean
from outcomes.preview.columns import FoundColumn, find_columns
from outcomes.preview.draft import SourceDraft, draft_lines, pattern_of, settings_of
from outcomes.preview.files import read_any
from outcomes.preview.guesses import Guess, Mapping, best_mapping, nearest
from outcomes.preview.identifying import identifying
from outcomes.preview.landing_trial import Trial, try_landing
from outcomes.preview.layouts import is_dictionary
from outcomes.preview.under_study import read_in_study, study_mapping
from outcomes.store.warehouse import connect
from outcomes.study.answerable import Answer, answers_of
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
    source_lines : tuple of str
        What the study file must say of how the file is laid out.
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
    source_lines: tuple[str, ...] = ()


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
        rooms = [Path(folder) / str(number) for number in range(len(paths))]
        for room in rooms:
            room.mkdir()
        if settings:
            found = [
                one for path, room in zip(paths, rooms, strict=True) for one in _in_study(con, path, room, settings)
            ]
            lines: list[str] = []
        else:
            guessed = [_guessed(con, path, room, paths) for path, room in zip(paths, rooms, strict=True)]
            drafts = _drafts(guessed)
            lines = draft_lines(drafts, study_name) if drafts else []
            used = settings_of(lines) if lines else None
            found = [_with_trial(con, one, room, used) for one, room in zip(guessed, rooms, strict=True)]
    names = {guess.column for one in found if one.kind for guess in one.guesses}
    if settings:
        names |= {name for source in settings.sources.values() for name in source.constants}
    return Look(tuple(found), answers_of(names) if names else (), tuple(lines))


def _in_study(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, settings: StudySettings
) -> tuple[FileLook, ...]:
    """Look at a file as landing will: one look a kind that it feeds."""
    looks = []
    for reading in read_in_study(con, path, scratch, settings):
        if reading.table is None:
            looks.append(FileLook(readable_name(path), refused=reading.trial.refused, hint=reading.trial.hint))
            continue
        columns = find_columns(con, reading.table)
        mapping = study_mapping(columns, reading.kind, settings) if reading.kind else None
        looks.append(_described(con, path, reading.table, columns, mapping, reading.trial))
    return tuple(looks)


def _guessed(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, beside: Sequence[Path]) -> FileLook:
    try:
        laid_out = read_any(con, path, scratch, beside)
    except FileRefused as refused:
        return FileLook(readable_name(path), refused=refused.message, hint=refused.hint)
    except OSError as failed:
        return FileLook(
            readable_name(path), refused=f"the file cannot be read: {failed.strerror}", hint="check its permissions"
        )
    columns = find_columns(con, laid_out.table)
    write_clean(con, laid_out.table.header, scratch)
    if is_dictionary(laid_out.table.header):
        note = "It is a REDCap data dictionary, no data: put it beside study.toml, outside inbox/."
        return FileLook(path.name, laid_out.table.noting(note))
    mapping = best_mapping(columns, path.name, laid_out.table.n_rows)
    described = _described(con, path, laid_out.table, columns, mapping, None)
    marked = laid_out.marked | (described.identifying or {})
    return replace(described, identifying=marked, source_lines=laid_out.lines)


def _described(
    con: duckdb.DuckDBPyConnection, path: Path, table: FoundTable, columns: tuple[FoundColumn, ...],
    mapping: Mapping | None, trial: Trial | None,
) -> FileLook:  # fmt: skip
    guesses = mapping.guesses if mapping else ()
    ids = frozenset(guess.found.name for guess in guesses if guess.column.endswith("_id"))
    searched = (*(guess.found for guess in guesses), *mapping.unknown) if mapping else columns  # not what is dropped
    marked = identifying(con, tuple(searched), ids)
    kind = mapping.kind if mapping else None
    unknown = {
        column.name: nearest(column.name, kind)
        for column in (mapping.unknown if mapping else columns)
        if column.name not in marked
    }
    kept = tuple(guess for guess in guesses if guess.found.name not in marked)
    return FileLook(readable_name(path), table, columns, kind, kept, marked, unknown, trial, mapping=mapping)


def _drafts(found: list[FileLook]) -> list[SourceDraft]:
    """Take the first file of each kind; its names and those of its like make the pattern."""
    drafts = []
    for kind in Kind:
        of_kind = [one for one in found if one.kind is kind and one.mapping]
        others = [one.name for one in found if one.kind is not kind]
        if of_kind:
            pattern = pattern_of([one.name for one in of_kind], others)
            drafts.append(
                SourceDraft(of_kind[0].mapping, pattern, of_kind[0].identifying or {}, of_kind[0].source_lines)
            )
    return drafts


def _with_trial(
    con: duckdb.DuckDBPyConnection, one: FileLook, scratch: Path, settings: StudySettings | None
) -> FileLook:
    if one.trial or not (settings and one.kind and one.table):
        return one
    return replace(one, trial=try_landing(con, scratch / CLEAN, scratch, one.kind, settings, one.table.n_malformed))
