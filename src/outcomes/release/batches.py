"""Landed batches as the build reads them: manifests, verified against their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outcomes.contract import Kind
from outcomes.errors import StorageError
from outcomes.store.files import file_sha256, read_json


@dataclass(frozen=True)
class Batch:
    """One landed batch.

    Attributes
    ----------
    batch_id : str
        `<n>-<sha12>`, the name of its folder.
    kind : Kind
        What it holds.
    sequence : int
        Landing order, from 1.
    sha256, parquet_sha256 : str
        Hashes of the source file and of the landed rows.
    n_read, n_quarantined : int
        Rows of the source file, and those of them that were not accepted.
    quarantined_by_rule : dict[str, int]
        Quarantined rows by the rule that they broke.
    rows : Path
        The Parquet file.
    agreement : dict
        How far coders agree on a rating that was made of their codes (`scoring.agreement.Agreement`); empty where none.
    """

    batch_id: str
    kind: Kind
    sequence: int
    sha256: str
    parquet_sha256: str
    n_read: int
    n_quarantined: int
    quarantined_by_rule: dict[str, int]
    rows: Path
    agreement: dict[str, Any] = field(default_factory=dict)


def landed_batches(landed: Path) -> tuple[Batch, ...]:
    """Read the manifests of all landed batches, in landing order.

    Raises
    ------
    StorageError
        If a batch has no readable manifest.
    """
    folders = sorted(landed.glob("*/")) if landed.is_dir() else []
    found = [_read(folder) for folder in folders if not folder.name.startswith(".")]
    return tuple(sorted(found, key=lambda batch: batch.sequence))


def verify(batches: tuple[Batch, ...]) -> None:
    """Check that every batch's rows are the bytes that were landed.

    Raises
    ------
    StorageError
        If a file is missing or altered; it says which batches.
    """
    damaged = [
        batch.batch_id
        for batch in batches
        if not batch.rows.is_file() or file_sha256(batch.rows) != batch.parquet_sha256
    ]
    if damaged:
        raise StorageError(
            f"{len(damaged)} landed batch(es) are not what was landed: {', '.join(damaged)}",
            "remove these folders from landed/ and run again: the source files in the inbox are landed anew",
        )


def _read(folder: Path) -> Batch:
    try:
        manifest = read_json(folder / "manifest.json")
        return Batch(
            batch_id=manifest["batch_id"],
            kind=Kind(manifest["kind"]),
            sequence=manifest["sequence"],
            sha256=manifest["sha256"],
            parquet_sha256=manifest["parquet_sha256"],
            # Rows of clients who withdrew are in no account that is published.
            n_read=manifest["rows_read"] - manifest.get("rows_withdrawn", 0),
            n_quarantined=manifest["rows_quarantined"],
            quarantined_by_rule=manifest["quarantined_by_rule"],
            rows=folder / "batch.parquet",
            agreement=manifest.get("agreement", {}),
        )
    except (OSError, ValueError, KeyError, TypeError) as damaged:
        raise StorageError(
            f"The manifest of the landed batch {folder.name} cannot be read ({type(damaged).__name__})",
            "remove this folder from landed/ and run again: its source file in the inbox is landed anew",
        ) from damaged
