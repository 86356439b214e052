"""What is published, how fresh it is, how runs ended, what is landed, refused, quarantined and waiting."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from outcomes.operate.findings import Findings, read_trend
from outcomes.operate.refusals import hashes_in_inbox, read_refusals
from outcomes.operate.runs import Run, read_runs
from outcomes.release import published_id
from outcomes.store.files import read_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder

_SHOWN = 5  # runs and releases in the text
_CLOCK_TOLERANCE_HOURS = 0.1


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
        Hours since then; None where there is none.
    expected_hours : float
        The age that `study.toml` calls stale; 0 for none.
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
    runs : tuple of Run
        The last recorded runs, oldest first.
    trend : tuple of Findings
        Data-quality findings of every kept release, oldest first.
    """

    study: str
    release_id: str
    published_at: str
    age_hours: float | None
    expected_hours: float
    batches: dict[str, int]
    rows_landed: int
    rows_quarantined: int
    refused: dict[str, str]
    waiting: tuple[str, ...]
    checks_failed: dict[str, int]
    fits: dict[str, str]
    runs: tuple[Run, ...]
    trend: tuple[Findings, ...]

    @property
    def is_stale(self) -> bool:
        """Whether the study expects a fresher release, or one at all."""
        is_old = self.age_hours is None or self.age_hours > self.expected_hours or self._is_clock_behind
        return bool(self.expected_hours) and is_old

    @property
    def _is_clock_behind(self) -> bool:
        """Whether this machine's clock was set back behind the publication: then nobody knows the age."""
        return self.age_hours is not None and self.age_hours < -_CLOCK_TOLERANCE_HOURS

    @property
    def findings(self) -> Findings | None:
        """Findings of the published release; None where there is none."""
        return next((found for found in self.trend if found.release_id == self.release_id), None)

    def as_json(self) -> str:
        """The status for machines."""
        return json.dumps({**asdict(self), "is_stale": self.is_stale}, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """The status for people, one aligned line a fact."""
        landed = ", ".join(f"{count} of {kind}" for kind, count in self.batches.items()) or "no batch"
        facts = {
            "study": self.study,
            "published": f"{self.release_id}, {self._age()}"
            if self.release_id
            else "nothing yet: run `outcomes refresh`",
            "landed": f"{landed}; {self.rows_landed:,} rows landed, {self.rows_quarantined:,} quarantined",
            "refused": ", ".join(f"{name} ({reason})" for name, reason in self.refused.items()) or "none",
            "waiting": ", ".join(self.waiting) or "none",
        }
        if self.release_id:
            failed = ", ".join(f"{count} {severity}" for severity, count in self.checks_failed.items())
            facts["checks"] = f"failed: {failed}" if failed else "all passed"
            facts["models"] = ", ".join(f"{model}: {state}" for model, state in self.fits.items()) or "none declared"
        if found := self.findings:
            facts["findings"] = f"{found.n_open} open: {_named(found.new, 'new')}, {_named(found.persisting, 'old')}; "
            facts["findings"] += _named(found.resolved, "resolved")
        lines = [f"{name:<10} {fact}" for name, fact in facts.items()]
        return "\n".join([*lines, *self._last_runs(), *self._last_releases()])

    def _age(self) -> str:
        if self._is_clock_behind:
            return f"{-self.age_hours:.1f} hours after what this machine's clock says: mend the clock"
        said = f"{self.age_hours:.1f} hours old"
        if not self.expected_hours:
            return said
        verdict = "STALE, expected" if self.is_stale else "fresh, expected"
        return f"{said}: {verdict} within {self.expected_hours:g} hours"

    def _last_runs(self) -> list[str]:
        """A table of the last runs, the youngest last."""
        rows = [f"  {run.started:<26} {run.flow:<8} {run.end}" for run in self.runs[-_SHOWN:]]
        return ["", f"  {'run started':<26} {'flow':<8} end", *rows] if rows else []

    def _last_releases(self) -> list[str]:
        """A table of findings by release, the youngest last."""
        rows = [
            f"  {found.published_at:<26} {found.release_id:<13} {found.n_open:>5} {len(found.new):>5} "
            f"{len(found.persisting):>5} {len(found.resolved):>9}"
            for found in self.trend[-_SHOWN:]
        ]
        head = f"  {'published':<26} {'release':<13} {'open':>5} {'new':>5} {'old':>5} {'resolved':>9}"
        return ["", head, *rows] if rows else []


def _named(checks: tuple[str, ...], word: str) -> str:
    """Count checks and name them."""
    return f"{len(checks)} {word}" + (f" ({', '.join(checks)})" if checks else "")


def _is_settled(sha256: str, parts: frozenset[str], settled: set[str]) -> bool:
    """Say whether a file, or what it holds of each kind that it feeds, was landed or refused."""
    return sha256 in settled or (len(parts) > 1 and parts - {sha256} <= settled)


def read_status(study: StudyFolder) -> StudyStatus:
    """Read the state of a study from its folder; nothing is locked and nothing is changed."""
    manifests = [read_json(path) for path in sorted(study.landed.glob("*/manifest.json"))]
    refusals = read_refusals(study)
    settled = {entry["sha256"] for entry in [*manifests, *refusals]}
    settled |= {sha256 for manifest in manifests for sha256 in manifest.get("rewritten_sha256", ())}
    inbox = hashes_in_inbox(study)
    lying = frozenset().union(*(parts for _, parts in inbox.values()))
    batches: dict[str, int] = {}
    for manifest in manifests:
        batches[manifest["kind"]] = batches.get(manifest["kind"], 0) + 1
    release_id, runs = published_id(study) or "", read_runs(study)
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
        expected_hours=study.settings.schedule.expected_hours,
        batches=batches,
        rows_landed=sum(manifest["rows_landed"] for manifest in manifests),
        rows_quarantined=sum(manifest["rows_quarantined"] for manifest in manifests),
        refused={entry["file_name"]: entry["refusal"] for entry in refusals if entry["sha256"] in lying},
        waiting=tuple(path.name for path, (sha256, parts) in inbox.items() if not _is_settled(sha256, parts, settled)),
        checks_failed=checks,
        fits=fits,
        runs=runs[-4 * _SHOWN :],
        trend=read_trend(study),
    )
