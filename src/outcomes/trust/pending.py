"""The note of a withdrawal that was begun and is not finished; while it is there nothing is landed or published.

It holds the ids, so that a killed withdrawal can be finished without the list; it is the last thing to be removed.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from outcomes.errors import UsageError
from outcomes.store.files import sync_folder, write_json
from outcomes.study import StudyFolder

PENDING = ".withdrawal.json"


@dataclass(frozen=True)
class Pending:
    """A withdrawal under way.

    Attributes
    ----------
    id : str
        Told apart from other withdrawals by this; random.
    clients, episodes : tuple of str
        Ids as landed, clients also as given.
    n_asked, n_known : int
        Clients on the list, and those of them that were landed when the withdrawal began.
    releases_removed, rows_withdrawn, quarantine_rows, source_rows : int
        What was done so far; a kill between a change and its note leaves them too small, never too large.
    """

    id: str
    clients: tuple[str, ...]
    episodes: tuple[str, ...]
    n_asked: int
    n_known: int
    releases_removed: int = 0
    rows_withdrawn: int = 0  # of batches, quarantined ones included
    quarantine_rows: int = 0
    source_rows: int = 0

    def more(self, **counts: int) -> Pending:
        """Return the same with counts raised."""
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})

    def joined(self, clients: frozenset[str], episodes: frozenset[str], n_asked: int) -> Pending:
        """Return the same for these clients too, with the episodes known before."""
        return replace(
            self,
            clients=tuple(sorted(clients | set(self.clients))),
            episodes=tuple(sorted(episodes | set(self.episodes))),
            n_asked=max(n_asked, self.n_asked),
        )


def new_pending(clients: frozenset[str], episodes: frozenset[str], n_asked: int, n_known: int) -> Pending:
    """Make the note of a new withdrawal."""
    return Pending(uuid.uuid4().hex[:12], tuple(sorted(clients)), tuple(sorted(episodes)), n_asked, n_known)


def pending_path(study: StudyFolder) -> Path:
    """Return where the note is."""
    return study.root / PENDING


def write_pending(study: StudyFolder, pending: Pending) -> None:
    """Write the note by one rename."""
    write_json(pending_path(study), asdict(pending))


def read_pending(study: StudyFolder) -> Pending | None:
    """Return the note of an unfinished withdrawal, None where there is none."""
    path = pending_path(study)
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return Pending(**content | {"clients": tuple(content["clients"]), "episodes": tuple(content["episodes"])})


def remove_pending(study: StudyFolder) -> None:
    """Remove the note: the withdrawal is finished."""
    os.unlink(pending_path(study))
    sync_folder(study.root)


def refuse_unfinished(study: StudyFolder) -> None:
    """Refuse to work on a study in which a withdrawal is half done.

    Raises
    ------
    UsageError
        If there is such a withdrawal.
    """
    if pending_path(study).is_file():
        raise UsageError(
            "A withdrawal of consent was begun and is not finished; nothing is landed or published meanwhile",
            f"run `outcomes withdraw {study.root.name}` (without --clients); it takes up where it stopped",
        )
