"""The audit trail: one line per event, each chained to the one before by its hash; written under the writer lock.

A line is JSON with `number`, `at`, `event`, `facts`, `previous` and `hash`, where `hash` is the SHA-256 of `previous`
followed by the canonical JSON (sorted keys, no blanks) of the line without `hash`. Facts are counts, hashes and names
of files, batches and releases; never ids or values of persons.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from outcomes.errors import StorageError
from outcomes.store.files import read_json, write_json
from outcomes.study import StudyFolder

TRAIL = "trail.jsonl"
HEAD = "trail.head"  # length and last hash of the trail: a trail that is shorter was cut
START = "0" * 64  # what the first line is chained to
LOST_HINT = (
    "keep the trail aside as evidence and restore trail.jsonl and trail.head from a backup; without one, move it out "
    "of the study and run `outcomes verify --new-trail` (docs/trust.md)"
)
_HINT = "run `outcomes verify`; see docs/trust.md on what to do with an altered trail"


class Event(StrEnum):
    """What is written down."""

    STARTED = "started"  # the trail's first line, before anything is landed
    STARTED_ANEW = "started_anew"  # the trail was lost; what came before is not vouched for
    LANDED = "landed"
    REFUSED = "refused"
    GONE = "gone"  # a batch's folder was removed by hand
    RECORD_GONE = "record_gone"  # the record of a refused file was removed, by hand or by a withdrawal
    BUILT = "built"
    CHECKS = "checks"
    SEALED = "sealed"
    PUBLISHED = "published"
    WITHDREW = "withdrew"
    RETENTION = "retention"
    FEDERATED = "federated"  # a plan was joined, or a round of it answered: what left, by its hash
    FED_BACK = "fed_back"  # pages for single therapists were written: how many, and how their ledger stands
    VERIFIED = "verified"
    REPAIRED = "repaired"  # the trail itself: a line that a killed writer had not finished was cut off


@dataclass(frozen=True)
class Entry:
    """One line of the trail."""

    number: int
    at: str
    event: Event
    facts: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Chain:
    """The trail as it stands.

    Attributes
    ----------
    entries : tuple of Entry
        Lines that can be read, in order.
    breaks : tuple of str
        What is wrong with the chain, line by line; empty where it holds.
    is_torn : bool
        The last line has no end: its writer was killed. The next append cuts it off and says so.
    """

    entries: tuple[Entry, ...]
    breaks: tuple[str, ...]
    is_torn: bool

    @property
    def head(self) -> str:
        """Hash of the last line; kept elsewhere it proves later that no line was cut off."""
        return self.entries[-1].hash if self.entries else START

    def has(self, length: int, head: str) -> bool:
        """Say whether the trail had this head when it was so long; the empty trail is the start of all."""
        return length == 0 or (length <= len(self.entries) and self.entries[length - 1].hash == head)

    def latest(self, event: Event, **facts: Any) -> Entry | None:
        """Return the last entry of an event whose facts include these."""
        return next(
            (
                entry
                for entry in reversed(self.entries)
                if entry.event is event and facts.items() <= entry.facts.items()
            ),
            None,
        )


def trail_path(study: StudyFolder) -> Path:
    """Return the trail's file."""
    return study.root / TRAIL


def read_chain(study: StudyFolder) -> Chain:
    """Read the trail and check every link; a study without one has an empty chain."""
    path = trail_path(study)
    content = path.read_bytes() if path.is_file() else b""
    *lines, rest = content.split(b"\n")
    entries, breaks, previous, number = [], [], START, 0
    for place, line in enumerate(lines, start=1):
        try:
            entry = _parse(line)
        except (ValueError, KeyError, TypeError):
            breaks.append(f"line {place:,} cannot be read")
            continue
        if entry.hash != _hash(entry.previous, _body(entry)):
            breaks.append(f"line {place:,} was altered")
        if entry.previous != previous or entry.number != number + 1:
            breaks.append(f"line {place:,} does not follow the line before: lines were altered, removed or added")
        entries.append(entry)
        previous, number = entry.hash, entry.number
    return Chain(tuple(entries), tuple(breaks), bool(rest))


def append(study: StudyFolder, event: Event, **facts: Any) -> None:
    """Add one line; see `append_all`."""
    append_all(study, [(event, facts)])


