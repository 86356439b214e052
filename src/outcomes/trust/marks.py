"""Marks of the trail kept outside it: in `trail.head`, in each release's manifest and in each line of the ledger.

Who cuts lines off the trail's end, or deletes it, leaves a mark that the trail no longer has. Who rewrites trail, head,
manifests and ledger together, consistently, leaves none: only a head that is kept outside the study finds that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outcomes.errors import StorageError, UsageError
from outcomes.store.files import read_json, read_lines
from outcomes.study import StudyFolder
from outcomes.study.folder import LEDGER
from outcomes.trust.alteration import Alteration
from outcomes.trust.audit_trail import (
    HEAD,
    LOST_HINT,
    TRAIL,
    Chain,
    Event,
    append,
    read_chain,
    read_head,
    trail_path,
)

_KEPT_ELSEWHERE = "the head that was kept elsewhere"


def present_mark(study: StudyFolder) -> dict[str, Any]:
    """Return how long the trail is and how it ends."""
    chain = read_chain(study)
    return {"length": len(chain.entries), "head": chain.head}


def trail_alterations(study: StudyFolder, chain: Chain, head: str = "") -> Iterator[Alteration]:
    """Say what is wrong with the trail: broken links, lines that are missing at its end, or all of it.

    Parameters
    ----------
    study : StudyFolder
        The study.
    chain : Chain
        Its trail.
    head : str
        A hash that was kept outside the study, if one was.
    """
    yield from (Alteration(TRAIL, what) for what in chain.breaks)
    if not chain.entries and not chain.breaks and _has_anything(study):
        yield Alteration(TRAIL, "it is missing, and the study has batches, refused files or releases")
        return
    try:
        missing = [where for where, length, hash_ in _marks(study, chain) if not chain.has(length, hash_)]
    except StorageError:
        yield Alteration(HEAD, "it cannot be read")
        return
    if head and head not in {entry.hash for entry in chain.entries}:
        missing.append(_KEPT_ELSEWHERE)
    if missing and not chain.breaks:
        yield Alteration(TRAIL, f"lines are missing that it had: known from {', '.join(missing[:3])}")
    if not (study.root / HEAD).is_file() and any(True for _ in _marks(study, chain)):
        yield Alteration(HEAD, "it is missing")


def is_without_marks(study: StudyFolder, chain: Chain) -> bool:
    """Say whether nothing outside the trail tells its length: all was made by an earlier version."""
    return bool(chain.entries) and not any(True for _ in _marks(study, chain))


def start_trail(study: StudyFolder) -> None:
    """Begin the trail of a new study, before anything is landed; do nothing where there is one."""
    if not read_chain(study).entries:
        append(study, Event.STARTED)


def start_anew(study: StudyFolder) -> None:
    """Begin a new trail where the old one was lost; it says so, and vouches for what is there now and later only.

    Raises
    ------
    UsageError
        If there is a trail.
    """
    if trail_path(study).exists():
        raise UsageError(f"there is a trail ({TRAIL})", "move it out of the study first and keep it as evidence")
    (study.root / HEAD).unlink(missing_ok=True)
    append(
        study, Event.STARTED_ANEW, releases=sorted(path.parent.name for path in _manifests(study)),
        batches=len(list(study.landed.glob("[!.]*/manifest.json"))), ledger_lines=len(read_lines(study.root / LEDGER)),
    )  # fmt: skip


def refuse_lost_trail(study: StudyFolder) -> None:
    """Refuse to write on where the trail is broken, cut or missing.

    Raises
    ------
    StorageError
        If it is.
    """
    altered = list(trail_alterations(study, read_chain(study)))
    if altered:
        raise StorageError(f"{altered[0].file}: {altered[0].what}; nothing was changed", LOST_HINT)


def _marks(study: StudyFolder, chain: Chain) -> Iterator[tuple[str, int, str]]:
    """Yield where a mark is, the length and the hash; those from before the trail was started anew are not asked."""
    anew = chain.latest(Event.STARTED_ANEW)
    not_asked = set(anew.facts["releases"]) if anew else set()
    noted = read_head(study)
    if noted:
        yield HEAD, *noted
    for path in _manifests(study):
        if path.parent.name not in not_asked:
            yield from _mark(f"releases/{path.parent.name}", _read(path))
    for line in read_lines(study.root / LEDGER)[anew.facts["ledger_lines"] if anew else 0 :]:
        yield from _mark(f"{LEDGER}, line {line.get('number')}", line)


def _mark(where: str, record: Any) -> Iterator[tuple[str, int, str]]:
    mark = record.get("trail") if isinstance(record, dict) else None
    if isinstance(mark, dict) and isinstance(mark.get("length"), int):
        yield where, mark["length"], str(mark.get("head"))


def _manifests(study: StudyFolder) -> list:
    return sorted(study.releases.glob("[!.]*/manifest.json"))


def _read(path) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None  # verification names it


def _has_anything(study: StudyFolder) -> bool:
    found = (study.landed.glob("[!.]*"), study.releases.glob("[!.]*"), study.quarantine.glob("*.refused.json"))
    return any([*map(list, found), (study.root / LEDGER).exists(), (study.root / HEAD).exists()])
