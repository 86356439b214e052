"""Withdrawal of consent: clients leave batches, quarantine, source files and releases, and a search proves it."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from outcomes.errors import StorageError, UsageError
from outcomes.landing.files import part_hashes
from outcomes.landing.pseudonyms import PseudonymKey, read_key
from outcomes.progress import step, tracked
from outcomes.release import published_id
from outcomes.release.batches import landed_batches
from outcomes.release.batches import verify as verify_batches
from outcomes.store.files import file_sha256, read_json, remove_leftovers, sync_folder
from outcomes.study import StudyFolder
from outcomes.study.folder import FEEDBACK
from outcomes.trust.audit_trail import Event, append, read_chain
from outcomes.trust.marks import refuse_lost_trail
from outcomes.trust.pending import Pending, new_pending, read_pending, remove_pending, write_pending
from outcomes.trust.persons import Persons
from outcomes.trust.recording import batch_facts, record_gone, record_state
from outcomes.trust.retention import remove_release
from outcomes.trust.search import Search, database_holds, search_study
from outcomes.trust.withdrawn_batches import (
    episodes_of,
    finish_batches,
    ids_of_others,
    known_clients,
    rewrite_batch,
    rewrite_refused,
)
from outcomes.trust.withdrawn_sources import Unsearchable, rewrite_source, source_files, source_ids


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did; counts only.

    Attributes
    ----------
    n_asked, n_known : int
        Clients on the list, and those of them that were landed.
    batches_changed, rows_withdrawn : int
        Landed batches that were rewritten, and their landed and quarantined rows that went.
    source_rows : int
        Rows that went from source files of the inbox.
    releases_removed : int
        Releases (candidates too) that held one of the clients.
    search : Search
        The proof.
    """

    n_asked: int
    n_known: int
    batches_changed: int
    rows_withdrawn: int
    source_rows: int
    releases_removed: int
    search: Search

    def as_text(self) -> str:
        """The result for people, aligned."""
        lines = [
            f"clients     {self.n_asked:,} on the list, {self.n_known:,} of them in this study",
            f"batches     {self.batches_changed:,} rewritten, {self.rows_withdrawn:,} rows withdrawn",
            f"inbox       {self.source_rows:,} rows taken out of source files",
            f"releases    {self.releases_removed:,} removed",
            f"search      {self.search.as_text()}",
        ]
        short = self.search.n_ids - self.search.n_ids_in_bytes
        if short:
            lines.append(f"            {short:,} short id(s) were searched for in id columns only, not in free bytes")
        return "\n".join(lines)


def read_list(study: StudyFolder, path: Path) -> frozenset[str]:
    """Read a list of clients, one pseudonym per line; blank lines do not count.

    Raises
    ------
    UsageError
        If the list is empty, cannot be read, or lies inside the study.
    """
    if path.resolve().is_relative_to(study.root):
        raise UsageError("The list of clients lies inside the study", "move it out: nothing of them may stay there")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            "The list of clients cannot be read", "give a UTF-8 text file, one pseudonym per line"
        ) from None
    clients = frozenset(line.strip() for line in lines if line.strip())
    if not clients:
        raise UsageError("The list of clients is empty", "write one pseudonym per line")
    return clients


