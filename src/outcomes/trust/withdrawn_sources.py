"""Source files of the inbox without the rows of withdrawn clients; everything else stays byte for byte."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from outcomes.contract import Kind
from outcomes.landing.files import Format, format_of, is_ignored, kind_of, unpack
from outcomes.landing.formats.sniffing import read_head
from outcomes.landing.formats.source_rows import path_literal, text_literal
from outcomes.landing.formats.text_records import TextRecords, find_records
from outcomes.landing.refusal import FileRefused
from outcomes.landing.rules.columns import known_names, normal
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.study.settings import StudySettings
from outcomes.trust.persons import IdCells, Persons

_PART = 16_000_000  # bytes that are copied at a time

IdsOf = Callable[[bytes], tuple[str, str] | None]


class Unsearchable(Exception):
    """A file cannot be opened as what its name says, so that nobody can say who is in it."""


def source_files(study: StudyFolder) -> Iterator[tuple[Path, Kind]]:
    """Yield the files of the inbox that landing takes up, with their kinds."""
    for path in sorted(study.inbox.iterdir()) if study.inbox.is_dir() else ():
        try:
            if not is_ignored(path):
                yield path, kind_of(path.name, study.settings)
        except FileRefused:
            continue  # of no kind: nothing of it is ever read, but it is searched


def rewrite_source(path: Path, target: Path, kind: Kind, settings: StudySettings, persons: Persons) -> int:
    """Write a source file without the persons' rows to `target`.

    Parameters
    ----------
    path, target : Path
        The source file, and a file that is made where rows go; scratch files are put beside it and removed.

    Returns
    -------
    int
        Rows (or, in a text file without a readable header, lines) that went; with 0 there is no `target`.

    Raises
    ------
    Unsearchable
        If the file is damaged.
    """
    scratch = target.with_name(f"{target.name}-scratch")
    try:
        file_format, is_packed = format_of(path.name)
        content = path
        if is_packed:
            unpack(path, scratch, settings.landing.max_bytes)
            content = scratch
        plain = target.with_name(f"{target.name}-plain") if is_packed else target
        if file_format is Format.PARQUET:
            removed = _rewrite_parquet(content, plain, kind, settings, persons)
        else:
            removed = _rewrite_text(content, plain, file_format, kind, settings, persons)
        if removed and is_packed:
            _pack(plain, target)
        if removed:
            shutil.copymode(path, target)
            with target.open("rb") as stream:
                os.fsync(stream.fileno())
        return removed
    except (FileRefused, duckdb.Error, OSError) as damaged:
        raise Unsearchable(type(damaged).__name__) from None
    finally:
        scratch.unlink(missing_ok=True)
        target.with_name(f"{target.name}-plain").unlink(missing_ok=True)


def source_ids(path: Path, scratch: Path, kind: Kind, settings: StudySettings) -> set[tuple[str, str]]:
    """Return the pairs of client and episode that a source file has; none where it cannot be read.

    Parameters
    ----------
    path, scratch : Path
        The source file, and a place for its unpacked content, which is removed.
    """
    try:
        file_format, is_packed = format_of(path.name)
        if is_packed:
            unpack(path, scratch, settings.landing.max_bytes)
        content = scratch if is_packed else path
        if file_format is Format.PARQUET:
            with connect() as con:
                id_cells = IdCells(kind, settings)
                pairs, _ = _parquet_pairs(con, content, id_cells)
                return {(id_cells.text(client), id_cells.text(episode)) for client, episode in pairs}
        records, ids_of = _records(content, file_format, kind, settings)
        well_formed = (raw for record, raw in _numbered(records) if record not in records.malformed)
        return {pair for pair in map(ids_of, well_formed) if pair}
    except (FileRefused, duckdb.Error, OSError):
        return set()
    finally:
        scratch.unlink(missing_ok=True)


def _rewrite_text(
    content: Path, target: Path, file_format: Format, kind: Kind, settings: StudySettings, persons: Persons
) -> int:
    try:
        records, ids_of = _records(content, file_format, kind, settings)
    except FileRefused:
        return _rewrite_lines(content, target, persons)
    gone = []
    for record, raw in _numbered(records):
        pair = None if record in records.malformed else ids_of(raw)
        if persons.owns(*pair) if pair else persons.every.finds(raw):
            gone.append(record)
    if gone:
        _copy_without(content, target, records, gone)
    return len(gone)


def _numbered(records: TextRecords) -> Iterator[tuple[int, bytes]]:
    return enumerate(records.raw(list(range(records.starts.size))))


def _records(content: Path, file_format: Format, kind: Kind, settings: StudySettings) -> tuple[TextRecords, IdsOf]:
    """Return a text file's records, and what tells a record's client and episode (None where it cannot be split)."""
    id_cells = IdCells(kind, settings)
    if file_format is Format.NDJSON:
        with content.open("rb") as stream:
            mark = len(codecs.BOM_UTF8) if stream.read(3) == codecs.BOM_UTF8 else 0

        def of_object(raw: bytes) -> tuple[str, str] | None:
            try:
                return id_cells.of(json.loads(raw))
            except (ValueError, AttributeError):
                return None

        return find_records(content, mark, 1, "", 0), of_object
    head = read_head(content, known_names(kind, settings))

    def of_line(raw: bytes) -> tuple[str, str] | None:
        try:
            cells = next(csv.reader([raw.decode()], delimiter=head.delimiter), [])
        except csv.Error:
            return None
        return id_cells.of(dict(zip(head.names, cells, strict=False)))

    return find_records(content, head.body_start, head.first_line, head.delimiter, len(head.names)), of_line


def _copy_without(content: Path, target: Path, records: TextRecords, gone: list[int]) -> None:
    """Copy a file, leaving out records together with the line ends behind them."""
    size = content.stat().st_size
    starts = [*records.starts.tolist(), size]
    with content.open("rb") as source, target.open("wb") as copy:
        place = 0
        for first, last in [*((starts[record], starts[record + 1]) for record in gone), (size, size)]:
            source.seek(place)
            left = first - place
            while left > 0:
                part = source.read(min(left, _PART))
                copy.write(part)
                left -= len(part)
            place = last


def _rewrite_lines(content: Path, target: Path, persons: Persons) -> int:
    """Leave out every line that mentions one of the ids: all that can be done where there is no readable header."""
    lines = content.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not persons.every.finds(line)]
    if len(kept) < len(lines):
        target.write_bytes(b"".join(kept))
    return len(lines) - len(kept)


def _rewrite_parquet(content: Path, target: Path, kind: Kind, settings: StudySettings, persons: Persons) -> int:
    id_cells, relation = IdCells(kind, settings), f"read_parquet({path_literal(content)})"
    with connect() as con:
        pairs, selected = _parquet_pairs(con, content, id_cells)
        theirs = [pair for pair in pairs if persons.owns(*map(id_cells.text, pair))]
        if not theirs:
            return 0
        con.execute("create temp table theirs (client varchar, episode varchar)")
        con.executemany("insert into theirs values (?, ?)", theirs)
        is_theirs = f"({selected}) in (select (client, episode) from theirs)"
        n_rows = con.execute(f"select count(*) from {relation} where {is_theirs}").fetchall()[0][0]
        con.execute(
            f"copy (select * from {relation} where not {is_theirs}) to {text_literal(str(target))} (format parquet)"
        ).fetchall()
    return n_rows


def _parquet_pairs(
    con: duckdb.DuckDBPyConnection, content: Path, id_cells: IdCells
) -> tuple[list[tuple[str, str]], str]:
    """Return the distinct pairs of client and episode, and the SQL that selects a pair."""
    relation = f"read_parquet({path_literal(content)})"
    described = con.execute(f"describe select * from {relation}").fetchall()
    names = {normal(row[0]): _quoted(row[0]) for row in described}
    selected = ", ".join(
        f"coalesce(cast({names[name]} as varchar), '')" if name in names else "''"
        for name in (id_cells.client, id_cells.episode)
    )
    return con.execute(f"select distinct {selected} from {relation}").fetchall(), selected


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _pack(plain: Path, target: Path) -> None:
    with plain.open("rb") as source, target.open("wb") as out, gzip.GzipFile("", "wb", fileobj=out, mtime=0) as packed:
        shutil.copyfileobj(source, packed, _PART)
