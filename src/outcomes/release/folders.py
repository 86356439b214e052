"""Where candidates and releases lie, and which of them is which."""

from __future__ import annotations

from pathlib import Path

from outcomes.errors import UsageError
from outcomes.release.identity import candidate_id
from outcomes.study import StudyFolder

CANDIDATE_PREFIX = ".candidate-"
DATABASE = "outcomes.duckdb"


def candidate_folder(study: StudyFolder, release_id: str) -> Path:
    """Return the folder in which a release is being made."""
    return study.releases / f"{CANDIDATE_PREFIX}{release_id}"


def release_folder(study: StudyFolder, release_id: str) -> Path:
    """Return the folder of a finished release."""
    return study.releases / release_id


def is_finished(study: StudyFolder, release_id: str) -> bool:
    """Say whether a release is complete, published or not: it only needs to be pointed at."""
    return release_folder(study, release_id).is_dir()


def published_id(study: StudyFolder) -> str | None:
    """Return the id of the published release, None where the links do not reach one."""
    return study.current.readlink().name if study.current.is_symlink() and study.database.exists() else None


def built_candidate(study: StudyFolder) -> str:
    """Return the id of the candidate that is built from the study's present inputs.

    Raises
    ------
    UsageError
        If no such candidate is built.
    """
    release_id = candidate_id(study)
    if is_finished(study, release_id):
        raise UsageError(
            f"Release {release_id} of what is landed now is finished",
            "run `outcomes refresh`, which publishes it if need be",
        )
    if not (candidate_folder(study, release_id) / DATABASE).is_file():
        raise UsageError("No candidate release is built from what is landed now", "run `outcomes build` first")
    return release_id
