"""The ledger of all that left: one line per release in `disclosed.jsonl`, counts only; it outlives the releases.

A report's numbers lie in `told.json` beside it; publication adds them to the ledger before the swap. A line has the
true counts too: the next release is checked against them. It names no person, so withdrawal and retention leave it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outcomes.disclosure.counts import Cell, Reason
from outcomes.disclosure.tables import Table
from outcomes.disclosure.teller import Teller, Told
from outcomes.errors import StorageError, UsageError
from outcomes.store.files import append_line, file_sha256, read_json, read_lines, write_json
from outcomes.study import StudyFolder

LEDGER, TOLD = "disclosed.jsonl", "told.json"
_HINT = "restore it from a backup: without it nobody knows what earlier reports told"


def read_ledger(study: StudyFolder) -> tuple[Told, ...]:
    """Return what each published release told, oldest first.

    Raises
    ------
    StorageError
        If a line is missing or cannot be read (a last line that a killed run left half is made up for by the next).
    """
    lines = read_lines(study.root / LEDGER)
    if [line.get("number") for line in lines] != list(range(1, len(lines) + 1)):
        raise StorageError(f"{LEDGER} has lines that are missing or cannot be read", _HINT)
    try:
        return tuple(_told(line) for line in lines)
    except (KeyError, TypeError, ValueError):
        raise StorageError(f"{LEDGER} has a line that was altered", _HINT) from None


def teller(study: StudyFolder, release_id: str) -> Teller:
    """Return who decides what a release may tell; one that was published before tells what it told then."""
    return Teller(study.settings.disclosure, _before(read_ledger(study), release_id), release_id)


def write_told(folder: Path, teller: Teller) -> None:
    """Write what a report tells beside it, before the report itself."""
    write_json(folder / TOLD, {"after": len(teller.earlier), **_as_json(teller.told)})


def is_up_to_date(folder: Path, study: StudyFolder, release_id: str) -> bool:
    """Say whether a candidate's report knows of all releases that were published before it."""
    path = folder / TOLD
    return path.is_file() and read_json(path)["after"] == len(_before(read_ledger(study), release_id))


def enter(study: StudyFolder, folder: Path, release_id: str) -> None:
    """Add what a release tells to the ledger, before it is published; done again it changes nothing.

    Raises
    ------
    UsageError
        If the report has no `told.json`, or was written before another release was published.
    """
    ledger = read_ledger(study)
    if any(told.release_id == release_id for told in ledger):
        return
    if not is_up_to_date(folder, study, release_id):
        raise UsageError(
            "The report was written without regard to what a release published since tells",
            "run `outcomes report` on the study, then `outcomes publish`",
        )
    told = {name: value for name, value in read_json(folder / TOLD).items() if name != "after"}
    report = file_sha256(folder / "report.html")
    append_line(study.root / LEDGER, {"number": len(ledger) + 1, **told, "report_sha256": report})


def _before(ledger: tuple[Told, ...], release_id: str) -> tuple[Told, ...]:
    ids = [told.release_id for told in ledger]
    return ledger[: ids.index(release_id)] if release_id in ids else ledger


def _as_json(told: Told) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(told)))


def _told(line: dict[str, Any]) -> Told:
    return Told(
        line["release_id"],
        {about: _cell(cell) for about, cell in line["counts"].items()},
        {
            about: Table(
                {name: _cell(cell) for name, cell in table["cells"].items()},
                {name: _parts(parts) for name, parts in table["sums"].items()},
            )
            for about, table in line["tables"].items()
        },
    )


def _parts(parts: dict[str, int] | list[str]) -> dict[str, int]:
    """How often each part counts in a sum; older lines have lists of parts that count once."""
    return dict.fromkeys(parts, 1) if isinstance(parts, list) else dict(parts)


def _cell(cell: dict[str, Any]) -> Cell:
    return Cell(**cell | {"reason": Reason(cell["reason"])})
