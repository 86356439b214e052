"""Publication: a finished candidate becomes the release that everyone reads, by one atomic swap."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outcomes.errors import ChecksFailed, UsageError
from outcomes.release.codebook.comments import describe
from outcomes.release.folders import DATABASE, candidate_folder, is_finished, release_folder
from outcomes.release.manifest import MANIFEST, count_rows, make_manifest
from outcomes.store.files import swap_symlink, sync_folder, sync_tree, write_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import WRITTEN

# What each step leaves in the candidate, and the command that makes it.
PARTS = {
    DATABASE: "build",
    "checks.json": "audit",
    "checks.html": "audit",
    "fits.json": "fit",
    "answers.json": "answer",
    **{name: "report" for document in WRITTEN for name in document.files},
}


def publish(study: StudyFolder, release_id: str, trail: Mapping[str, Any] | None = None) -> Path:
    """Publish a candidate: data, checks, fits, answers and report together, or nothing.

    Call it under the writer lock. A kill at any moment leaves the old release or the new one; doing it again finishes
    what was begun. A release that was finished before (the study was edited back) is only pointed at.

    Parameters
    ----------
    study : StudyFolder
        The study.
    release_id : str
        The candidate's id.
    trail : mapping, optional
        How long the audit trail is and how it ends, for the manifest to say.

    Returns
    -------
    Path
        The release's folder.

    Raises
    ------
    UsageError
        If a step's output is missing.
    ChecksFailed
        If a fatal check failed or could not be run.
    """
    folder, candidate = release_folder(study, release_id), candidate_folder(study, release_id)
    if not is_finished(study, release_id):
        _require_parts(candidate)
        row_counts = _finish_database(candidate / DATABASE, study)
        write_json(candidate / MANIFEST, make_manifest(study, release_id, candidate, row_counts, trail))
        sync_tree(candidate)
        os.rename(candidate, folder)
        sync_folder(study.releases)
    elif candidate.is_dir():
        shutil.rmtree(candidate)
    _point_at(study.current, f"{study.releases.name}/{release_id}")
    _point_at(study.database, f"{study.current.name}/{DATABASE}")
    return folder


def _require_parts(candidate: Path) -> None:
    missing = {name: step for name, step in PARTS.items() if not (candidate / name).is_file()}
    if missing:
        raise UsageError(
            f"The candidate release is not complete: {', '.join(missing)} missing",
            f"run `outcomes refresh`, or its step `outcomes {next(iter(missing.values()))}`",
        )


def _finish_database(database: Path, study: StudyFolder) -> dict[str, int]:
    """Refuse what fatal checks forbid, describe the tables that the later steps added, leave no log beside the file.

    Returns the number of rows of every table.
    """
    with connect(database) as con:
        fatal = con.execute(
            "select count(*) from dq_results where severity = 'fatal' and status in ('failed', 'error')"
        ).fetchone()[0]
        if fatal:
            raise ChecksFailed(
                f"{fatal} fatal check(s) did not pass; nothing was published and the release before stays",
                "see checks.html of the candidate, mend the source files and run again",
            )
        describe(con, settings=study.settings)
        con.execute("checkpoint")
        return count_rows(con)


def _point_at(link: Path, destination: str) -> None:
    if not (link.is_symlink() and os.readlink(link) == destination):
        swap_symlink(link, destination)
