"""One look at source files: what each is, what its columns would become, and what landing would say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from outcomes.contract import CONTRACT, Kind, ValueType
from outcomes.landing.files import readable_name
from outcomes.landing.refusal import FileRefused, refusing_the_unforeseen
from outcomes.preview.cells import CLEAN, FoundTable, write_clean
from outcomes.preview.columns import FoundColumn, find_columns, with_said
from outcomes.preview.draft import SourceDraft, draft_lines, pattern_of, settings_of
from outcomes.preview.files import can_be_flat, is_text, read_any
from outcomes.preview.guesses import Mapping, best_mapping, nearest
from outcomes.preview.identifying import identifying
from outcomes.preview.landing_trial import Trial, try_landing, try_shared
from outcomes.preview.layouts import LaidOut, is_dictionary, lay_out_again, sheets_of, usual_codes, usual_names
from outcomes.preview.looks import FileLook, Look
from outcomes.preview.sharing import further_mapping, of_owner, without
from outcomes.preview.under_study import read_in_study, study_mapping
from outcomes.store.warehouse import connect
from outcomes.study.answerable import answers_of
from outcomes.study.settings import StudySettings
from outcomes.study.tables.layouts import LayoutName

_MEMORY = "1GB"
_DATES = frozenset(one.name for columns in CONTRACT.values() for one in columns if one.type is ValueType.DATE)


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
            guessed = chosen([_guessed(con, path, room, paths) for path, room in zip(paths, rooms, strict=True)])
            drafts = drafts_of(guessed)
            lines = draft_lines(drafts, study_name) if drafts else []
            used = settings_of(lines) if lines else None
            found = [_with_trial(con, one, path, used) for one, path in zip(guessed, paths, strict=True)]
    names = {guess.column for file in found for one in file.every if one.kind for guess in one.guesses}
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
    """Look at a file by what it seems to hold; each sheet of a workbook is a table of its own."""
    try:
        sheets = sheets_of(path)
        if len(sheets) < 2:
            return _as_kinds(con, path, scratch, beside)
        looks, notes = [], []
        for number, sheet in enumerate(sheets):
            room = scratch / str(number)
            room.mkdir()
            try:
                looks.append(_as_kinds(con, path, room, beside, sheet))
            except FileRefused as refused:
                notes.append(f"The sheet {sheet!r} is left: {refused.message}.")
    except FileRefused as refused:
        return FileLook(readable_name(path), refused=refused.message, hint=refused.hint)
    except OSError as failed:
        return FileLook(
            readable_name(path), refused=f"the file cannot be read: {failed.strerror}", hint="check its permissions"
        )
    if not looks:
        return FileLook(readable_name(path), refused=" ".join(notes), hint="save the sheet with the table as CSV")
    order = list(Kind)
    looks.sort(key=lambda one: order.index(one.kind) if one.kind else len(order))
    first, *rest = looks
    notes += [f"The sheet {one.sheet!r} looks like none of {', '.join(Kind)}." for one in rest if not one.kind]
    others = [look for one in rest if one.kind for look in one.every]
    return replace(first, table=first.table.noting(*notes), also=(*first.also, *others))


@refusing_the_unforeseen()
def _as_kinds(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, beside: Sequence[Path], sheet: str = ""
) -> FileLook:
    """Look at one table as the kind that it fits best, and as those of which it holds something too."""
    laid_out = read_any(con, path, scratch, beside, sheet)
    columns = with_said(find_columns(con, laid_out.table), laid_out.said)
    write_clean(con, laid_out.table, scratch)
    if is_dictionary(path):
        note = "It is a REDCap data dictionary, no data: put it beside study.toml, outside inbox/."
        return FileLook(path.name, replace(laid_out.table, notes=(note,)))
    named = tuple(column for column in columns if column.name not in laid_out.table.nameless)
    mapping = best_mapping(named, sheet or path.name, laid_out.table.n_rows)
    described = _described(con, path, laid_out.table, columns, mapping, None)
    marked = laid_out.marked | (described.identifying or {})
    first = replace(
        described, identifying=marked, source_lines=laid_out.lines, layout=laid_out.layout, sheet=sheet, room=scratch
    )
    if first.mapping is None:
        return first
    return replace(first, also=tuple(_further(con, path, first, laid_out)))


def _further(con: duckdb.DuckDBPyConnection, path: Path, first: FileLook, laid_out: LaidOut) -> Iterator[FileLook]:
    """Look at a table as the kinds that it does not fit best."""
    if laid_out.layout is LayoutName.TABLE and not can_be_flat(path):
        return
    for kind in Kind:
        room = first.room / kind
        room.mkdir()
        try:
            again = lay_out_again(con, path, room, laid_out, kind)
        except FileRefused:
            continue
        table = again.table if again else laid_out.table
        columns = with_said(find_columns(con, table), laid_out.said) if again else first.columns
        usual = usual_names(laid_out.layout, kind) if again else {}
        mapping = further_mapping(
            con, columns, first.mapping, kind, first.identifying or {}, usual=usual, is_own_rows=again is not None
        )
        if mapping is None:
            continue
        write_clean(con, table, room)
        yield FileLook(
            first.name, table, tuple(guess.found for guess in mapping.guesses), kind, mapping.guesses, {}, {},
            mapping=mapping, source_lines=(again or laid_out).lines, layout=laid_out.layout, sheet=first.sheet,
            codes=usual_codes(laid_out.layout, kind) if again else {}, is_further=True, room=room,
        )  # fmt: skip


def _described(
    con: duckdb.DuckDBPyConnection, path: Path, table: FoundTable, columns: tuple[FoundColumn, ...],
    mapping: Mapping | None, trial: Trial | None,
) -> FileLook:  # fmt: skip
    guesses = mapping.guesses if mapping else ()
    ids = frozenset(guess.found.name for guess in guesses if guess.column.endswith("_id"))
    searched = (*(guess.found for guess in guesses), *mapping.unknown) if mapping else columns  # not what is dropped
    dates = frozenset(guess.found.name for guess in guesses if guess.column in _DATES)
    marked = identifying(con, tuple(searched), ids, dates)
    kind = mapping.kind if mapping else None
    unknown = {
        column.name: nearest(column.name, kind)
        for column in (mapping.unknown if mapping else columns)
        if column.name not in marked
    }
    kept = tuple(guess for guess in guesses if guess.found.name not in marked)
    return FileLook(readable_name(path), table, columns, kind, kept, marked, unknown, trial, mapping=mapping)


def _with_trial(con: duckdb.DuckDBPyConnection, file: FileLook, path: Path, settings: StudySettings | None) -> FileLook:
    """Say what landing would say of a file, of each of its kinds."""
    if not (settings and file.kind and file.table):
        return file
    kinds = tuple(kind for kind in settings.sources if kind in {one.kind for one in file.every})
    tried = []
    for one in file.every:
        if len(kinds) == 1:
            trial = try_landing(con, one.room / CLEAN, one.room, one.kind, settings, one.table.n_malformed)
        else:
            content = file.room / CLEAN if file.layout is LayoutName.TABLE and is_text(path) else path
            trial = try_shared(con, content, one.room, one.kind, kinds, settings, file.table.n_malformed)
        tried.append(replace(one, trial=trial))
    return replace(tried[0], also=tuple(tried[1:]))


def chosen(files: Sequence[FileLook]) -> list[FileLook]:
    """Keep the further kinds of files for which there is no file of their own, from the file that says most of them.

    What another file has is left to it: its columns are then not known in the first.
    """
    owners: dict[Kind, int] = {}
    for place, file in enumerate(files):
        for one in file.every:
            if one.kind and not one.is_further:
                owners.setdefault(one.kind, place)
    further: dict[Kind, Kind] = {}  # by the further kind, the kind of the files that feed it
    for kind in Kind:
        said = [
            (len(one.guesses), -place, file.kind)
            for place, file in enumerate(files)
            for one in file.also
            if kind not in owners and one.kind is kind and owners[file.kind] == place
        ]
        if said:
            further[kind] = max(said)[2]
    return [_with_kinds(file, {kind for kind, feeds in further.items() if feeds is file.kind}) for file in files]


def _with_kinds(file: FileLook, kinds: set[Kind]) -> FileLook:
    """Leave a file the further kinds that were chosen, and take their columns from the table's own kind."""
    also = [one for one in file.also if not one.is_further or one.kind in kinds]
    further = [one for one in also if one.is_further]
    first, *rest = (one if one.is_further else _without_further(one, further) for one in (file, *also))
    return replace(first, also=tuple(rest))