def append_all(study: StudyFolder, events: Sequence[tuple[Event, dict[str, Any]]]) -> None:
    """Add a line for each event and flush them to the disk; call it under the writer lock.

    Parameters
    ----------
    study : StudyFolder
        The study.
    events : sequence of (Event, dict)
        Events with their facts, in order.

    Raises
    ------
    StorageError
        If the trail was cut, the line before cannot be read, or the lines cannot be written; the trail is then as it
        was.
    """
    path = trail_path(study)
    _refuse_cut(study)
    cut = _cut_torn_line(path)
    if cut:
        events = [(Event.REPAIRED, {"bytes_cut": cut}), *events]
    last, lines = _last_entry(path), []
    for event, facts in events:
        lines.append(_next_line(last, event, facts))
        last = _parse(lines[-1])
    if lines:
        _write(path, b"".join(line + b"\n" for line in lines))
        with suppress(OSError):  # a full disk: the old head holds too, and the next line brings a new one
            write_json(study.root / HEAD, {"length": last.number, "head": last.hash})


def append_once(study: StudyFolder, event: Event, **facts: Any) -> None:
    """Add one line unless the event's last line says the same: what is done again changes nothing."""
    latest = read_chain(study).latest(event)
    if latest is None or latest.facts != json.loads(_canonical(facts)):
        append(study, event, **facts)


def read_head(study: StudyFolder) -> tuple[int, str] | None:
    """Return the trail's length and last hash as they were noted beside it; None where no note was made.

    Raises
    ------
    StorageError
        If the note cannot be read.
    """
    path = study.root / HEAD
    if not path.is_file():
        return None
    try:
        noted = read_json(path)
        return int(noted["length"]), str(noted["head"])
    except (ValueError, KeyError, TypeError):
        raise StorageError(f"{HEAD} cannot be read", LOST_HINT) from None


def _refuse_cut(study: StudyFolder) -> None:
    """Refuse to write on a trail that is not the one that was left: it would become the true one."""
    noted = read_head(study)
    if noted and noted[0] and f'"hash":"{noted[1]}"'.encode() not in _line(trail_path(study), noted[0]):
        raise StorageError(
            f"{TRAIL} is missing, was cut off or was replaced ({HEAD} tells); nothing was added", LOST_HINT
        )


def _line(path: Path, number: int) -> bytes:
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return lines[number - 1] if number <= len(lines) else b""


def _cut_torn_line(path: Path) -> int:
    """Cut off a last line that has no end; return the number of bytes that went."""
    if not path.is_file():
        return 0
    content = path.read_bytes()
    torn = len(content) - (content.rfind(b"\n") + 1)
    if torn:
        with path.open("r+b") as stream:
            stream.truncate(len(content) - torn)
            os.fsync(stream.fileno())
    return torn


def _last_entry(path: Path) -> Entry | None:
    lines = path.read_bytes().splitlines() if path.is_file() else []
    if not lines:
        return None
    try:
        return _parse(lines[-1])
    except (ValueError, KeyError, TypeError):
        raise StorageError(f"The last line of {path.name} cannot be read; nothing was added to it", _HINT) from None


def _next_line(last: Entry | None, event: Event, facts: dict[str, Any]) -> bytes:
    body = {
        "number": last.number + 1 if last else 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "event": event.value,
        "facts": facts,
        "previous": last.hash if last else START,
    }
    return _canonical({**body, "hash": _hash(body["previous"], body)}).encode()


def _write(path: Path, lines: bytes) -> None:
    before = path.stat().st_size if path.is_file() else 0
    try:
        with path.open("ab") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as refused:
        if path.is_file():
            os.truncate(path, before)
        raise StorageError(
            f"{path.name} cannot be written: {refused.strerror}", "check space and permissions"
        ) from None


def _parse(line: bytes) -> Entry:
    content = json.loads(line)
    entry = Entry(**content | {"event": Event(content["event"])})
    if not isinstance(entry.facts, dict):
        raise TypeError
    return entry


def _body(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number, "at": entry.at, "event": entry.event.value, "facts": entry.facts,
        "previous": entry.previous,
    }  # fmt: skip


def _hash(previous: str, body: dict[str, Any]) -> str:
    return hashlib.sha256(f"{previous}{_canonical(body)}".encode()).hexdigest()


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
