"""The manifest of a release: what went in, what made it, what came out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from platform import python_version
from typing import Any

import duckdb

from outcomes.release.batches import landed_batches
from outcomes.release.identity import code_version
from outcomes.release.timings import read_timings
from outcomes.store.files import file_sha256, read_json
from outcomes.store.warehouse import quoted
from outcomes.study import StudyFolder
from outcomes.study.clock import present

MANIFEST = "manifest.json"


def make_manifest(
    study: StudyFolder,
    release_id: str,
    folder: Path,
    row_counts: Mapping[str, int],
    trail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the manifest of the release in `folder`: inputs, code, row counts, timings, hashes of its files."""
    return ({"trail": dict(trail)} if trail else {}) | {
        "release_id": release_id,
        "study_name": study.settings.study.name,
        "published_at": present(study).isoformat(timespec="seconds"),
        "study_sha256": study.settings_sha256,
        "inputs": [
            {"batch_id": batch.batch_id, "kind": batch.kind.value, "sha256": batch.sha256}
            for batch in landed_batches(study.landed)
        ],
        "code_version": code_version(),
        "python": python_version(),
        "packages": _package_versions(),
        "row_counts": dict(row_counts),
        "timings_seconds": read_timings(folder),
        "files": {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST},
    }


def summary_markdown(folder: Path, first: Sequence[str] = ()) -> str:
    """Return a release's summary in Markdown, from its manifest: counts of rows, no data.

    Parameters
    ----------
    first : sequence of str
        Lines that stand before the tables.
    """
    manifest = read_json(folder / MANIFEST)
    lines = [
        f"# Release {manifest['release_id']}: {manifest['study_name']}",
        "",
        f"Published {manifest['published_at']}, code {manifest['code_version']}, "
        f"{len(manifest['inputs'])} landed batches.",
        "",
        *first,
        "",
        "| step | seconds |",
        "|---|---:|",
        *(f"| {step} | {seconds:,.1f} |" for step, seconds in manifest["timings_seconds"].items()),
        "",
        "| table | rows |",
        "|---|---:|",
        *(f"| {name} | {count:,} |" for name, count in manifest["row_counts"].items()),
    ]
    return "\n".join(lines) + "\n"


def count_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the number of rows of every table, by name."""
    names = con.execute("select table_name from duckdb_tables() where not internal order by table_name").fetchall()
    return {name: con.execute(f"select count(*) from {quoted(name)}").fetchall()[0][0] for (name,) in names}


def _package_versions() -> dict[str, str]:
    """Return the installed versions of what the package depends on at run time."""
    names = sorted(re.match(r"[\w.-]+", line)[0] for line in requires("outcomes") or () if "extra ==" not in line)
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
