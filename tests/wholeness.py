"""What must hold whatever went wrong: the published release is whole, and every row is accounted for."""

from __future__ import annotations

import json

import duckdb

from outcomes.store.files import file_sha256
from outcomes.study import StudyFolder

PARTS = {
    "outcomes.duckdb", "report.html", "report.pdf", "brief.html", "brief.pdf", "brief-easy.html", "brief-easy.pdf",
    "annex.html", "annex.pdf", "checks.html", "checks.json", "fits.json", "answers.json",
}  # fmt: skip


def published_is_whole(study: StudyFolder) -> str:
    """Return the published release's id ('' if none) after checking that its files belong together."""
    if not study.current.is_symlink():
        return ""
    folder = study.current.resolve(strict=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, sha256 in manifest["files"].items():
        assert file_sha256(folder / name) == sha256, f"{name} is not the file that was published"
    steps = {name for name in PARTS if not name.endswith(".pdf")}
    assert steps <= set(manifest["files"])
    with duckdb.connect(str(study.database), read_only=True) as con:
        (release_id,) = con.execute("select release_id from release").fetchone()
        for table, n_rows in manifest["row_counts"].items():
            assert con.execute(f'select count(*) from "{table}"').fetchone()[0] == n_rows
    assert release_id == manifest["release_id"] == folder.name
    assert release_id in (folder / "report.html").read_text()
    return release_id


def rows_accounted(study: StudyFolder) -> dict[str, int]:
    """Return what became of the rows, after checking that manifests and the release agree and nothing is left over."""
    manifests = [json.loads(path.read_text()) for path in study.landed.glob("*/manifest.json")]
    assert all(m["rows_read"] == m["rows_landed"] + m["rows_quarantined"] for m in manifests)
    names = ("delivered", "current", "quarantined", "superseded")
    with duckdb.connect(str(study.database), read_only=True) as con:
        counts = con.execute(
            "select sum(n_read), sum(n_current), sum(n_quarantined), sum(n_superseded) from core_batches"
        )
        account = dict(zip(names, map(int, counts.fetchone()), strict=True))
    assert account["delivered"] == sum(m["rows_read"] for m in manifests)
    assert account["delivered"] == account["current"] + account["quarantined"] + account["superseded"]
    leftovers = [path.name for path in study.root.rglob(".aside-*")]
    leftovers += [path.name for path in study.releases.glob(".candidate-*")]
    assert leftovers == []
    return account


def check_nothing_is_lost(study: StudyFolder) -> None:
    """Every file of the inbox is landed and every row accounted for."""
    assert published_is_whole(study)
    assert len(list(study.landed.glob("*/manifest.json"))) == len(list(study.inbox.iterdir()))
    rows_accounted(study)
