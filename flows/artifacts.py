"""What a release leaves to be seen on the server: counts, names and words, never a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from outcomes import release
from outcomes.flows.server import study_slug
from outcomes.operate import read_trend
from outcomes.operate.refusals import lying_refusals
from outcomes.release.places import kept_releases
from outcomes.store.files import read_json
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import Document

_OPEN = ("failed", "error")
_RELEASES = 20  # in the tables over releases


def show_refusals(study: StudyFolder) -> None:
    """Show which files of the inbox are refused, why, and what to do."""
    rows = [
        {"file": one["file_name"], "reason": one["refusal"], "what is wrong": one["message"], "what to do": one["hint"]}
        for one in lying_refusals(study)
    ]
    _table(study, f"refused-files-{study_slug(study)}", rows, "files of the inbox that are refused")


def show_findings(study: StudyFolder, folder: Path, release_id: str) -> None:
    """Show the open findings of a checked candidate with what to do."""
    rows = [
        {"severity": one["severity"], "finding": f"{one['statement']} {one['outcome']}", "what to do": one["remedy"],
         "check": one["check_id"]}
        for one in read_json(folder / "checks.json")["checks"]
        if one["status"] in _OPEN
    ]  # fmt: skip
    _table(study, f"findings-{release_id}", rows, f"open findings of release {release_id}")


def show_release(study: StudyFolder, folder: Path, release_id: str) -> None:
    """Show a release's summary with its documents, its findings over releases, and the time that steps took."""
    name = study.settings.study.name
    links = [f"- [{file}]({(folder / file).as_uri()})" for document in Document for file in document.files]
    summary = release.summary_markdown(
        folder, [f"Documents, in `{folder}` on the machine that made them:", "", *links, "",
                 f"`outcomes ui {study.root}` shows them there."],
    )  # fmt: skip
    create_markdown_artifact(summary, key=f"release-{release_id}", description=name)
    trend = [
        {"release": found.release_id, "published": found.published_at, "open": found.n_open, "new": len(found.new),
         "persisting": len(found.persisting), "resolved": len(found.resolved)}
        for found in read_trend(study)
    ]  # fmt: skip
    _table(study, f"data-quality-{release_id}", trend, "open findings by release")
    timings = [
        {"release": kept.release_id, "published": kept.published_at, **release.read_timings(kept.folder)}
        for kept in kept_releases(study)[-_RELEASES:]
    ]
    _table(study, f"timings-{study_slug(study)}", timings, "seconds by step and release")


def _table(study: StudyFolder, key: str, rows: list[dict[str, Any]], what: str) -> None:
    create_table_artifact(rows, key=key, description=f"{study.settings.study.name}: {what}")
