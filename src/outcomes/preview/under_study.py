"""Files as landing reads them under a study's own file: its layouts, its mapping, its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from outcomes.contract import Kind
from outcomes.errors import StorageError, StudyError
from outcomes.landing.files import kinds_of, unpack
from outcomes.landing.refusal import FileRefused, refusing_the_unforeseen
from outcomes.landing.rules.columns import normal
from outcomes.preview.cells import CELLS, FoundTable, write_clean
from outcomes.preview.columns import FoundColumn
from outcomes.preview.files import read_file
from outcomes.preview.guesses import Guess, Mapping
from outcomes.preview.landing_trial import Trial, try_landing, try_rules
from outcomes.preview.text_files import WHOLE_BYTES
from outcomes.study.settings import StudySettings
from outcomes.study.tables.layouts import LayoutName

_WHOLE_TIMES = 10  # a file that landing reads itself may be larger than one that is guessed at


@dataclass(frozen=True)
class Reading:
    """A file as one kind: its table, which is None where it cannot be read at all, and what landing would say."""

    kind: Kind | None
    table: FoundTable | None
    trial: Trial


def read_in_study(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, settings: StudySettings
) -> Iterator[Reading]:
    """Read a file for each kind that it feeds; the table of cells is that of the last one yielded."""
    try:
        kinds = kinds_of(path.name, settings)
    except FileRefused as refused:
        yield _refused(con, path, scratch, None, refused)
        return
    for kind in kinds:
        room = scratch / kind
        room.mkdir()
        try:
            yield _read(con, path, room, kind, kinds, settings)
        except (FileRefused, StudyError, StorageError) as refused:
            yield _refused(con, path, room, kind, refused)
        except OSError as failed:
            yield Reading(kind, None, Trial(f"the file cannot be read: {failed.strerror}", "check its permissions"))


def study_mapping(columns: tuple[FoundColumn, ...], kind: Kind, settings: StudySettings) -> Mapping:
    """Map columns by name, as the study file says."""
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
    return Mapping(kind, tuple(sorted(guesses, key=lambda guess: guess.found.place)), unknown)


@refusing_the_unforeseen()
def _read(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, kind: Kind, kinds: tuple[Kind, ...],
    settings: StudySettings,
) -> Reading:  # fmt: skip
    from outcomes.landing.layouts.door import layout_of, reader_of, suffix_of  # brings the tables of all layouts along

    if path.stat().st_size > _WHOLE_TIMES * WHOLE_BYTES and settings.sources[kind].format is LayoutName.TABLE:
        table = read_file(con, path, scratch)
        clean = write_clean(con, table, scratch)
        return Reading(kind, table, try_landing(con, clean, scratch, kind, settings, table.n_malformed))
    reader, is_packed = reader_of(path.name, kinds, settings)
    content = scratch / f"source{reader.suffixes[0]}"
    if is_packed:
        unpack(path, content, settings.landing.max_bytes)
    else:
        path.open("rb").close()  # a file that may not be read is told by the system's own error
        content.symlink_to(path.resolve())
    plan, rows = reader.read(con, content, scratch, kind, settings)
    trial = try_rules(con, plan, rows)
    cells = ", ".join(f"c{place} as c{number}" for number, place in enumerate(plan.places))
    con.execute(f"create or replace temp table {CELLS} as select {cells} from {rows.relation}")
    header = tuple(plan.header[place] for place in plan.places)
    notes = tuple(f"{n:,} rows are left out: {reason}." for reason, n in rows.laid_out.left_out.items() if n)
    layout = layout_of(suffix_of(path.name), settings.sources[kind].format)
    can = (f"What it can answer: {layout.answers}.",) if layout and layout.answers else ()
    table = FoundTable(
        reader.name, header, rows.n_records, rows.n_records, n_malformed=len(rows.malformed),
        notes=(*notes, *rows.laid_out.notes, *can),
    )  # fmt: skip
    return Reading(kind, table, trial)


def _refused(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, kind: Kind | None,
    refused: FileRefused | StudyError | StorageError,
) -> Reading:  # fmt: skip
    """Show what the file holds although landing would refuse it."""
    try:
        table = read_file(con, path, scratch)
    except (FileRefused, OSError):
        table = None
    return Reading(kind, table, Trial(refused.message, refused.hint))
