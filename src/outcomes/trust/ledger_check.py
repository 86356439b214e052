"""The ledger of what was told, checked: against the trail's publications, and against what each release told.

A publication in the trail has the number of the ledger's lines, a hash over all of them, and the hash of its own line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outcomes.release.folders import CANDIDATE_PREFIX
from outcomes.store.files import file_sha256, read_json
from outcomes.study import StudyFolder
from outcomes.study.folder import LEDGER, TOLD
from outcomes.trust.alteration import Alteration
from outcomes.trust.audit_trail import START, Chain, Entry, Event

_Lines = list[tuple[dict[str, Any], str]]
_OF_THE_LEDGER = {"number", "report_sha256", "trail"}  # what a line has and told.json has not
_OF_THE_RELEASE = {"after"}


def publication_facts(study: StudyFolder, release_id: str) -> dict[str, Any]:
    """Return what a publication in the trail says of the ledger; nothing where there is no ledger."""
    lines = _lines(study)
    own = next((sha256 for line, sha256 in lines if line.get("release_id") == release_id), "")
    return {"ledger_lines": len(lines), "ledger_sha256": _over(lines), "told_sha256": own} if lines else {}


def ledger_alterations(study: StudyFolder, chain: Chain) -> Iterator[Alteration]:
    """Say what is wrong with the ledger: lines that are missing, altered or added, or that a release did not tell."""
    lines, vouching = _lines(study), _publications(chain)
    known = max((entry.facts["ledger_lines"] for entry in vouching), default=0)
    if known > len(lines):
        yield Alteration(LEDGER, f"{known - len(lines):,} of its {known:,} line(s) are missing")
    elif [line.get("number") for line, _ in lines] != list(range(1, len(lines) + 1)):
        yield Alteration(LEDGER, "lines are missing or not in order")
    differing = _differing(lines, vouching)
    if differing:
        yield Alteration(LEDGER, differing)
    yield from _not_as_told(study, lines)
    if known:
        yield from _unknown(study, lines[known:])


def ledger_notes(study: StudyFolder, chain: Chain) -> Iterator[str]:
    """Say which part of the ledger nothing vouches for."""
    lines, vouching = _lines(study), _publications(chain)
    published = [entry for entry in chain.entries if entry.event is Event.PUBLISHED]
    if lines and not vouching:
        yield f"{LEDGER} is not protected before the next refresh: it was written by an earlier version"
    elif vouching and published[0] is not vouching[0]:
        first = vouching[0]
        yield (
            f"{LEDGER} is not protected before release {first.facts['release_id']} ({first.at}): its lines of then are "
            "taken as they were"
        )


def _publications(chain: Chain) -> list[Entry]:
    """The publications that vouch for the ledger; those before a trail that was started anew are lost."""
    return [entry for entry in chain.entries if entry.event is Event.PUBLISHED and "ledger_lines" in entry.facts]


def _differing(lines: _Lines, vouching: list[Entry]) -> str:
    """Name the altered line where its own publication can tell it, else the first publication that differs."""
    places = {line.get("release_id"): (place, sha256) for place, (line, sha256) in enumerate(lines, start=1)}
    for entry in vouching:
        place, sha256 = places.get(entry.facts["release_id"], (0, ""))
        if place and entry.facts["told_sha256"] and sha256 != entry.facts["told_sha256"]:
            return f"line {place:,} was altered"
    over = START
    hashes = {0: over} | {place: (over := _next(over, sha256)) for place, (_, sha256) in enumerate(lines, start=1)}
    for entry in vouching:
        n = entry.facts["ledger_lines"]
        if n in hashes and hashes[n] != entry.facts["ledger_sha256"]:
            return f"lines among the first {n:,} were altered, removed or added"
    return ""


def _not_as_told(study: StudyFolder, lines: _Lines) -> Iterator[Alteration]:
    """Compare each line with the `told.json` of its release, where that is there and as its manifest has it."""
    by_release = {line.get("release_id"): line for line, _ in lines}
    for path in sorted(study.releases.glob(f"[!.]*/{TOLD}")):
        release_id, told = path.parent.name, _told(path)
        line, files = by_release.get(release_id), _files(path.with_name("manifest.json"))
        if files.get(TOLD) != file_sha256(path):
            continue  # the release was altered, which is named for itself
        if line is None:
            yield Alteration(LEDGER, f"it has no line for release {release_id}, which told something")
        elif told != _content(line) or line.get("report_sha256") != files.get("report.html"):
            yield Alteration(LEDGER, f"its line for release {release_id} is not what that release told")


def _unknown(study: StudyFolder, lines: _Lines) -> Iterator[Alteration]:
    """Lines behind those that the trail knows are from killed publications, and a release or candidate told them."""
    for line, _ in lines:
        folders = (study.releases / f"{prefix}{line.get('release_id')}" for prefix in ("", CANDIDATE_PREFIX))
        if not any(_told(folder / TOLD) == _content(line) for folder in folders):
            yield Alteration(LEDGER, f"line {line.get('number')} is unknown to the trail, and no release told it")


def _lines(study: StudyFolder) -> _Lines:
    """Every line that can be read, with the hash of its bytes; what a killed writer left half is passed over."""
    path, found = study.root / LEDGER, []
    for raw in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append((line, hashlib.sha256(raw).hexdigest()))
    return found


def _over(lines: _Lines) -> str:
    over = START
    for _, sha256 in lines:
        over = _next(over, sha256)
    return over


def _next(over: str, sha256: str) -> str:
    return hashlib.sha256(f"{over}{sha256}".encode()).hexdigest()


def _content(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in _OF_THE_LEDGER}


def _told(path: Path) -> dict[str, Any] | None:
    try:
        told = read_json(path)
    except (OSError, ValueError):
        return None
    return {name: value for name, value in told.items() if name not in _OF_THE_RELEASE}


def _files(manifest: Path) -> dict[str, str]:
    try:
        return dict(read_json(manifest)["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
