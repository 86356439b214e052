"""Landed batches and quarantined rows without withdrawn clients; each batch changes by one rename."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from outcomes.contract import Kind
from outcomes.landing.formats.id_cells import IdCells
from outcomes.landing.formats.source_rows import path_literal, text_literal
from outcomes.landing.quarantine import HEADER
from outcomes.store.files import file_sha256, new_folder, read_json, sync_folder, write_json, write_text
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.trust.persons import Persons
from outcomes.trust.recording import quarantine_path

_READY = ".withdrawn-"  # a batch's new folder, complete, before it takes the old one's place
_QUARANTINE = "quarantine.csv"  # travels in the new folder, so that counts and rows change together


def episodes_of(study: StudyFolder, clients: frozenset[str]) -> frozenset[str]:
    """Return the landed episodes that belong to these clients and to nobody else."""
    files = [path for path in sorted(study.landed.glob("[!.]*/batch.parquet")) if _kind(path.parent) != Kind.CLIENTS]
    if not files:
        return frozenset()
    pairs = " union ".join(f"select client_id, episode_id from read_parquet({path_literal(path)})" for path in files)
    with connect() as con:
        _offer(con, clients)
        rows = con.execute(
            f"select episode_id from ({pairs}) where episode_id is not null "
            "group by episode_id having bool_and(client_id in (select id from theirs))"
        ).fetchall()
    return frozenset(episode for (episode,) in rows)


def known_clients(study: StudyFolder, clients: frozenset[str]) -> int:
    """Count those of some clients that any landed batch has."""
    files = sorted(study.landed.glob("[!.]*/batch.parquet"))
    if not files:
        return 0
    every = " union ".join(f"select client_id from read_parquet({path_literal(path)})" for path in files)
    with connect() as con:
        _offer(con, clients)
        return con.execute(f"select count(*) from ({every}) where client_id in (select id from theirs)").fetchall()[0][
            0
        ]


def ids_of_others(study: StudyFolder, persons: Persons) -> frozenset[str]:
    """Return every landed id of a client or an episode that is none of these persons'."""
    ids: set[str] = set()
    with connect() as con:
        for path in sorted(study.landed.glob("[!.]*/batch.parquet")):
            for column in ("client_id", "episode_id") if _kind(path.parent) != Kind.CLIENTS else ("client_id",):
                query = f"select distinct {column} from read_parquet({path_literal(path)})"
                ids.update(one for (one,) in con.execute(query).fetchall() if one)
    return frozenset(ids - persons.ids)


def rows_in_batch(parquet: Path, persons: Persons) -> int:
    """Count the persons' rows in a landed batch."""
    with connect() as con:
        _offer(con, persons.clients)
        return con.execute(
            f"select count(*) from read_parquet({path_literal(parquet)}) where client_id in (select id from theirs)"
        ).fetchall()[0][0]


def finish_batches(study: StudyFolder) -> None:
    """Put batches in place that a killed withdrawal had ready."""
    for ready in sorted(study.landed.glob(f"{_READY}*")):
        _put_in_place(study, ready)


def rewrite_batch(
    study: StudyFolder, folder: Path, persons: Persons, withdrawal: str, rewritten_sha256: str = ""
) -> tuple[int, int]:
    """Take the persons' rows out of a batch and of its quarantined rows.

    Parameters
    ----------
    withdrawal : str
        Id of the withdrawal; the manifest names the last one that changed the batch.
    rewritten_sha256 : str
        Hash of the source file without these persons, '' where the source file is gone or has none of them. The batch
        is known by it from now on, too.

    Returns
    -------
    tuple of int
        Landed and quarantined rows that went.
    """
    manifest, parquet = read_json(folder / "manifest.json"), folder / "batch.parquet"
    n_landed = rows_in_batch(parquet, persons)
    rows, gone, is_changed = _quarantine_without(quarantine_path(study, manifest["sha256"]), manifest, study, persons)
    before, manifest = manifest, _masked(manifest, persons)
    hashes = known = manifest.get("rewritten_sha256", [])
    if rewritten_sha256 and rewritten_sha256 not in (manifest["sha256"], *hashes):
        hashes = [*hashes, rewritten_sha256]
    if not n_landed and not is_changed and manifest == before and hashes == known:
        return 0, 0
    with new_folder(study.landed / f"{_READY}{folder.name}") as ready:
        _copy_batch(parquet, ready / "batch.parquet", persons, n_landed)
        if is_changed:
            write_text(ready / _QUARANTINE, rows)
        write_json(ready / "manifest.json", {
            **_fewer(manifest, n_landed, gone),
            "parquet_sha256": file_sha256(ready / "batch.parquet"),
            "rewritten_sha256": hashes,
            "withdrawal": withdrawal,
        })  # fmt: skip
    _put_in_place(study, study.landed / f"{_READY}{folder.name}")
    return n_landed, len(gone)


