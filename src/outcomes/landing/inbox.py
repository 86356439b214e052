"""From source files to batches, refusals and quarantined rows; the caller holds the writer lock."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from outcomes.contract import Kind, Refusal
from outcomes.errors import StorageError
from outcomes.landing.batch import SHORT, BatchEntry, read_batches, write_batch
from outcomes.landing.files import (
    fingerprint,
    is_ignored,
    kinds_of,
    part_sha256,
    readable_name,
    refuse_unreadable_name,
    refuse_unwritten,
    too_large,
    unpack,
)
from outcomes.landing.formats.source_rows import SourceRows
from outcomes.landing.identifiers.door import refuse_identifying_values
from outcomes.landing.layouts.door import reader_of
from outcomes.landing.pseudonyms import (
    PseudonymKey,
    fingerprint_of,
    pseudonymise,
    read_key,
    refuse_another_key,
)
from outcomes.landing.quarantine import count_by_rule, quarantine_text
from outcomes.landing.refusal import FileRefused, refusing_the_unforeseen
from outcomes.landing.refused_files import forget, recall, remember
from outcomes.landing.rejected_rows import as_kept, broken_cells, refuse_too_many, rejected_rows
from outcomes.landing.results import Landed, LandingReport, Refused, Skipped
from outcomes.landing.rules.columns import ColumnPlan
from outcomes.landing.rules.row_rules import create_typed, find_breaches
from outcomes.progress import tracked
from outcomes.store.files import file_sha256, remove_leftovers, write_text
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.study.clock import today

_MEMORY = "1GB"  # of DuckDB; it spills into the scratch folder beyond
_ATTEMPTS = 3  # at a file that changes while it is read


def land_inbox(study: StudyFolder, places: Mapping[str, int] | None = None) -> LandingReport:
    """Land every file of the inbox that was not landed before, in the order of names.

    Call it under the study's writer lock; what killed runs left behind is removed first.

    Parameters
    ----------
    study : StudyFolder
        The study; its inbox stays as it is.
    places : mapping of str to int, optional
        Places in the order of landing that source files had before, by the first 12 digits of their hashes: a batch
        that was removed comes back where it was.

    Returns
    -------
    LandingReport
        What became of every file.

    Raises
    ------
    StudyError
        If `study.toml` lacks the range of a scale that a file has.
    StorageError
        If a batch cannot be written, or counts do not agree.
    """
    for folder in (study.landed, study.quarantine):
        remove_leftovers(folder)
    entries = sorted(study.inbox.iterdir()) if study.inbox.is_dir() else []
    files = [path for path in entries if not is_ignored(path)]
    outcomes = []
    with _workbench(study) as bench:
        batches = _known_batches(bench)
        for path in tracked(files, "Landing"):
            kinds = _kinds(path, study)
            for kind in kinds or (None,):
                outcome = _land(bench, path, kind, kinds, batches, places or {})
                outcomes.append(outcome)
                if not isinstance(outcome, Landed):
                    continue
                batches[outcome.sha256] = BatchEntry(
                    outcome.batch_id, outcome.sequence, outcome.sha256, study.settings_sha256, outcome.kind,
                    fingerprint_of(bench.key),
                )  # fmt: skip
    return LandingReport(
        landed=tuple(outcome for outcome in outcomes if isinstance(outcome, Landed)),
        skipped=tuple(outcome for outcome in outcomes if isinstance(outcome, Skipped)),
        refused=tuple(outcome for outcome in outcomes if isinstance(outcome, Refused)),
        ignored=tuple(path.name for path in entries if is_ignored(path)),
    )


def land_file(study: StudyFolder, path: Path, kind: Kind | None = None) -> Landed | Skipped | Refused:
    """Land one file, or what it holds of one kind where it feeds several (the first by default); see `land_inbox`."""
    kinds = _kinds(path, study)
    with _workbench(study) as bench:
        return _land(bench, path, kind or next(iter(kinds), None), kinds, _known_batches(bench), {})


def _kinds(path: Path, study: StudyFolder) -> tuple[Kind, ...]:
    """Return what a file feeds; nothing where its name tells of no kind, which is refused when it is landed."""
    try:
        return kinds_of(path.name, study.settings)
    except FileRefused:
        return ()


def _known_batches(bench: _Workbench) -> dict[str, BatchEntry]:
    batches = read_batches(bench.study.landed)
    refuse_another_key(bench.key, {entry.pseudonym_key for entry in batches.values()})
    return batches


@dataclass(frozen=True)
class _Workbench:
    """What all files of one run share: study, database in memory, private folder in it, pseudonym key, the day."""

    study: StudyFolder
    con: duckdb.DuckDBPyConnection
    folder: Path
    key: PseudonymKey | None
    day: date


@contextmanager
def _workbench(study: StudyFolder) -> Iterator[_Workbench]:
    """What is unpacked or spilled stays in the folder and goes with it."""
    study.quarantine.mkdir(parents=True, exist_ok=True)
    folder = study.quarantine / f".aside-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        with connect(memory_limit=_MEMORY) as con:
            con.execute("set temp_directory = ?", [str(folder / "spilled")])
            # The SQL of landing has no joins to order: optimising took longer than reading a small file, and gained
            # nothing on a million rows.
            con.execute("pragma disable_optimizer")
            yield _Workbench(study, con, folder, read_key(study), today(study))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _land(
    bench: _Workbench,
    path: Path,
    kind: Kind | None,
    kinds: tuple[Kind, ...],
    batches: dict[str, BatchEntry],
    places: Mapping[str, int],
) -> Landed | Skipped | Refused:
    """Land what a file holds of one of the kinds that it feeds; `kind` is None where its name tells of none."""
    study, sha256 = bench.study, ""
    try:
        refuse_unreadable_name(path)
        for _ in range(_ATTEMPTS):
            before = fingerprint(path)
            if before[0] > study.settings.landing.max_bytes:
                raise too_large(
                    f"the file has {before[0]:,} bytes; the study allows {study.settings.landing.max_bytes:,}"
                )
            refuse_unwritten(path, before[0])
            whole = file_sha256(path)
            sha256 = part_sha256(whole, kind, kinds)
            if known := batches.get(sha256) or _landed_whole(batches.get(whole), kind):
                forget(study, sha256)
                changed = known.study_sha256 != study.settings_sha256
                return Skipped(path.name, known.batch_id, sha256, under_other_settings=changed)
            if kind is None:
                kinds_of(path.name, study.settings)  # refuses it
            if remembered := recall(study, path.name, kind, sha256):
                return remembered
            taken = {entry.sequence for entry in batches.values()}
            sequence = places.get(sha256[:SHORT], 0)
            if not sequence or sequence in taken:
                sequence = 1 + max(taken | set(places.values()), default=0)
            try:
                with refusing_the_unforeseen():
                    landed = _read_and_write(bench, path, kind, sha256, sequence, before)
            except (FileRefused, StorageError, duckdb.Error):
                if fingerprint(path) == before:
                    raise
                continue  # it changed, so whatever was found wrong may be the change itself
            if landed:
                forget(study, sha256)
                return landed
        sha256 = ""
        raise FileRefused(
            Refusal.UNREADABLE, "the file changes while it is read", "wait until it is complete and run again"
        )
    except OSError as failed:
        if failed.filename is None or Path(failed.filename) != path:
            raise StorageError(
                f"Landing failed: {failed.strerror}", "check space and permissions of the study"
            ) from failed
        return _refused(study, path, kind, "", FileRefused(
            Refusal.UNREADABLE, f"the file cannot be read: {failed.strerror}", "check its permissions"
        ))  # fmt: skip
    except FileRefused as refusal:
        return _refused(study, path, kind, sha256, refusal)
    except (duckdb.OutOfMemoryException, MemoryError):
        bench.con.execute("drop table if exists typed")
        # Not remembered: with more memory, or less else to do, the same file may be read.
        return _refused(study, path, kind, "", FileRefused(
            Refusal.TOO_LARGE, f"reading the file needs more than the {_MEMORY} of memory that landing may take",
            "split the file",
        ))  # fmt: skip
    except duckdb.Error as failed:  # its message may quote rows
        raise StorageError(
            f"Landing failed inside DuckDB ({type(failed).__name__})", "check space and memory, then run again"
        ) from None


def _landed_whole(known: BatchEntry | None, kind: Kind | None) -> BatchEntry | None:
    """Return a batch from when the file fed this kind only."""
    return known if known and known.kind == kind else None


def _refused(study: StudyFolder, path: Path, kind: Kind | None, sha256: str, refusal: FileRefused) -> Refused:
    if remembered := recall(study, path.name, kind, sha256):
        return remembered
    refused = Refused(
        readable_name(path), kind, sha256, refusal.refusal, refusal.message, refusal.hint, refusal.rows_read,
        sum(refusal.quarantined_by_rule.values()), refusal.quarantined_by_rule,
    )  # fmt: skip
    if sha256:
        remember(study, refused)
    return refused


def _read_and_write(
    bench: _Workbench,
    path: Path,
    kind: Kind,
    sha256: str,
    sequence: int,
    before: tuple[int, int, int],
) -> Landed | None:
    """Land one new file; None where it changed meanwhile."""
    study, con = bench.study, bench.con
    listing = study.quarantine / f"{sha256[:SHORT]}.csv"
    listing.unlink(missing_ok=True)  # of the same content under an earlier study.toml
    scratch = bench.folder / "file"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    plan, rows = _read(con, study, path, scratch, kind)
    create_typed(con, plan, rows, bench.day)
    breaches = find_breaches(con, plan)
    rejected = rejected_rows(rows, plan, breaches)
    if fingerprint(path) != before:
        return None
    refuse_identifying_values(con, plan, broken_cells(rejected), rows.n_records)
    rejected = [as_kept(row, plan, bench.key) for row in rejected]
    by_rule = count_by_rule(rejected)
    if rejected:
        write_text(listing, quarantine_text(path.name, rejected))
    refuse_too_many(study, rows.n_records, by_rule)
    if breaches:
        con.execute("delete from typed where rowid in (select unnest(?::bigint[]))", [list(breaches)]).fetchall()
    n_landed = con.execute("select count(*) from typed").fetchall()[0][0]
    if n_landed + len(rejected) != rows.n_records:
        raise StorageError(
            f"{rows.n_records:,} rows were read, {n_landed:,} would be landed and {len(rejected):,} quarantined",
            "keep the file and report this; nothing of it was landed",
        )
    if bench.key:
        pseudonymise(con, plan, bench.key)
    batch_id = write_batch(
        con, study, plan, file_name=path.name, sha256=sha256, sequence=sequence,
        lines=rows.lines[rows.well_formed], by_rule=by_rule, n_rejected=len(rejected),
        pseudonym_key=fingerprint_of(bench.key), laid_out=rows.laid_out,
    )  # fmt: skip
    return Landed(
        path.name,
        kind,
        batch_id,
        sequence,
        sha256,
        n_landed + len(rejected),
        n_landed,
        len(rejected),
        by_rule,
        plan.dropped,
        rows.laid_out.layout,
        rows.laid_out.left_out,
        rows.laid_out.notes,
    )


def _read(
    con: duckdb.DuckDBPyConnection,
    study: StudyFolder,
    path: Path,
    scratch: Path,
    kind: Kind,
) -> tuple[ColumnPlan, SourceRows]:
    file_format, is_packed = reader_of(path.name, kinds_of(path.name, study.settings), study.settings)
    # A link gives DuckDB a plain name to open, whatever the source file is called.
    content = scratch / f"source{file_format.suffixes[0]}"
    if is_packed:
        unpack(path, content, study.settings.landing.max_bytes)
    else:
        content.symlink_to(path.resolve())
    return file_format.read(con, content, scratch, kind, study.settings)
