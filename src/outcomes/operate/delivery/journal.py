"""The journal of deliveries, `deliveries.jsonl`: what went to whom, without addresses; nothing is sent twice."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from outcomes.store.files import append_line, read_lines
from outcomes.study import StudyFolder

DELIVERIES = "deliveries.jsonl"
_DIGITS = 16


class State(StrEnum):
    """How a delivery stands."""

    SENDING = "sending"  # handed over; a killed sender leaves it so, and nobody knows whether it arrived
    SENT = "sent"
    FAILED = "failed"  # surely not taken: it is tried again
    UNCERTAIN = "uncertain"  # the server went away before it answered


def recipient_hash(recipient: str) -> str:
    """Return what stands for an address or a folder in the journal."""
    return hashlib.sha256(recipient.strip().lower().encode()).hexdigest()[:_DIGITS]


class Journal:
    """Deliveries of one study, read once and written on; use it under the writer lock."""

    def __init__(self, study: StudyFolder) -> None:
        self._path: Path = study.root / DELIVERIES
        self._states = {
            (line["what"], line["recipient"]): State(line["state"])
            for line in read_lines(self._path)
            if {"what", "recipient", "state"} <= line.keys()
        }

    def is_due(self, what: str, recipient: str) -> bool:
        """Whether something is still to be sent: never tried, or surely failed; what may have arrived is not."""
        return self._states.get((what, recipient_hash(recipient)), State.FAILED) is State.FAILED

    def note(self, what: str, recipient: str, state: State, reason: str = "") -> None:
        """Write down how a delivery stands; `reason` names no address."""
        line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, "state": state.value}
        append_line(self._path, {**line, "recipient": recipient_hash(recipient), "reason": reason})
        self._states[what, recipient_hash(recipient)] = state
