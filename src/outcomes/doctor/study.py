"""The study itself: who works on it, what is unfinished, what waits, how old the release is."""

from __future__ import annotations

from collections.abc import Iterator

from outcomes.doctor.examined import Examined, Health, well
from outcomes.errors import OutcomesError, StudyBusy
from outcomes.landing.pseudonyms import read_key
from outcomes.operate import read_status
from outcomes.operate.runs import UNENDED
from outcomes.release.identity import code_version
from outcomes.release.places import kept_releases
from outcomes.study import StudyFolder, writer_lock
from outcomes.trust.pending import refuse_unfinished
from outcomes.trust.verify import refuse_altered


def examine_study(study: StudyFolder) -> Iterator[Examined]:
    """Look at the study's own state."""
    yield well("study.toml", f"{study.settings.study.name!r}, {len(study.settings.models)} declared models")
    yield _lock(study)
    yield _asked("withdrawal", lambda: refuse_unfinished(study), "none is unfinished")
    yield _asked("trail", lambda: refuse_altered(study), "nothing that a refresh builds on was altered")
    if study.settings.landing.pseudonymise:
        yield _asked("key", lambda: read_key(study), "the key of pseudonyms is there, outside the study")
    yield from _release(study)


def _asked(what: str, ask, said: str) -> Examined:
    try:
        ask()
    except OutcomesError as refused:
        return Examined(what, Health.ILL, refused.message, refused.hint)
    return well(what, said)


def _lock(study: StudyFolder) -> Examined:
    try:
        with writer_lock(study):
            return well("lock", "free: nobody writes to the study")
    except StudyBusy as held:
        return Examined("lock", Health.LOOK, held.message, "wait for it, or see who it is")
    except OutcomesError as refused:
        return Examined("lock", Health.ILL, refused.message, refused.hint)


def _release(study: StudyFolder) -> Iterator[Examined]:
    try:
        status = read_status(study)
    except OutcomesError as refused:
        yield Examined("release", Health.ILL, refused.message, refused.hint)
        return
    kept = next((one for one in kept_releases(study) if one.is_current), None)
    if kept is None:
        yield Examined("release", Health.LOOK, "nothing is published yet", f"outcomes refresh {study.root}")
    elif status.is_stale:
        yield Examined(
            "release",
            Health.LOOK,
            f"{kept.release_id} is older than study.toml expects",
            "outcomes status: how did the last runs end? Is outcomes serve running?",
        )
    elif kept.code_version != code_version():
        yield Examined(
            "release",
            Health.LOOK,
            f"{kept.release_id} was made by code {kept.code_version}",
            "the next refresh makes a new one with this code; `outcomes diff` compares them",
        )
    else:
        yield well("release", f"{kept.release_id}, made by this code")
    if status.refused or status.waiting:
        yield Examined(
            "inbox",
            Health.LOOK,
            f"{len(status.refused)} file(s) refused, {len(status.waiting)} waiting",
            "outcomes status names them; outcomes check looks at one",
        )
    else:
        yield well("inbox", "no file is refused or waiting")
    if status.runs and status.runs[-1].end == UNENDED:
        yield Examined(
            "last run",
            Health.LOOK,
            f"the {status.runs[-1].flow} of {status.runs[-1].started} did not end",
            "if nobody writes to the study it was killed: refresh again, it goes on",
        )
