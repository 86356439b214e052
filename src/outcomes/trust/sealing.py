"""Sealing a study: the audit trail first, then `seals.jsonl`, so that no seal can be made up or moved in time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from outcomes.errors import StorageError
from outcomes.release.folders import CANDIDATE_PREFIX, DATABASE
from outcomes.study import StudyFolder
from outcomes.study.sealing import Seal, read_sealing, read_seals, specification_sha256, write_seals
from outcomes.trust.audit_trail import Chain, Event, append, read_chain


@dataclass(frozen=True)
class Sealed:
    """The seal of the present specification, and whether it was made just now."""

    seal: Seal
    is_new: bool


def seal(study: StudyFolder) -> Sealed:
    """Seal the study's present specification; call it under the writer lock. Sealed twice is sealed once.

    Raises
    ------
    StorageError
        If the trail does not hold, or `seals.jsonl` has a seal that the trail does not know.
    """
    chain = read_chain(study)
    if chain.breaks:
        raise StorageError("The audit trail was altered; nothing is sealed on top of it", "run `outcomes verify`")
    recorded = recorded_seals(chain)
    if set(read_seals(study)) - set(recorded):
        raise StorageError("seals.jsonl has a seal that the audit trail does not know", "run `outcomes verify`")
    present = specification_sha256(study.settings)
    own = next((one for one in recorded if one.spec_sha256 == present), None)
    if own is None:
        made = Seal(present, datetime.now(UTC).isoformat(timespec="seconds"), _is_before_outcomes(study, chain))
        append(study, Event.SEALED, **asdict(made))
        recorded = (*recorded, made)
    if read_seals(study) != recorded:  # also where a kill came between the trail and the file
        write_seals(study, recorded)
    return Sealed(own or recorded[-1], own is None)


def recorded_seals(chain: Chain) -> tuple[Seal, ...]:
    """Every seal that the trail knows, oldest first."""
    return tuple(Seal(**entry.facts) for entry in chain.entries if entry.event is Event.SEALED)


def _is_before_outcomes(study: StudyFolder, chain: Chain) -> bool:
    """Whether every database of this study that was ever built, published or still lies there was without outcomes."""
    events = [entry for entry in chain.entries if entry.event in (Event.BUILT, Event.PUBLISHED)]
    withheld = {entry.facts["release_id"] for entry in events if entry.facts.get("outcomes") == "withheld"}
    known = {entry.facts["release_id"] for entry in events}
    there = {path.parent.name.removeprefix(CANDIDATE_PREFIX) for path in study.releases.glob(f"*/{DATABASE}")}
    return read_sealing(study).is_withheld and known | there <= withheld