def withdraw(study: StudyFolder, clients: frozenset[str]) -> Withdrawal:
    """Remove clients from everything below the study folder, and search it for them.

    Call it under the writer lock. Killed at any moment, the next call ends in the same state; until then nothing is
    landed or published (`refuse_unfinished`).

    Parameters
    ----------
    study : StudyFolder
        The study.
    clients : frozenset of str
        Ids as landed; where the study makes keyed pseudonyms, local ids too. Empty to finish a killed withdrawal.

    Returns
    -------
    Withdrawal
        Counts, and the search that proves it.

    Raises
    ------
    UsageError
        If there are no clients and no unfinished withdrawal.
    StorageError
        If a batch is damaged, or an id is still found or a file cannot be searched; files are named.
    """
    refuse_lost_trail(study)
    key, n_asked = read_key(study), len(clients)
    if key:
        clients |= {key.pseudonym("client_id", one) for one in clients}
    for folder in (study.root, study.landed, study.quarantine, study.inbox, study.releases):
        remove_leftovers(folder)
    pending = _begin(study, clients, n_asked, key)
    persons = Persons(frozenset(pending.clients), frozenset(pending.episodes), key)
    persons = replace(persons, others=ids_of_others(study, persons))
    with step("releases") as line:
        pending = _remove_releases(study, persons, pending)
        line.say(f"{pending.releases_removed:,} removed")
    with step("batches") as line:
        pending = _rewrite_all(study, persons, pending)
        line.say(f"{pending.source_rows:,} rows of source files, {pending.quarantine_rows:,} quarantined rows")
    with step("search") as line:
        search = search_study(study, persons)
        line.say(search.as_text())
    record_gone(study)
    changed = _changed_batches(study, pending)
    if read_chain(study).latest(Event.WITHDREW, withdrawal=pending.id) is None or search.found_in:
        append(
            study, Event.WITHDREW, withdrawal=pending.id, n_clients=pending.n_asked, batches=changed,
            releases_removed=pending.releases_removed, source_rows=pending.source_rows,
            files_searched=search.n_files, found_in=len(search.found_in), unsearchable=len(search.unsearchable),
        )  # fmt: skip
    _refuse_a_remainder(search)
    remove_pending(study)
    return Withdrawal(
        n_asked=pending.n_asked, n_known=pending.n_known, batches_changed=len(changed),
        rows_withdrawn=pending.rows_withdrawn, source_rows=pending.source_rows,
        releases_removed=pending.releases_removed, search=search,
    )  # fmt: skip


def _begin(study: StudyFolder, clients: frozenset[str], n_asked: int, key: PseudonymKey | None) -> Pending:
    """Take up the unfinished withdrawal, or note down a new one before anything is changed."""
    unfinished = read_pending(study)
    if unfinished is None and not clients:
        raise UsageError("No withdrawal is unfinished in this study", "give the list with --clients FILE")
    finish_batches(study)
    verify_batches(landed_batches(study.landed))  # to rewrite a damaged batch would hide the damage
    asked = clients | set(unfinished.clients if unfinished else ())
    known = episodes_of(study, asked) | set(unfinished.episodes if unfinished else ())
    persons = _with_local_ids(study, Persons(asked, known, key))
    if unfinished is None:
        record_state(study)
        pending = new_pending(persons.clients, persons.episodes, n_asked, known_clients(study, clients))
    else:
        pending = unfinished.joined(persons.clients, persons.episodes, n_asked)
    write_pending(study, pending)
    return pending


def _with_local_ids(study: StudyFolder, persons: Persons) -> Persons:
    """Add the ids that source files have for these persons, where the study makes pseudonyms of them."""
    if persons.key is None:
        return persons
    clients, episodes = set(persons.clients), set(persons.episodes)
    for path, kinds in source_files(study):
        scratch = study.inbox / f".aside-{uuid.uuid4().hex}"
        try:
            found = source_ids(path, scratch, kinds, study.settings)
        except Unsearchable:
            continue  # the search names it, and the withdrawal is not finished until it is gone
        for client, episode in found:
            clients |= {client} if persons.has_client(client) else set()
            episodes |= {episode} if persons.has_episode(episode) else set()
    return replace(persons, clients=frozenset(clients), episodes=frozenset(episodes))