def _without_further(one: FileLook, further: Sequence[FileLook]) -> FileLook:
    """Take from a look the columns that further kinds read from the same table."""
    elsewhere = {name: each.kind for each in further if each.sheet == one.sheet for name in of_owner(each.mapping)}
    if one.mapping is None or not elsewhere:
        return one
    return replace(
        one, mapping=without(one.mapping, elsewhere), elsewhere=elsewhere,
        guesses=tuple(guess for guess in one.guesses if guess.found.name not in elsewhere),
        unknown={name: near for name, near in (one.unknown or {}).items() if name not in elsewhere},
    )  # fmt: skip


def drafts_of(files: Sequence[FileLook]) -> list[SourceDraft]:
    """Take the first file of each kind; its name and those of its like make the pattern, one for all its kinds."""
    first: dict[Kind, tuple[FileLook, FileLook]] = {}
    for is_further in (False, True):
        for file in files:
            for one in file.every:
                if one.kind and one.mapping and one.is_further is is_further:
                    first.setdefault(one.kind, (file, one))
    drafts = []
    for kind in (kind for kind in Kind if kind in first):
        file, one = first[kind]
        like = [other.name for other in files if other.kind is file.kind]
        others = [other.name for other in files if other.kind is not file.kind]
        shares = sum(owner is file for owner, _ in first.values()) > 1
        is_flat = shares and one.layout is LayoutName.TABLE and any(each.is_further for each in file.every)
        lines = (f'format = "{LayoutName.FLAT}"', *one.source_lines) if is_flat else one.source_lines
        drafts.append(SourceDraft(one.mapping, pattern_of(like, others), one.identifying or {}, lines, one.codes))
    return drafts
