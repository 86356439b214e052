"""The state of a study at a glance: what is published, landed, refused, quarantined and waiting."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from outcomes.release import published_id
from outcomes.storage import file_sha256, read_json
from outcomes.study import StudyFolder
from outcomes.warehouse import connect

_REFUSED = ".refused.json"


@dataclass(frozen=True)
class StudyStatus:
    """What is in a study folder.

    Attributes
    ----------
    study : str
        The study's name.
    release_id, published_at : str
        The published release and when it was published (ISO 8601, UTC); empty where there is none.
    age_hours : float or None
        Hours since then.
    batches : dict of str to int
        Landed batches by kind.
    rows_landed, rows_quarantined : int
        Rows of all landed batches.
    refused : dict of str to str
        Refused files and the reason's id.
    waiting : tuple of str
        Files of the inbox that are neither landed nor refused.
    checks_failed : dict of str to int
        Failed checks of the published release by severity.
    fits : dict of str to str
        State of each model of the published release.
    """

    study: str
    release_id: str
    published_at: str
    age_hours: float | None
    batches: dict[str, int]
    rows_landed: int
    rows_quarantined: int
    refused: dict[str, str]
    waiting: tuple[str, ...]
    checks_failed: dict[str, int]
    fits: dict[str, str]

    def as_json(self) -> str:
        """The status for machines."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """The status for people, one aligned line a fact."""
        published = (
            f"{self.release_id}, {self.age_hours:.1f} hours old"
            if self.release_id
            else "nothing yet: run `outcomes refresh`"
        )
        landed = ", ".join(f"{count} of {kind}" for kind, count in self.batches.items()) or "no batch"
        facts = {
            "study": self.study,
            "published": published,
            "landed": f"{landed}; {self.rows_landed:,} rows landed, {self.rows_quarantined:,} quarantined",
            "refused": ", ".join(f"{name} ({reason})" for name, reason in self.refused.items()) or "none",
            "waiting": ", ".join(self.waiting) or "none",
        }
        if self.release_id:
            failed = ", ".join(f"{count} {severity}" for severity, count in self.checks_failed.items())
            facts["checks"] = f"failed: {failed}" if failed else "all passed"
            facts["models"] = ", ".join(f"{model}: {state}" for model, state in self.fits.items()) or "none declared"
        return "\n".join(f"{name:<10} {fact}" for name, fact in facts.items())


def read_status(study: StudyFolder) -> StudyStatus:
    """Read the state of a study from its folder; nothing is locked and nothing is changed."""
    manifests = [read_json(path) for path in sorted(study.landed.glob("*/manifest.json"))]
    refusals = [read_json(path) for path in sorted(study.quarantine.glob(f"*{_REFUSED}"))]
    settled = {entry["sha256"] for entry in [*manifests, *refusals]}
    settled |= {sha256 for manifest in manifests for sha256 in manifest.get("rewritten_sha256", ())}
    inbox = {path: file_sha256(path) for path in sorted(study.inbox.glob("[!.~]*")) if path.is_file()}
    batches: dict[str, int] = {}
    for manifest in manifests:
        batches[manifest["kind"]] = batches.get(manifest["kind"], 0) + 1
    release_id = published_id(study) or ""
    published_at, age, checks, fits = "", None, {}, {}
    if release_id:
        published_at = read_json(study.current / "manifest.json")["published_at"]
        age = (datetime.now(UTC) - datetime.fromisoformat(published_at)).total_seconds() / 3600
        with connect(study.database, read_only=True) as con:
            checks = dict(
                con.sql(
                    "select severity, count(*) from dq_results where status = 'failed' group by all order by all"
                ).fetchall()
            )
            fits = dict(con.sql("select model, status from model_fits order by model").fetchall())
    return StudyStatus(
        study=study.settings.study.name,
        release_id=release_id,
        published_at=published_at,
        age_hours=age,
        batches=batches,
        rows_landed=sum(manifest["rows_landed"] for manifest in manifests),
        rows_quarantined=sum(manifest["rows_quarantined"] for manifest in manifests),
        refused={entry["file_name"]: entry["refusal"] for entry in refusals if entry["sha256"] in inbox.values()},
        waiting=tuple(path.name for path, sha256 in inbox.items() if sha256 not in settled),
        checks_failed=checks,
        fits=fits,
    )
