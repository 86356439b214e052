"""The steps of a refresh: they take and return paths, ids and counts, never rows.

What a step alone needs and what takes seconds to load is imported where the step runs: a refresh with nothing to do
ends before them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from outcomes import landing, release, stopping
from outcomes.errors import NothingLanded, OutcomesError, StepFailed, StorageError, place_of
from outcomes.flows.logins import read_login
from outcomes.flows.running import step_named
from outcomes.operate import delivery
from outcomes.operate.refusals import refusal_lines, refuse_nothing_but_refused
from outcomes.operate.runs import last_end
from outcomes.progress import step
from outcomes.store.warehouse import DATABASE_FAULTS
from outcomes.study import StudyFolder
from outcomes.study.sealing import read_sealing
from outcomes.trust.audit_trail import Event, append_once
from outcomes.trust.marks import present_mark, refuse_lost_trail, start_trail
from outcomes.trust.pending import refuse_unfinished
from outcomes.trust.recording import places_of_sources, record_publication, record_state
from outcomes.trust.retention import prune
from outcomes.trust.verify import refuse_altered, refuse_altered_ledger

_MAKE_ROOM = (
    "check space and permissions of the study's disk; the release before stays, the next refresh goes on from here"
)
_AS_BEFORE = "done before on the same inputs"


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    """Keep values out of Prefect's logs and database: a foreign error's text may quote the data, its place does not."""
    try:
        yield
    except OutcomesError:
        raise
    except OSError as refused:
        raise StorageError(
            f"The step {name} could not read or write a file: {refused.strerror or type(refused).__name__}", _MAKE_ROOM
        ) from None
    except DATABASE_FAULTS as refused:
        raise StorageError(
            f"The step {name} could not read or write its database ({type(refused).__name__})", _MAKE_ROOM
        ) from None
    except Exception as unexpected:
        if stopping.is_asked():  # DuckDB turns Ctrl-C into an error of its own
            raise KeyboardInterrupt from None
        raise StepFailed(
            f"The step {name} failed unexpectedly: {place_of(unexpected)}",
            "set OUTCOMES_DEBUG=1 to see the whole error (it may show data), and report it",
        ) from (unexpected if os.environ.get("OUTCOMES_DEBUG") else None)  # Prefect logs what an error came from


@step_named("land")
def land(root: str) -> int:
    """Land what is new in the inbox; return how many files were refused now.

    A file that an earlier run refused and told of, and that still lies there, is left to `outcomes status`.
    """
    study = StudyFolder.open(root)
    refuse_unfinished(study)
    with _guarded("land"), step("land") as line:
        refuse_altered(study)
        start_trail(study)
        record_state(study)  # what is gone before what comes: a batch that was removed may be landed anew
        landed = landing.land_inbox(study, places_of_sources(study))
        record_state(study)
        line.say(landed.summary())
    for account in filter(None, (one.account() for one in landed.landed)):
        line.note(account)
    told = last_end(study)
    new = tuple(refused for refused in landed.refused if not (refused.again and refused.refused_at <= told))
    for warning in refusal_lines(new):
        line.warn(warning)
    if n_old := landing.n_files(landed.refused) - landing.n_files(new):
        line.note(f"{n_old} file(s) that were refused before still lie in the inbox; see `outcomes status`")
    with _guarded("alert"):
        for reason in delivery.alert_refusals(study, landed.refused, read_login):
            line.warn(f"an alert was not delivered: {reason}")
    return landing.n_files(new)


@step_named("cluster")
def reach(address: str) -> None:
    """Make sure that a cluster answers and would compute the same as this machine."""
    from outcomes.workers import can_be_read_on_the_way, on_cluster

    with _guarded("cluster"), step("cluster") as line, on_cluster(address) as found:
        line.say(f"{found.n_workers} worker(s) behind {address}")
        if can_be_read_on_the_way(address):
            line.note("numbers of single sessions cross to it unencrypted: outside a network of your own use tls://")


@step_named("build")
def build(root: str) -> str:
    """Build the candidate release of what is landed; return its id."""
    study = StudyFolder.open(root)
    with _guarded("build"), step("build") as line:
        release_id = release.candidate_id(study)
        try:
            release.build(study, release_id)
        except NothingLanded:
            refuse_nothing_but_refused(study)
            raise
        withheld = {"outcomes": "withheld"} if read_sealing(study).is_withheld else {}
        append_once(study, Event.BUILT, release_id=release_id, **withheld)
        line.say(f"release {release_id}")
    return release_id


@step_named("audit")
def audit(root: str, release_id: str) -> None:
    """Check the candidate; a fatal finding stops here and yesterday's release stays."""
    from outcomes import audit as auditing

    study = StudyFolder.open(root)
    folder = release.candidate_folder(study, release_id)
    with _guarded("audit"), step("audit") as line:
        if is_done := auditing.is_passed(folder):
            line.say(_AS_BEFORE)
        else:
            with release.timed(study, release_id, "audit"):
                checks = auditing.audit(folder, study)
            line.say(checks.summary())
        # Also where it was done before: a kill may have come between the checks and this line.
        append_once(study, Event.CHECKS, release_id=release_id, **auditing.counts_on_file(folder))
    if not is_done:
        checks.raise_if_fatal()


