"""The memory of refused files: `quarantine/<first 12 of the hash>.refused.json`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from outcomes.contract import Kind, Refusal, Rule
from outcomes.landing.batch import SHORT
from outcomes.landing.results import Refused
from outcomes.store.files import file_sha256, read_json, write_json
from outcomes.study import StudyFolder


def record_path(study: StudyFolder, sha256: str) -> Path:
    """Return where the refusal of a file's content is recorded."""
    return study.quarantine / f"{sha256[:SHORT]}.refused.json"


def declared_sha256(study: StudyFolder, kind: Kind | None) -> str:
    """Return a hash of all that is declared for files of a kind: the study file, and a data dictionary beside it."""
    companions = study.settings.sources[kind].companions if kind in study.settings.sources else ()
    hashes = [file_sha256(path) for path in companions if path.is_file()]
    if not hashes:
        return study.settings_sha256
    return hashlib.sha256(" ".join([study.settings_sha256, *hashes]).encode()).hexdigest()


def remember(study: StudyFolder, refused: Refused) -> None:
    """Record a refusal for people and for the next run."""
    study.quarantine.mkdir(parents=True, exist_ok=True)
    write_json(
        record_path(study, refused.sha256),
        {
            "file_name": refused.file_name,
            "kind": refused.kind,
            "sha256": refused.sha256,
            "study_sha256": declared_sha256(study, refused.kind),
            "code_version": version("outcomes"),
            "refused_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "refusal": refused.refusal,
            "message": refused.message,
            "hint": refused.hint,
            "rows_read": refused.rows_read,
            "rows_quarantined": refused.rows_quarantined,
            "quarantined_by_rule": refused.quarantined_by_rule,
        },
    )


def recall(study: StudyFolder, file_name: str, kind: Kind | None, sha256: str) -> Refused | None:
    """Return the refusal of the same content under the same name, settings and code, if there was one."""
    try:
        record = read_json(record_path(study, sha256))
    except (FileNotFoundError, ValueError):  # none, or one that was damaged: the file is looked at anew
        return None
    if record["refusal"] == Refusal.UNFORESEEN:  # it says more of the program than of the file
        return None
    asked = (file_name, kind, sha256, declared_sha256(study, kind), version("outcomes"))
    if asked != tuple(record.get(key) for key in ("file_name", "kind", "sha256", "study_sha256", "code_version")):
        return None
    return Refused(
        file_name, kind, sha256, Refusal(record["refusal"]), record["message"], record["hint"], record["rows_read"],
        record["rows_quarantined"], {Rule(rule): n for rule, n in record["quarantined_by_rule"].items()}, again=True,
        refused_at=record.get("refused_at", ""),
    )  # fmt: skip


def forget(study: StudyFolder, sha256: str) -> None:
    """Remove the record of a refusal once the same content was landed."""
    record_path(study, sha256).unlink(missing_ok=True)
