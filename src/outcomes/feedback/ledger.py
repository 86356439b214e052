"""What pages told: `feedback.jsonl` in the study folder, one line a run that told anything new.

A period is told once. Later pages repeat what is written here, whatever came or went since; so two pages of one
therapist differ by whole periods only, each of enough clients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from outcomes.errors import StorageError, UsageError
from outcomes.feedback.figures import Figure, Measure, Said
from outcomes.feedback.periods import Period
from outcomes.store.files import append_line, read_lines
from outcomes.study import StudyFolder
from outcomes.study.folder import FEEDBACK_TOLD
from outcomes.study.tables.feedback import PeriodLength
from outcomes.trust.audit_trail import Event, append_once, read_chain

_HINT = f"restore {FEEDBACK_TOLD} from a backup: without it nobody knows what earlier pages told"
_PRIVATE = 0o600


@dataclass(frozen=True)
class ToldBefore:
    """All that earlier pages told.

    Attributes
    ----------
    figures : dict of str to tuple of Figure
        By code of the therapist.
    length : PeriodLength or None
        Of the periods; None before the first page.
    reaches : dict of Measure to float
        Of what the intervals were made.
    key_sha256 : str
        Which key the codes were made with; empty before the first page.
    n_lines : int
    """

    figures: dict[str, tuple[Figure, ...]]
    length: PeriodLength | None
    reaches: dict[Measure, float]
    key_sha256: str
    n_lines: int

    def refuse_other(self, length: PeriodLength, key_sha256: str) -> None:
        """Stop where periods of another length, or codes of another key, would tell anew what was told.

        Raises
        ------
        UsageError
            For another length.
        StorageError
            For another key.
        """
        if self.length not in (None, length):
            raise UsageError(
                f"Pages were written with [feedback] period = {self.length.value!r}; with {length.value!r}, one could "
                "be taken from another and give away a small group",
                f"set it back to {self.length.value!r}",
            )
        if self.key_sha256 not in ("", key_sha256):
            raise StorageError("The key of the pages is another than that of earlier pages", "restore feedback.key")


def read_told(study: StudyFolder) -> ToldBefore:
    """Return what earlier pages told.

    Raises
    ------
    StorageError
        If lines are missing or altered since the trail's last word on them.
    """
    lines = read_lines(study.root / FEEDBACK_TOLD)
    last = read_chain(study).latest(Event.FED_BACK)
    known = last.facts["lines"] if last else 0
    if len(lines) < known or (last and _sha256(study, known) != last.facts["told_sha256"]):
        raise StorageError(f"{FEEDBACK_TOLD} has lines that are missing or were altered", _HINT)
    found: dict[str, tuple[Figure, ...]] = {}
    reaches: dict[Measure, float] = {}
    try:
        for line in lines:
            length = PeriodLength(line["period"])
            reaches |= {Measure(name): reach for name, reach in line["reaches"].items()}
            for code, told in line["figures"].items():
                found[code] = (*found.get(code, ()), *(_figure(one, length) for one in told))
        key_sha256 = lines[-1]["key_sha256"] if lines else ""
        return ToldBefore(found, length if lines else None, reaches, key_sha256, len(lines))
    except (KeyError, TypeError, ValueError):
        raise StorageError(f"{FEEDBACK_TOLD} has a line that cannot be read", _HINT) from None


def add_told(
    study: StudyFolder,
    before: ToldBefore,
    new: Mapping[str, Sequence[Figure]],
    reaches: Mapping[Measure, float],
    key_sha256: str,
) -> None:
    """Write down what is told for the first time, before any page is; call it under the writer lock."""
    if any(new.values()):
        line = {
            "number": before.n_lines + 1, "period": study.settings.feedback.period, "key_sha256": key_sha256,
            "reaches": dict(reaches),
        }  # fmt: skip
        figures = {code: [_as_json(one) for one in told] for code, told in sorted(new.items()) if told}
        append_line(study.root / FEEDBACK_TOLD, line | {"figures": figures}, _PRIVATE)


def record_pages(study: StudyFolder, release_id: str, n_pages: int) -> None:
    """Note in the trail that pages were written, who agreed (as a hash), and how what they told stands."""
    lines = read_lines(study.root / FEEDBACK_TOLD)
    consent = hashlib.sha256(study.settings.feedback.consent.encode()).hexdigest()
    append_once(
        study, Event.FED_BACK, release_id=release_id, pages=n_pages, consent_sha256=consent, lines=len(lines),
        told_sha256=_sha256(study, len(lines)),
    )  # fmt: skip


def _sha256(study: StudyFolder, n_lines: int) -> str:
    path = study.root / FEEDBACK_TOLD
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    return hashlib.sha256(b"".join(lines[:n_lines])).hexdigest()


def _as_json(one: Figure) -> dict[str, Any]:
    return {
        "measure": one.measure, "start": one.period.start.isoformat(), "said": one.said, "value": one.value,
        "low": one.low, "high": one.high, "clients": one.clients,
    }  # fmt: skip


def _figure(told: dict[str, Any], length: PeriodLength) -> Figure:
    period = Period(date.fromisoformat(told["start"]), length)
    numbers = (told["value"], told["low"], told["high"])
    return Figure(Measure(told["measure"]), period, Said(told["said"]), *numbers, told["clients"])
