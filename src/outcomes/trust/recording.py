"""What the steps leave in the audit trail, read from the study folder itself, so that a killed step is made up for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from outcomes.release import published_id
from outcomes.store.files import file_sha256, read_json, remove_leftovers
from outcomes.study import StudyFolder
from outcomes.trust.audit_trail import Chain, Event, append_all, append_once, read_chain
from outcomes.trust.ledger_check import ledger_alterations, publication_facts

_SHORT = 12  # hexadecimal digits of a source file's hash in names


def record_state(study: StudyFolder) -> None:
    """Write down every batch, refusal and publication that the trail does not know yet; call it under the writer lock.

    Raises
    ------
    StorageError
        If the trail cannot be written to.
    """
    remove_leftovers(study.root)  # a withdrawal that was killed before it began may have left its list
    chain = read_chain(study)
    known = known_batches(chain)
    record_gone(study)
    batches = {path.parent.name: path for path in sorted(study.landed.glob("[!.]*/manifest.json"))}
    events = [(Event.GONE, {"batch_id": batch_id}) for batch_id in sorted(set(known) - set(batches))]
    for batch_id, path in batches.items():
        facts = batch_facts(study, read_json(path))
        if batch_id not in known or _is_another_landing(known[batch_id], facts):
            events.append((Event.LANDED, facts))
    refused = {_refusal_key(entry.facts) for entry in chain.entries if entry.event is Event.REFUSED}
    for path in sorted(study.quarantine.glob("*.refused.json")):
        facts = refusal_facts(study, read_json(path))
        if _refusal_key(facts) not in refused:
            events.append((Event.REFUSED, facts))
    append_all(study, events)
    record_publication(study)


def record_gone(study: StudyFolder) -> None:
    """Write down which records of refused files are not there any more."""
    missing = sorted(missing_refusals(study, read_chain(study)))
    append_all(study, [(Event.RECORD_GONE, {"sha256": sha256}) for sha256 in missing])


def _refusal_key(facts: dict[str, Any]) -> tuple[str, str]:
    return facts["sha256"], facts["refused_at"]


def _is_another_landing(known: dict[str, Any], facts: dict[str, Any]) -> bool:
    """Say whether a batch was landed anew under the same name; other changes are for `verify` to find."""
    return known["landed_at"] != facts["landed_at"]


def record_publication(study: StudyFolder) -> None:
    """Write down which release is published and how the ledger stands, unless the trail's last publication says so.

    Nothing is written on top of an altered ledger: it would become the true one. Verification and refreshes name it.
    """
    release_id = published_id(study)
    if release_id and not any(ledger_alterations(study, read_chain(study))):
        manifest = file_sha256(study.releases / release_id / "manifest.json")
        ledger = publication_facts(study, release_id)
        append_once(study, Event.PUBLISHED, release_id=release_id, manifest_sha256=manifest, **ledger)


def missing_refusals(study: StudyFolder, chain: Chain) -> frozenset[str]:
    """Return the hashes of refused files whose records the trail knows and `quarantine/` has not.

    The record of a file that was landed later is gone by right, and so is one that a withdrawal removed and noted.
    """
    known: set[str] = set()
    for entry in chain.entries:
        if entry.event is Event.REFUSED:
            known.add(entry.facts["sha256"])
        elif entry.event is Event.RECORD_GONE:
            known.discard(entry.facts["sha256"])
    batches = {*known_batches(chain), *(path.parent.name for path in study.landed.glob("[!.]*/manifest.json"))}
    landed = {batch_id.partition("-")[2] for batch_id in batches}
    there = {path.name.partition(".")[0] for path in study.quarantine.glob("*.refused.json")}
    return frozenset(sha256 for sha256 in known if sha256[:_SHORT] not in landed | there)


def known_batches(chain: Chain) -> dict[str, dict[str, Any]]:
    """Return what the trail says last of every batch that it does not know to be gone."""
    known: dict[str, dict[str, Any]] = {}
    for entry in chain.entries:
        if entry.event is Event.LANDED:
            known[entry.facts["batch_id"]] = entry.facts
        elif entry.event is Event.GONE:
            known.pop(entry.facts["batch_id"], None)
        elif entry.event is Event.WITHDREW:
            known.update({facts["batch_id"]: facts for facts in entry.facts["batches"]})
    return known


def batch_facts(study: StudyFolder, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what the trail says of a landed batch."""
    kept = ("batch_id", "kind", "landed_at", "rows_read", "rows_landed", "rows_quarantined", "parquet_sha256")
    return {
        **{name: manifest[name] for name in kept},
        "rows_withdrawn": manifest.get("rows_withdrawn", 0),
        "manifest_sha256": hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest(),
        "quarantine_sha256": quarantine_sha256(study, manifest["sha256"]),
    }


def places_of_sources(study: StudyFolder) -> dict[str, int]:
    """Return the place in the order of landing of every source file that ever was landed, by the start of its hash.

    A batch that was damaged and removed is landed anew from the inbox; what came after it must still supersede it.
    """
    landed = (entry.facts["batch_id"] for entry in read_chain(study).entries if entry.event is Event.LANDED)
    return {source: int(place) for place, _, source in (batch_id.partition("-") for batch_id in landed)}


def refusal_facts(study: StudyFolder, record: dict[str, Any]) -> dict[str, Any]:
    """Return what the trail says of a refused file."""
    kept = ("sha256", "refusal", "refused_at", "rows_read", "rows_quarantined")
    return {
        **{name: record[name] for name in kept},
        "quarantine_sha256": quarantine_sha256(study, record["sha256"]),
    }


def quarantine_path(study: StudyFolder, sha256: str) -> Path:
    """Return where the rejected rows of a source file are kept."""
    return study.quarantine / f"{sha256[:_SHORT]}.csv"


def quarantine_sha256(study: StudyFolder, sha256: str) -> str:
    """Return the hash of a source file's quarantined rows; empty where it has none."""
    path = quarantine_path(study, sha256)
    return file_sha256(path) if path.is_file() else ""
