"""The whole job, and each of its steps on its own, as flows."""

from __future__ import annotations

from dataclasses import dataclass

from prefect import flow

from outcomes import release
from outcomes.errors import DataRefused
from outcomes.flows import tasks
from outcomes.study import StudyFolder, writer_lock


@dataclass(frozen=True)
class Refreshed:
    """How a refresh ended: the published release, whether it is a new one, how many files were refused."""

    release_id: str
    is_new: bool
    n_refused: int


@flow(name="refresh")
def refresh(study: str, wait_seconds: float = 0) -> Refreshed:
    """Bring the study's published release up to date. Orchestration only."""
    opened = StudyFolder.open(study)
    with writer_lock(opened, wait_seconds):
        refused = tasks.land(study)
        if release.published_id(opened) == release.candidate_id(opened):
            return Refreshed(release.candidate_id(opened), False, refused)
        release_id = tasks.build(study)
        if not release.is_finished(opened, release_id):  # else only the swap is missing, or the study was edited back
            tasks.audit(study, release_id)
            tasks.fit(study, release_id)
            tasks.write_report(study, release_id)
        tasks.publish(study, release_id)
    return Refreshed(release_id, True, refused)


@flow(name="land")
def land(study: str, wait_seconds: float = 0) -> None:
    """Land what is new in the inbox."""
    with writer_lock(StudyFolder.open(study), wait_seconds):
        refused = tasks.land(study)
    if refused:
        raise DataRefused(f"{refused} file(s) of the inbox were refused", "see the reasons above and in quarantine/")


@flow(name="build")
def build(study: str, wait_seconds: float = 0) -> str:
    """Build the candidate release of what is landed."""
    with writer_lock(StudyFolder.open(study), wait_seconds):
        return tasks.build(study)


@flow(name="audit")
def audit(study: str, wait_seconds: float = 0) -> None:
    """Check the candidate release."""
    opened = StudyFolder.open(study)
    with writer_lock(opened, wait_seconds):
        tasks.audit(study, release.built_candidate(opened))


@flow(name="fit")
def fit(study: str, wait_seconds: float = 0) -> None:
    """Fit the declared models on the candidate release."""
    opened = StudyFolder.open(study)
    with writer_lock(opened, wait_seconds):
        tasks.fit(study, release.built_candidate(opened))


@flow(name="report")
def report(study: str, wait_seconds: float = 0) -> None:
    """Write the report of the candidate release."""
    opened = StudyFolder.open(study)
    with writer_lock(opened, wait_seconds):
        tasks.write_report(study, release.built_candidate(opened))


@flow(name="publish")
def publish(study: str, wait_seconds: float = 0) -> str:
    """Publish the candidate release."""
    opened = StudyFolder.open(study)
    with writer_lock(opened, wait_seconds):
        return tasks.publish(study, release.built_candidate(opened))
