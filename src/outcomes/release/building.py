"""The build: from landed batches, the SQL files and the study file to the tables of a candidate release."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Collection
from functools import cache
from pathlib import Path

import duckdb

from outcomes.contract import Kind
from outcomes.errors import NothingLanded
from outcomes.release.batches import Batch, landed_batches, verify
from outcomes.release.codebook.comments import describe
from outcomes.release.deidentify import deidentify
from outcomes.release.folders import CANDIDATE_PREFIX, DATABASE, candidate_folder, is_finished, release_folder
from outcomes.release.identity import code_version
from outcomes.release.relations import offer_batches, offer_settings, refuse_two_metrics
from outcomes.release.scores import offer_scores
from outcomes.release.timings import record_timing
from outcomes.release.withholding import empty_consequences, write_seal_table
from outcomes.store.files import remove_leftovers, sync_folder
from outcomes.store.warehouse import READABLE_BY, connect, run_sql_file, sql_text, transaction
from outcomes.study import StudyFolder
from outcomes.study.sealing import read_sealing

MEMORY_LIMIT = "1500MB"

_TABLE = re.compile(r"\b(?:raw|stg|core|mart)_\w+")

# In the order in which they read one another.
SQL_ORDER = (
    "raw/raw_placed_sessions",
    "raw/raw_keys",
    "staging/stg_repeated_keys",
    "staging/stg_contested_sessions",
    "staging/stg_sessions",
    "staging/stg_episodes",
    "staging/stg_clients",
    "staging/stg_session_numbers",
    "core/core_ordered_sessions",
    "core/core_sessions",
    "core/core_batches",
    "core/core_quarantine",
    "core/core_attendance",
    "core/core_episode_facts",
    "core/core_dropout_labels",
    "core/core_episodes",
    "core/core_clients",
    "core/core_cohort_clients",
    "core/core_cohort_sessions",
    "core/core_client_means",
    "core/core_therapist_means",
    "core/core_measures",
    "core/core_agreement",
    "marts/mart_session_directiveness",
    "marts/mart_person_session",
    "marts/mart_clients",
    "marts/mart_therapists",
    "marts/mart_participant_flow",
    "marts/mart_sessions",
    "marts/mart_episodes",
    "marts/mart_reliable_change",
)


def build(study: StudyFolder, release_id: str) -> Path:
    """Build the tables of a release, aside and de-identified; keep what is built already.

    Call it under the writer lock. Candidates of other ids, and what killed builds left, are removed.

    Parameters
    ----------
    study : StudyFolder
        The study.
    release_id : str
        From `candidate_id`.

    Returns
    -------
    Path
        The release's folder where it was finished before, else the candidate's folder with its database.

    Raises
    ------
    NothingLanded
        If no sessions are landed.
    StorageError
        If a landed batch is damaged.
    """
    if is_finished(study, release_id):
        return release_folder(study, release_id)
    folder = candidate_folder(study, release_id)
    _clear(study.releases, keep=folder)
    if (folder / DATABASE).is_file():
        return folder
    batches = landed_batches(study.landed)
    if not any(batch.kind == "sessions" for batch in batches):
        raise NothingLanded("No sessions are landed: there is nothing to build", "put a sessions file into inbox/")
    start = time.perf_counter()
    verify(batches)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".aside-{uuid.uuid4().hex}"
    spill = aside.with_name(f"{aside.name}-spill")
    with connect(aside, memory_limit=MEMORY_LIMIT, storage_version=READABLE_BY) as con:
        con.execute("set preserve_insertion_order = false")  # tables promise content, not an order of rows
        con.execute(f"set temp_directory = '{str(spill).replace(chr(39), 2 * chr(39))}'")
        _fill(con, study, release_id, batches)
        con.execute("checkpoint")
    shutil.rmtree(spill, ignore_errors=True)
    with aside.open("rb") as stream:
        os.fsync(stream.fileno())
    os.rename(aside, folder / DATABASE)
    sync_folder(folder)
    record_timing(folder, "build", time.perf_counter() - start)
    return folder


def make_tables(con: duckdb.DuckDBPyConnection, wanted: Collection[str] = ()) -> None:
    """Run the SQL files; `raw_*` and `study_*` must be there.

    Parameters
    ----------
    con : connection
    wanted : collection of str
        Tables to make, with all that they are made from; every table where empty.
    """
    offer_scores(con)
    for name in _made_from(frozenset(wanted)) if wanted else SQL_ORDER:
        run_sql_file(con, f"{name}.sql")


@cache
def _made_from(wanted: frozenset[str]) -> tuple[str, ...]:
    """The SQL files that these tables need, in their order: every file that their text names, and so on."""
    needed = set(wanted)
    for name in reversed(SQL_ORDER):  # a file reads those before it only
        if name.rsplit("/", 1)[-1] in needed:
            needed |= set(_TABLE.findall(sql_text(f"{name}.sql")))
    return tuple(name for name in SQL_ORDER if name.rsplit("/", 1)[-1] in needed)


def _fill(con: duckdb.DuckDBPyConnection, study: StudyFolder, release_id: str, batches: tuple[Batch, ...]) -> None:
    offer_settings(con, study.settings)
    sealing = read_sealing(study)
    withheld = {kind: study.settings.withheld(kind) for kind in Kind} if sealing.is_withheld else {}
    offer_batches(con, batches, withheld)
    refuse_two_metrics(con, study.settings)
    with transaction(con):
        make_tables(con)
        if sealing.is_withheld:
            empty_consequences(con)
        deidentify(con, study.settings.disclosure)
        write_seal_table(con, sealing)
        con.execute(
            "create table release as select ? as release_id, ? as study_name, ? as code_version, "
            "?::integer as n_batches, max(data_cut) as data_cut from core_episodes",
            [release_id, study.settings.study.name, code_version(), len(batches)],
        )
        describe(con, settings=study.settings)


def _clear(releases: Path, keep: Path) -> None:
    """Remove candidates of other inputs, which nothing will publish, and what killed builds left in this one."""
    for folder in releases.glob(f"{CANDIDATE_PREFIX}*"):
        if folder != keep:
            shutil.rmtree(folder)
    remove_leftovers(keep)
