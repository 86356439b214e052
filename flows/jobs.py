"""The whole job, and each of its steps on its own. They arrange the steps and compute nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from outcomes import release
from outcomes.errors import DataRefused, OutcomesError
from outcomes.flows import steps
from outcomes.flows.logins import read_login
from outcomes.operate import delivery
from outcomes.operate.runs import OpenRun, recorded
from outcomes.progress import planned
from outcomes.study import StudyFolder, writer_lock


@dataclass(frozen=True)
class Refreshed:
    """How a refresh ended.

    Attributes
    ----------
    release_id : str
        The published release.
    is_new : bool
        Whether it was made now.
    n_refused : int
        Files of the inbox that were refused now.
    seconds : dict of str to float
        By step, of those that were done.
    """

    release_id: str
    is_new: bool
    n_refused: int
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def _writing(study: StudyFolder, name: str, wait_seconds: float) -> Iterator[OpenRun]:
    """Hold the study, write down how the run ended, tell the analysts where it failed."""
    with writer_lock(study, wait_seconds), recorded(study, name) as run:
        try:
            yield run
        except OutcomesError as failed:
            if not isinstance(failed, DataRefused):  # refused files were told of at landing
                delivery.alert_failure(study, failed, read_login)
            raise


def refresh(study: str, wait_seconds: float = 0, cluster: str = "") -> Refreshed:
    """Bring the study's published release up to date. Orchestration only."""
    opened = StudyFolder.open(study, cluster)
    with _writing(opened, "refresh", wait_seconds) as run, planned(_expected_seconds(opened)) as plan:
        run.n_refused = steps.land(study)
        release_id = release.candidate_id(opened)
        is_new = release.published_id(opened) != release_id
        if is_new:
            _make(opened)
        run.end = "published" if is_new else "nothing new"
        if opened.settings.delivery.is_wanted:
            steps.deliver(study)
    return Refreshed(release_id, is_new, run.n_refused, plan.seconds)


def _expected_seconds(study: StudyFolder) -> dict[str, float]:
    """The steps of a refresh in their order, with the seconds that those of the published release took."""
    before = release.read_timings(study.current)
    last = (steps.deliver,) if study.settings.delivery.is_wanted else ()
    return {step.name: before.get(step.name, 0.0) for step in (*steps.IN_ORDER, *last)}


def _make(study: StudyFolder) -> None:
    """Make and publish the release of what is landed; what an earlier run finished is not done again."""
    root = str(study.root)
    _reach(study)
    release_id = steps.build(root)
    if not release.is_finished(study, release_id):  # else only the swap is missing, or the study was edited back
        steps.audit(root, release_id)
        steps.fit(root, release_id)
        steps.answer(root, release_id, study.cluster)
        steps.write_report(root, release_id)
    steps.publish(root, release_id)


def _reach(study: StudyFolder) -> None:
    """Make sure of the cluster, where one is to help, before any work is done for it."""
    if address := study.settings.cluster.address:
        steps.reach(address)


def land(study: str, wait_seconds: float = 0) -> None:
    """Land what is new in the inbox."""
    with _writing(StudyFolder.open(study), "land", wait_seconds) as run:
        run.n_refused = steps.land(study)
    if run.n_refused:
        raise DataRefused(
            f"{run.n_refused} file(s) of the inbox were refused", "see the reasons above and in quarantine/"
        )


def build(study: str, wait_seconds: float = 0) -> str:
    """Build the candidate release of what is landed."""
    with _writing(StudyFolder.open(study), "build", wait_seconds):
        return steps.build(study)


def audit(study: str, wait_seconds: float = 0) -> None:
    """Check the candidate release."""
    opened = StudyFolder.open(study)
    with _writing(opened, "audit", wait_seconds):
        steps.audit(study, release.built_candidate(opened))


def fit(study: str, wait_seconds: float = 0) -> None:
    """Fit the declared models on the candidate release."""
    opened = StudyFolder.open(study)
    with _writing(opened, "fit", wait_seconds):
        steps.fit(study, release.built_candidate(opened))


def answer(study: str, wait_seconds: float = 0, cluster: str = "") -> None:
    """Answer the study's questions from the candidate release."""
    opened = StudyFolder.open(study, cluster)
    with _writing(opened, "answer", wait_seconds):
        _reach(opened)
        steps.answer(study, release.built_candidate(opened), cluster)


def report(study: str, wait_seconds: float = 0) -> None:
    """Write the report of the candidate release."""
    opened = StudyFolder.open(study)
    with _writing(opened, "report", wait_seconds):
        steps.write_report(study, release.built_candidate(opened))


def publish(study: str, wait_seconds: float = 0) -> str:
    """Publish the candidate release."""
    opened = StudyFolder.open(study)
    with _writing(opened, "publish", wait_seconds):
        return steps.publish(study, release.built_candidate(opened))
