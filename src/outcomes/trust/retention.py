"""Retention: which earlier releases are kept."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from outcomes.errors import StorageError
from outcomes.release import published_id
from outcomes.store.files import read_json, remove_leftovers, sync_folder
from outcomes.study import StudyFolder
from outcomes.study.settings import Retention
from outcomes.trust.audit_trail import Event, append


def prune(study: StudyFolder) -> tuple[str, ...]:
    """Remove the releases that the study's rule does not keep; never the published one.

    Call it under the writer lock. Killed in between, the next call finishes.

    Parameters
    ----------
    study : StudyFolder
        The study; `[retention]` of its `study.toml` is the rule.

    Returns
    -------
    tuple of str
        Ids of the releases that were removed, oldest first.

    Raises
    ------
    StorageError
        If a release has no readable manifest: its age is not known.
    """
    remove_leftovers(study.releases)
    folders = sorted(folder for folder in study.releases.glob("[!.]*") if folder.is_dir())
    ages = sorted((_published_at(folder), folder.name) for folder in folders)
    gone = superfluous(ages, study.settings.retention, published_id(study))
    for release_id in gone:
        remove_release(study, release_id)
    if gone:
        append(study, Event.RETENTION, removed=list(gone), kept=len(folders) - len(gone))
    return gone


def superfluous(releases: Sequence[tuple[str, str]], rule: Retention, published: str | None) -> tuple[str, ...]:
    """Return the ids of the releases that the rule does not keep.

    Parameters
    ----------
    releases : sequence of (str, str)
        Time of publication (ISO 8601, UTC) and id, oldest first.
    rule : Retention
        How many of the last to keep (0 keeps all), and whether the last one of each month stays.
    published : str or None
        Id of the published release, which always stays.
    """
    if not rule.keep_last:
        return ()
    kept = {release_id for _, release_id in releases[-rule.keep_last :]} | {published}
    if rule.one_a_month:
        kept |= set({published_at[:7]: release_id for published_at, release_id in releases}.values())
    return tuple(release_id for _, release_id in releases if release_id not in kept)


def remove_release(study: StudyFolder, release_id: str) -> None:
    """Remove one release: it disappears by one rename, then its files are deleted."""
    aside = study.releases / f".aside-{uuid.uuid4().hex}"
    os.rename(study.releases / release_id, aside)
    sync_folder(study.releases)
    shutil.rmtree(aside)


def _published_at(folder: Path) -> str:
    try:
        return str(read_json(folder / "manifest.json")["published_at"])
    except (OSError, ValueError, KeyError, TypeError):
        raise StorageError(
            f"The release {folder.name} has no readable manifest: its age is not known",
            "run `outcomes verify`; nothing was removed",
        ) from None