@step_named("fit")
def fit(root: str, release_id: str) -> None:
    """Fit the declared models on the candidate."""
    from outcomes import models

    study = StudyFolder.open(root)
    with _guarded("fit"), step("fit") as line, release.timed(study, release_id, "fit"):
        states = models.fit_models(release.candidate_folder(study, release_id), study)
        line.say(", ".join(f"{state.model}: {state.status}" for state in states) or "no models declared")


@step_named("answer")
def answer(root: str, release_id: str, cluster: str = "") -> None:
    """Run the analyses that answer the study's questions on the candidate."""
    from outcomes.answers import run as answers

    study = StudyFolder.open(root, cluster)
    with _guarded("answer"), step("answer") as line, release.timed(study, release_id, "answer"):
        states = answers.answer(release.candidate_folder(study, release_id), study)
        others = [
            f"{state.analysis}: {state.status}" for state in states if state.status is not answers.AnswerStatus.ANSWERED
        ]
        line.say(", ".join([f"{len(states) - len(others)} of {len(states)} analyses answered", *others]))


@step_named("report")
def write_report(root: str, release_id: str) -> None:
    """Write the stakeholders' report of the candidate."""
    from outcomes.report import write as report

    study = StudyFolder.open(root)
    folder = release.candidate_folder(study, release_id)
    with _guarded("report"), step("report") as line:
        if report.is_written(folder, study, release_id):
            line.say(_AS_BEFORE)
            return
        with release.timed(study, release_id, "report"):
            line.say(report.write_report(folder, study).name)


@step_named("publish")
def publish(root: str, release_id: str) -> str:
    """Publish the candidate by one atomic swap; return the release's folder."""
    from outcomes.disclosure import ledger

    study = StudyFolder.open(root)
    refuse_unfinished(study)
    with _guarded("publish"), step("publish") as line:
        refuse_lost_trail(study)
        refuse_altered_ledger(study)
        mark = present_mark(study)
        ledger.enter(study, release.candidate_folder(study, release_id), release_id, mark)  # before anybody can read it
        folder = release.publish(study, release_id, mark)
        record_publication(study)
        prune(study)
        line.say(f"current -> releases/{release_id}")
    return str(folder)


@step_named("deliver")
def deliver(root: str) -> int:
    """Deliver the published release to whoever has not had it; return how many deliveries failed."""
    study = StudyFolder.open(root)
    with _guarded("deliver"), step("deliver") as line:
        delivered = delivery.deliver(study, read_login)
        line.say(delivered.summary())
    for reason in delivered.failures:
        line.warn(f"not delivered: {reason}; the next refresh tries again")
    return len(delivered.failures)


IN_ORDER = (land, build, audit, fit, answer, write_report, publish)
"""The steps of a refresh that makes a release."""
