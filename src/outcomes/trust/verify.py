"""Verification: is every file of the study what it was when it was written?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes.errors import StorageError
from outcomes.landing.refused_files import record_path
from outcomes.release import published_id
from outcomes.store.files import file_sha256, read_json
from outcomes.study import StudyFolder
from outcomes.study.sealing import SEALS, read_seals
from outcomes.trust.alteration import FOREIGN, Alteration
from outcomes.trust.audit_trail import Chain, Event, append, read_chain
from outcomes.trust.ledger_check import ledger_alterations, ledger_notes
from outcomes.trust.marks import is_without_marks, refuse_lost_trail, trail_alterations
from outcomes.trust.recording import batch_facts, known_batches, missing_refusals, quarantine_path, refusal_facts
from outcomes.trust.sealing import recorded_seals

_GONE = "the batch is missing"
_SHOWN = 3
_BATCH_FILES = {"batch.parquet", "manifest.json"}


@dataclass(frozen=True)
class Verification:
    """What was checked and what was found.

    Attributes
    ----------
    altered : tuple of Alteration
        Empty where all is as it was written.
    unrecorded : tuple of str
        Batches and releases that the trail does not know: a run was killed before it wrote them down (the next refresh
        does), or they were put there by hand.
    exposed : tuple of str
        Files that every user of the machine may read or write.
    n_events, n_batches, n_releases, n_files : int
        How many lines, batches, releases and hashed files were checked.
    head : str
        Hash of the trail's last line before this verification was written down. Keep it elsewhere.
    notes : tuple of str
        What is not protected, what was removed by hand, what cannot be known.
    """

    altered: tuple[Alteration, ...]
    unrecorded: tuple[str, ...]
    exposed: tuple[str, ...]
    n_events: int
    n_batches: int
    n_releases: int
    n_files: int
    head: str
    notes: tuple[str, ...] = ()

    def as_text(self) -> str:
        """The result for people, aligned."""
        checked = (
            f"{self.n_events:,} lines of the trail, {self.n_batches:,} batches, {self.n_releases:,} releases, "
            f"{self.n_files:,} files hashed"
        )
        lines = [f"checked     {checked}", f"head        {self.head}"]
        lines += [f"note        {note}" for note in self.notes]
        lines += [f"unrecorded  {name}" for name in self.unrecorded]
        if self.exposed:
            lines.append(
                f"exposed     {len(self.exposed):,} file(s) that every user of this machine may read or write, such as "
                f"{self.exposed[0]}; close them with `chmod -R o-rwx`"
            )
        width = max((len(found.file) for found in self.altered), default=0)
        lines += [f"altered     {found.file:<{width}}  {found.what}" for found in self.altered]
        return "\n".join(lines if self.altered else [*lines, "altered     nothing"])

    def raise_if_altered(self) -> None:
        """Raise StorageError where anything was altered."""
        if self.altered:
            raise StorageError(
                f"{len(self.altered)} thing(s) in the study are not what was written (named above)",
                "restore them from a backup; docs/trust.md says what each one means",
            )


def verify(study: StudyFolder, head: str = "") -> Verification:
    """Check the trail's chain, and every batch, quarantine file, release and link against what was recorded.

    Call it under the writer lock, where the study can be written to. The verification is then written down itself where
    the chain holds.

    Parameters
    ----------
    study : StudyFolder
        The study.
    head : str
        A hash that an earlier verification printed; a trail without it was cut off or replaced.

    Returns
    -------
    Verification
        What was found; `raise_if_altered()` makes it an error.
    """
    chain = read_chain(study)
    altered = trail_altered = list(trail_alterations(study, chain, head))
    hashed: list[Path] = []
    altered = [*altered, *ledger_alterations(study, chain), *_batches(study, chain, hashed)]
    altered += _quarantine(study, chain, hashed)
    altered += _releases(study, chain, hashed)
    altered += _links(study)
    altered += _seals(study, chain)
    found = Verification(
        altered=tuple(altered), unrecorded=tuple(_unrecorded(study, chain)), exposed=tuple(_exposed(study)),
        n_events=len(chain.entries), n_batches=len(_folders(study.landed)), n_releases=len(_folders(study.releases)),
        n_files=len(hashed), head=chain.head, notes=tuple(_notes(study, chain, head)),
    )  # fmt: skip
    if study.is_writable and not trail_altered:  # a line on a trail that was cut would make it look whole
        files = [one.for_the_trail for one in altered]
        append(study, Event.VERIFIED, altered=files, files_hashed=len(hashed))
    return found


def refuse_altered(study: StudyFolder) -> None:
    """Look at all that a refresh builds on: trail, ledger, landed batches and the published release.

    Call it under the writer lock.

    Raises
    ------
    StorageError
        If any of it is not what was written. A batch that is gone is no fault: its source file is landed anew.
    """
    refuse_lost_trail(study)
    chain, hashed = read_chain(study), []
    altered = [found for found in _batches(study, chain, hashed) if found.what != _GONE]
    published = published_id(study)
    if published:
        altered += _release(study, chain, study.releases / published, hashed)
    if altered:
        shown = "; ".join(f"{one.file}: {one.what}" for one in altered[:_SHOWN])
        raise StorageError(
            f"{len(altered)} file(s) of the study are not what was written ({shown}); nothing was changed",
            "`outcomes verify` names all. Restore them from a backup, or remove the folder of the batch (its source in "
            "the inbox is landed anew) or of the release (it is made anew) and refresh",
        )
    refuse_altered_ledger(study)


def refuse_altered_ledger(study: StudyFolder) -> None:
    """Refuse to publish beside a ledger that is not as it was written: nobody would know what was told before.

    Raises
    ------
    StorageError
        If lines of it are missing, altered or added.
    """
    altered = list(ledger_alterations(study, read_chain(study)))
    if altered:
        raise StorageError(
            f"{altered[0].file}: {altered[0].what}; nothing was changed",
            "restore it from a backup: without it a new report could give away what earlier ones hid (docs/trust.md)",
        )


def _notes(study: StudyFolder, chain: Chain, head: str) -> Iterator[str]:
    if not study.is_writable:
        yield "the study cannot be written to: this verification is not in its trail"
    anew = chain.latest(Event.STARTED_ANEW)
    if anew:
        yield f"the trail was lost and started anew ({anew.at}): nothing vouches for what was before"
    if is_without_marks(study, chain):
        yield "the trail's end is not protected before the next run: it was written by an earlier version"
    yield from ledger_notes(study, chain)
    gone = sum(entry.event in (Event.GONE, Event.RECORD_GONE) for entry in chain.entries)
    if gone:
        yield f"{gone:,} batch(es) or record(s) of refused files were removed by hand or withdrawn; the trail says when"
    if not head:
        yield (
            "cannot be known: whether somebody rewrote trail, ledger and releases together; keep the head outside "
            "the study and give it with --head"
        )


def _batches(study: StudyFolder, chain: Chain, hashed: list[Path]) -> Iterator[Alteration]:
    known = known_batches(chain)
    for batch_id in sorted(set(known) - {folder.name for folder in _folders(study.landed)}):
        yield Alteration(f"landed/{batch_id}", _GONE)
    for folder in _folders(study.landed):
        name = f"landed/{folder.name}"
        manifest = _manifest(folder)
        yield from _foreign_files(folder, name, _BATCH_FILES)
        try:
            facts = batch_facts(study, manifest)
            accounted = facts["rows_landed"] + facts["rows_quarantined"] + facts["rows_withdrawn"]
        except (KeyError, TypeError):
            yield Alteration(f"{name}/manifest.json", "it cannot be read")
            continue
        if accounted != facts["rows_read"] or manifest["batch_id"] != folder.name:
            yield Alteration(f"{name}/manifest.json", "its counts or its name do not agree")
        yield from _hash_differs(folder / "batch.parquet", f"{name}/batch.parquet", facts["parquet_sha256"], hashed)
        recorded = known.get(folder.name, facts)
        # A trail of an earlier version knows fewer facts.
        differing = [
            key for key in facts.keys() & recorded if key != "quarantine_sha256" and facts[key] != recorded[key]
        ]
        if differing:
            yield Alteration(f"{name}/manifest.json", f"it differs from the trail in {', '.join(sorted(differing))}")


def _quarantine(study: StudyFolder, chain: Chain, hashed: list[Path]) -> Iterator[Alteration]:
    """Compare quarantined rows with what the trail said of them when they were put there."""
    expected: dict[Path, str] = {}
    known = known_batches(chain)
    for folder in _folders(study.landed):
        source = str(_manifest(folder).get("sha256", ""))
        facts = known.get(folder.name)
        if facts and source:
            expected[quarantine_path(study, source)] = facts["quarantine_sha256"]
    for path in sorted(study.quarantine.glob("*.refused.json")):
        try:
            facts = refusal_facts(study, read_json(path))
        except (OSError, ValueError, KeyError, TypeError):
            yield Alteration(f"quarantine/{path.name}", "it cannot be read")
            continue
        entry = chain.latest(Event.REFUSED, sha256=facts["sha256"], refused_at=facts["refused_at"])
        if entry is None:
            continue
        recorded = entry.facts
        expected[quarantine_path(study, facts["sha256"])] = recorded["quarantine_sha256"]
        differing = [key for key in facts if key != "quarantine_sha256" and facts[key] != recorded.get(key)]
        if differing:
            yield Alteration(f"quarantine/{path.name}", f"it differs from the trail in {', '.join(differing)}")
    for sha256 in sorted(missing_refusals(study, chain)):
        yield Alteration(f"quarantine/{record_path(study, sha256).name}", "the record of a refused file is missing")
    for path, sha256 in expected.items():
        if sha256:
            yield from _hash_differs(path, f"quarantine/{path.name}", sha256, hashed)
        elif path.exists():
            yield Alteration(f"quarantine/{path.name}", "there was no such file when it was recorded")


def _releases(study: StudyFolder, chain: Chain, hashed: list[Path]) -> Iterator[Alteration]:
    for folder in _folders(study.releases):
        yield from _release(study, chain, folder, hashed)


def _release(study: StudyFolder, chain: Chain, folder: Path, hashed: list[Path]) -> Iterator[Alteration]:
    name = f"releases/{folder.name}"
    manifest = _manifest(folder)
    files = manifest.get("files")
    if not isinstance(files, dict) or manifest.get("release_id") != folder.name:
        yield Alteration(f"{name}/manifest.json", "it cannot be read or belongs to another release")
        return
    recorded = chain.latest(Event.PUBLISHED, release_id=folder.name)
    if recorded:
        sha256 = recorded.facts["manifest_sha256"]
        yield from _hash_differs(folder / "manifest.json", f"{name}/manifest.json", sha256, hashed)
    for file, sha256 in files.items():
        yield from _hash_differs(folder / file, f"{name}/{file}", sha256, hashed)
    yield from _foreign_files(folder, name, {*files, "manifest.json"})


def _links(study: StudyFolder) -> Iterator[Alteration]:
    """A published study has two links: to a release, and through it to the database."""
    if not os.path.lexists(study.current) and not os.path.lexists(study.database):
        return
    target = os.readlink(study.current) if study.current.is_symlink() else ""
    release = study.releases / Path(target).name
    if target != f"{study.releases.name}/{release.name}" or not release.is_dir():
        yield Alteration(study.current.name, "it does not point at a release of this study")
    inside = f"{study.current.name}/{study.database.name}"
    if not study.database.is_symlink() or os.readlink(study.database) != inside:
        yield Alteration(study.database.name, "it does not point at the published database")


def _seals(study: StudyFolder, chain: Chain) -> Iterator[Alteration]:
    """Every seal that the file has must stand in the trail, in the trail's order, and none may be missing."""
    try:
        found = read_seals(study)
    except StorageError:
        yield Alteration(SEALS, "it cannot be read")
        return
    if found != recorded_seals(chain):
        yield Alteration(SEALS, "it differs from the seals that the trail knows")


