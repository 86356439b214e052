"""The proof of a withdrawal: every file below the study is searched for the ids, compressed ones by what is in them."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from outcomes.errors import OutcomesError
from outcomes.landing.formats.id_cells import IdCells
from outcomes.landing.formats.source_rows import path_literal
from outcomes.progress import tracked
from outcomes.store.files import read_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.trust.pending import PENDING
from outcomes.trust.persons import Persons
from outcomes.trust.recording import quarantine_path
from outcomes.trust.withdrawn_batches import split_quarantine
from outcomes.trust.withdrawn_sources import Unsearchable, rewrite_source, source_files

_PART = 4_000_000  # bytes that are searched at a time
_OVERLAP = 4_096  # bytes; longer than any id
_MAGIC_BYTES = 16
_PACKED = (b"PK\x03\x04", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")  # zip (xlsx), xz, bzip2, zstd, 7z
_OURS = {PENDING, ".lock", ".lock-holder.json"}
_ID_COLUMNS = ("client_id", "episode_id")


@dataclass(frozen=True)
class Search:
    """What was searched and found.

    Attributes
    ----------
    n_files : int
        Files below the study that were searched.
    n_ids, n_ids_in_bytes : int
        Ids that were searched for in id columns, and those of them that are long enough to search bytes for.
    found_in, unsearchable : tuple of str
        Files that hold one of the ids, and files that cannot be opened as what they are.
    """

    n_files: int
    n_ids: int
    n_ids_in_bytes: int
    found_in: tuple[str, ...]
    unsearchable: tuple[str, ...]


def search_study(study: StudyFolder, persons: Persons) -> Search:
    """Search all files below the study folder for the persons' ids.

    Text and bytes are searched for ids that are not met by chance (six characters or more with a digit, or nine
    digits); id columns of source files, quarantined rows, Parquet files and databases are searched for all of them.
    """
    files = [path for path in sorted(study.root.rglob("*")) if path.is_file() and not path.is_symlink()]
    files = [path for path in files if path.name not in _OURS]
    study.quarantine.mkdir(exist_ok=True)
    found: set[Path] = set(_quarantine_files(study, persons))
    unsearchable: set[Path] = set()
    for path in tracked(files, "Searching", total=len(files)):
        try:
            if _holds(path, persons):
                found.add(path)
        except (OSError, EOFError, zlib.error, duckdb.Error, OutcomesError, Unsearchable):
            unsearchable.add(path)
    for path, kind in source_files(study):
        with tempfile.TemporaryDirectory(dir=study.quarantine, prefix=".aside-") as scratch:
            try:
                if rewrite_source(path, Path(scratch) / "without", kind, study.settings, persons):
                    found.add(path)
            except Unsearchable:
                unsearchable.add(path)
    return Search(
        n_files=len(files), n_ids=len(persons.ids), n_ids_in_bytes=len(persons.distinctive.ids),
        found_in=_names(study, found), unsearchable=_names(study, unsearchable),
    )  # fmt: skip


def database_holds(path: Path, persons: Persons) -> bool:
    """Say whether any table of a DuckDB file has one of the ids in a text column.

    Raises
    ------
    StorageError
        If the file cannot be opened.
    """
    with connect(path, read_only=True) as con:
        columns = con.execute(
            "select table_name, column_name from duckdb_columns() where data_type = 'VARCHAR' and not internal"
        ).fetchall()
        return any(_column_holds(con, _quoted(table), column, persons) for table, column in columns)


def _column_holds(con: duckdb.DuckDBPyConnection, relation: str, column: str, persons: Persons) -> bool:
    """Search one text column: id columns for all ids, others for those that are not met by chance."""
    wanted = sorted(persons.ids) if column in _ID_COLUMNS else list(persons.distinctive.ids)
    return con.execute(
        f"select exists(select 1 from {relation} where trim({_quoted(column)}) in (select unnest(?::varchar[])))",
        [wanted],
    ).fetchall()[0][0]


def _holds(path: Path, persons: Persons) -> bool:
    """Search one file as what its first bytes say that it is, whatever its name says."""
    with path.open("rb") as stream:
        start = stream.read(_MAGIC_BYTES)
        stream.seek(0)
        if start.startswith(_PACKED):
            raise Unsearchable("packed")
        if start.startswith(b"PAR1"):
            return _parquet_holds(path, persons)
        if start[8:12] == b"DUCK":
            return database_holds(path, persons)
        if start.startswith(b"\x1f\x8b"):
            with gzip.open(stream, "rb") as unpacked:
                return _stream_holds(unpacked, persons)
        return _stream_holds(stream, persons)


def _parquet_holds(path: Path, persons: Persons) -> bool:
    relation = f"read_parquet({path_literal(path)})"
    with connect() as con:
        described = con.execute(f"describe select * from {relation}").fetchall()
        columns = [name for name, sql_type, *_ in described if sql_type == "VARCHAR"]
        return any(_column_holds(con, relation, column, persons) for column in columns)


def _stream_holds(stream: IO[bytes], persons: Persons) -> bool:
    tail = b""
    while part := stream.read(_PART):
        whole = tail + part
        if persons.distinctive.finds(whole):
            return True
        # Without its NULs, UTF-16 reads as plain text.
        if b"\0" in whole and persons.distinctive.finds(whole.replace(b"\0", b"")):
            return True
        tail = part[-_OVERLAP:]
    return False


def _quarantine_files(study: StudyFolder, persons: Persons) -> Iterator[Path]:
    """Yield the quarantine files that have one of the ids in a row."""
    manifests = [*study.landed.glob("[!.]*/manifest.json"), *study.quarantine.glob("*.refused.json")]
    for path in sorted(manifests):
        record = read_json(path)
        if record["kind"] is None:
            continue
        rows = quarantine_path(study, record["sha256"])
        if split_quarantine(rows, IdCells(record["kind"], study.settings), persons)[1]:
            yield rows


def _names(study: StudyFolder, paths: set[Path]) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(study.root).as_posix() for path in paths))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
