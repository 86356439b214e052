"""The steps of a refresh as Prefect tasks: they take and return paths, ids and counts, never rows."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import task
from prefect.artifacts import create_markdown_artifact

from outcomes import audit as auditing
from outcomes import landing, models, release, report
from outcomes.errors import OutcomesError, StepFailed
from outcomes.progress import step
from outcomes.study import StudyFolder
from outcomes.trust.audit_trail import Event, append_once
from outcomes.trust.deidentification import deidentify
from outcomes.trust.pending import refuse_unfinished
from outcomes.trust.recording import record_publication, record_state
from outcomes.trust.retention import prune


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Keep values out of Prefect's logs and database: a foreign error's text may quote the data, its place does not."""
    try:
        yield
    except OutcomesError:
        raise
    except Exception as unexpected:
        last = traceback.extract_tb(unexpected.__traceback__)[-1]
        place = f"{Path(last.filename).name}, line {last.lineno}"
        raise StepFailed(
            f"The step {name} failed unexpectedly: {type(unexpected).__name__} in {place}",
            "set OUTCOMES_DEBUG=1 to see the whole error (it may show data), and report it",
        ) from unexpected


@task(name="land")
def land(root: str) -> int:
    """Land what is new in the inbox; return how many files were refused."""
    study = StudyFolder.open(root)
    refuse_unfinished(study)
    with _guarded("land"), step("land") as line:
        landed = landing.land_inbox(study)
        record_state(study)
        line.say(landed.summary())
    for refused in landed.refused:
        line.warn(f"{refused.file_name} was refused: {refused.message}. Try: {refused.hint}")
    return len(landed.refused)


@task(name="build")
def build(root: str) -> str:
    """Build the candidate release of what is landed; return its id."""
    study = StudyFolder.open(root)
    with _guarded("build"), step("build") as line:
        release_id = release.candidate_id(study)
        release.build(study, release_id)
        append_once(study, Event.BUILT, release_id=release_id)
        line.say(f"release {release_id}")
    return release_id


@task(name="audit")
def audit(root: str, release_id: str) -> None:
    """De-identify and check the candidate; a fatal finding stops here and yesterday's release stays."""
    study = StudyFolder.open(root)
    with _guarded("audit"), step("audit") as line, release.timed(study, release_id, "audit"):
        deidentify(release.candidate_folder(study, release_id), study)
        checks = auditing.audit(release.candidate_folder(study, release_id), study)
        counts = Counter(check.status.value for check in checks.checks)
        append_once(study, Event.CHECKS, release_id=release_id, **counts)
        line.say(checks.summary())
    checks.raise_if_fatal()


@task(name="fit")
def fit(root: str, release_id: str) -> None:
    """Fit the declared models on the candidate."""
    study = StudyFolder.open(root)
    with _guarded("fit"), step("fit") as line, release.timed(study, release_id, "fit"):
        states = models.fit_models(release.candidate_folder(study, release_id), study)
        line.say(", ".join(f"{state.model}: {state.status}" for state in states) or "no models declared")


@task(name="report")
def write_report(root: str, release_id: str) -> None:
    """Write the stakeholders' report of the candidate."""
    study = StudyFolder.open(root)
    with _guarded("report"), step("report") as line, release.timed(study, release_id, "report"):
        line.say(report.write_report(release.candidate_folder(study, release_id), study).name)


@task(name="publish")
def publish(root: str, release_id: str) -> str:
    """Publish the candidate by one atomic swap; return the release's folder."""
    study = StudyFolder.open(root)
    refuse_unfinished(study)
    with _guarded("publish"), step("publish") as line:
        folder = release.publish(study, release_id)
        record_publication(study)
        prune(study)
        line.say(f"current -> releases/{release_id}")
    create_markdown_artifact(
        release.summary_markdown(folder), key=f"release-{release_id}", description=study.settings.study.name
    )
    return str(folder)