def _remove_releases(study: StudyFolder, persons: Persons, pending: Pending) -> Pending:
    """Remove every candidate, every release that holds one of the persons or cannot be read, and pages of therapists.

    Nobody can say of a page whether one of the persons is in its means; it can be written again.
    """
    shutil.rmtree(study.root / FEEDBACK, ignore_errors=True)
    for candidate in sorted(study.releases.glob(".candidate-*")):
        shutil.rmtree(candidate)
    folders = sorted(folder for folder in study.releases.glob("[!.]*") if folder.is_dir())
    for folder in tracked(folders, "Searching releases", total=len(folders)):
        if not _release_holds(study, folder / "outcomes.duckdb", persons):
            continue
        if published_id(study) == folder.name:
            for link in (study.database, study.current):
                link.unlink(missing_ok=True)
            sync_folder(study.root)
        remove_release(study, folder.name)
        pending = pending.more(releases_removed=1)
        write_pending(study, pending)
    return pending


def _release_holds(study: StudyFolder, database: Path, persons: Persons) -> bool:
    try:
        return database_holds(study, database, persons)
    except Unsearchable:
        return True  # nobody can say who is in it


def _rewrite_all(study: StudyFolder, persons: Persons, pending: Pending) -> Pending:
    """Rewrite source files, each with its batch before it, then the batches whose source file is gone."""
    batches = {}
    for folder in sorted(study.landed.glob("[!.]*/")):
        manifest = read_json(folder / "manifest.json")
        for sha256 in (manifest["sha256"], *manifest.get("rewritten_sha256", ())):
            batches[sha256] = folder
    refused = {read_json(path)["sha256"]: path for path in sorted(study.quarantine.glob("*.refused.json"))}
    sources = list(source_files(study))
    for path, kinds in tracked(sources, "Rewriting source files", total=len(sources)):
        aside = study.inbox / f".aside-{uuid.uuid4().hex}"
        try:
            removed = rewrite_source(path, aside, kinds, study.settings, persons)
        except Unsearchable:
            continue  # the search names it
        if not removed:
            continue
        before_and_after = [part_hashes(path.name, file_sha256(one), study.settings) for one in (path, aside)]
        hashes = list(zip(*before_and_after, strict=True))
        for before, after in hashes:
            if before in batches:
                pending = _rewrite_batch(study, batches[before], persons, pending, after)
                batches[after] = batches[before]
        os.replace(aside, path)
        sync_folder(study.inbox)
        for before, _ in hashes:
            if before in refused and before not in batches:
                rewrite_refused(study, refused.pop(before), persons, is_rewritten=True)
        pending = pending.more(source_rows=removed)
        write_pending(study, pending)
    folders = sorted(set(batches.values()))
    for folder in tracked(folders, "Rewriting batches", total=len(folders)):
        pending = _rewrite_batch(study, folder, persons, pending)
    for path in refused.values():
        rewrite_refused(study, path, persons, is_rewritten=False)
    return pending


def _rewrite_batch(study: StudyFolder, folder: Path, persons: Persons, pending: Pending, after: str = "") -> Pending:
    n_landed, n_quarantined = rewrite_batch(study, folder, persons, pending.id, after)
    if n_landed or n_quarantined:
        pending = pending.more(rows_withdrawn=n_landed + n_quarantined, quarantine_rows=n_quarantined)
        write_pending(study, pending)
    return pending


def _changed_batches(study: StudyFolder, pending: Pending) -> list[dict]:
    """Return what the trail is to say of the batches that this withdrawal changed."""
    manifests = [read_json(path) for path in sorted(study.landed.glob("[!.]*/manifest.json"))]
    return [batch_facts(study, manifest) for manifest in manifests if manifest.get("withdrawal") == pending.id]


def _refuse_a_remainder(search: Search) -> None:
    if search.found_in or search.unsearchable:
        raise StorageError(
            "The withdrawal is not finished: the clients may still be in\n"
            + "\n".join(f"  {line}" for line in search.named()),
            "these lie outside what a withdrawal rewrites: you must remove them from the study, take the rows out or "
            "rename them, then run `outcomes withdraw` again (without --clients)",
        )