def split_quarantine(path: Path, id_cells: IdCells, persons: Persons) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows of a quarantine file that stay and those of the persons."""
    kept: list[list[str]] = []
    gone: list[list[str]] = []
    if path.is_file():
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        for row in rows[1:]:
            (gone if _is_theirs(row[HEADER.index("row")], id_cells, persons) else kept).append(row)
    return kept, gone


def rewrite_refused(study: StudyFolder, record_path: Path, persons: Persons, *, is_rewritten: bool) -> int:
    """Take the persons out of the quarantined rows of a file that was refused whole; return how many rows went.

    Where the source file itself was rewritten, landing will judge it anew: its old record goes.
    """
    record = read_json(record_path)
    path = quarantine_path(study, record["sha256"])
    if record["kind"] is None:  # of no kind: its rows were never read
        rows, gone, is_changed = "", [], False
    else:
        rows, gone, is_changed = _quarantine_without(path, record, study, persons)
    masked = _masked(record, persons)
    if is_rewritten and record["kind"] is not None:
        path.unlink(missing_ok=True)
        record_path.unlink()
    elif is_changed or masked != record:
        if is_changed:
            write_text(path, rows)
        by_rule = Counter(record["quarantined_by_rule"]) - Counter(row[HEADER.index("rule")] for row in gone)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        counts = {"rows_quarantined": record["rows_quarantined"] - len(gone), "quarantined_by_rule": by_rule}
        write_json(record_path, masked | counts | {"refused_at": now})
    return len(gone)


def _quarantine_without(
    path: Path, record: dict[str, Any], study: StudyFolder, persons: Persons
) -> tuple[str, list[list[str]], bool]:
    """Return a quarantine file's text without the persons, the rows that go, and whether anything changes."""
    kept, gone = split_quarantine(path, IdCells(record["kind"], study.settings), persons)
    text = _csv_text(kept)
    masked = persons.distinctive.masked(text)
    return masked, gone, bool(gone) or masked != text


def _masked(record: dict[str, Any], persons: Persons) -> dict[str, Any]:
    """Return a record without ids in names of files, columns and messages."""
    return json.loads(persons.distinctive.masked(json.dumps(record, ensure_ascii=False)))


def _is_theirs(row: str, id_cells: IdCells, persons: Persons) -> bool:
    """Judge a quarantined row by its id columns where the cells are by name, else by any mention."""
    if not row:
        return False
    cells = json.loads(row)
    if isinstance(cells, dict):
        pair = id_cells.of({_undone(name): _undone(cell) for name, cell in cells.items()})
        is_theirs = persons.owns(*pair) if pair else persons.mentions(row.encode())
    else:
        is_theirs = persons.mentions(row.encode())
    return is_theirs or persons.distinctive.found(row.encode())  # a row of somebody else that names them, too


def _undone(cell: str) -> str:
    """Undo what keeps spreadsheets from running a cell."""
    return cell.removeprefix("'").strip()


def _csv_text(rows: list[list[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([HEADER, *rows])
    return out.getvalue()


def _copy_batch(parquet: Path, target: Path, persons: Persons, n_theirs: int) -> None:
    if not n_theirs:
        shutil.copyfile(parquet, target)
        return
    with connect() as con:
        _offer(con, persons.clients)
        con.execute(
            f"copy (select * from read_parquet({path_literal(parquet)}) "
            "where client_id not in (select id from theirs)) "
            f"to {text_literal(str(target))} (format parquet, compression zstd)"
        ).fetchall()


def _fewer(manifest: dict[str, Any], n_landed: int, gone: list[list[str]]) -> dict[str, Any]:
    """Return the manifest with its counts after the withdrawal: read = landed + quarantined + withdrawn."""
    rules = Counter(row[HEADER.index("rule")] for row in gone)
    by_rule = {rule: n - rules[rule] for rule, n in manifest["quarantined_by_rule"].items()}
    return manifest | {
        "rows_landed": manifest["rows_landed"] - n_landed,
        "rows_quarantined": manifest["rows_quarantined"] - len(gone),
        "rows_withdrawn": manifest.get("rows_withdrawn", 0) + n_landed + len(gone),
        "quarantined_by_rule": {rule: n for rule, n in by_rule.items() if n},
    }


def _put_in_place(study: StudyFolder, ready: Path) -> None:
    """Replace a batch by its finished successor; killed at any step, it is done again from the start."""
    folder = study.landed / ready.name.removeprefix(_READY)
    rows = ready / _QUARANTINE
    if rows.is_file():
        os.replace(rows, quarantine_path(study, read_json(ready / "manifest.json")["sha256"]))
    aside = study.landed / f".aside-{uuid.uuid4().hex}"
    if folder.exists():
        os.rename(folder, aside)
    os.rename(ready, folder)
    sync_folder(study.landed)
    shutil.rmtree(aside, ignore_errors=True)


def _kind(folder: Path) -> Kind:
    return Kind(read_json(folder / "manifest.json")["kind"])


def _offer(con: duckdb.DuckDBPyConnection, ids: frozenset[str]) -> None:
    con.execute("create temp table theirs as select unnest(?::varchar[]) as id", [sorted(ids)]).fetchall()