def _unrecorded(study: StudyFolder, chain: Chain) -> Iterator[str]:
    known = known_batches(chain)
    yield from (f"landed/{folder.name}" for folder in _folders(study.landed) if folder.name not in known)
    for folder in _folders(study.releases):
        if chain.latest(Event.PUBLISHED, release_id=folder.name) is None:
            yield f"releases/{folder.name}"
    published, latest = published_id(study), chain.latest(Event.PUBLISHED)
    if published and latest and latest.facts["release_id"] != published:
        yield f"current -> releases/{published}"


def _exposed(study: StudyFolder) -> Iterator[str]:
    for path in sorted(study.root.rglob("*")):
        if not path.is_symlink() and path.is_file() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield path.relative_to(study.root).as_posix()


def _folders(parent: Path) -> list[Path]:
    return sorted(folder for folder in parent.glob("[!.]*") if folder.is_dir())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content = read_json(folder / "manifest.json")
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _hash_differs(path: Path, name: str, sha256: str, hashed: list[Path]) -> Iterator[Alteration]:
    if not path.is_file():
        yield Alteration(name, "the file is missing")
        return
    hashed.append(path)
    if file_sha256(path) != sha256:
        yield Alteration(name, "its content was altered")


def _foreign_files(folder: Path, name: str, expected: set[str]) -> Iterator[Alteration]:
    for path in sorted(folder.iterdir()):
        if path.name not in expected:
            yield Alteration(f"{name}/{path.name}", FOREIGN)
