"""The machine that a study lies on: Python, packages, clock, memory and disk, rights to read and to write."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from outcomes.doctor.examined import Examined, Health, well
from outcomes.release.places import kept_releases
from outcomes.store.warehouse import READABLE_BY
from outcomes.study import StudyFolder

_PACKAGE = "outcomes"
_LEAST_FREE = 500_000_000  # bytes, whatever the study's size
_RELEASES_OF_ROOM = 3  # the candidate, and what DuckDB puts aside while it is built
_CLOCK_SECONDS = 300.0


def examine_machine(study: StudyFolder) -> Iterator[Examined]:
    """Look at what every study needs."""
    yield _python()
    yield _packages()
    yield _rights(study)
    yield _strangers(study)
    yield _disk(study)
    yield _clock(study)


def _python() -> Examined:
    said = f"{sys.version.split()[0]} at {sys.prefix}"
    if sys.prefix == sys.base_prefix:
        return Examined(
            "Python",
            Health.LOOK,
            f"{said}, shared with the whole machine",
            "install into an environment of its own: python3 -m venv .venv",
        )
    return well("Python", said)


def _packages() -> Examined:
    """Hold every package that is installed against the bounds that were tested."""
    wrong = []
    needed = [Requirement(line) for line in requires(_PACKAGE) or ()]
    for one in needed:
        if one.marker and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            wrong.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(found, prereleases=True):
            wrong.append(f"{one.name} is {found}, tested is {one.specifier}")
    if wrong:
        return Examined(
            "packages", Health.ILL, "; ".join(wrong), "pip install -c constraints.txt outcomes, in this environment"
        )
    own, database = version(_PACKAGE), version("duckdb")
    return well("packages", f"outcomes {own}; DuckDB {database}, whose files {READABLE_BY} and newer read")


def _rights(study: StudyFolder) -> Examined:
    places = [study.root, study.inbox, study.landed, study.quarantine, study.releases]
    shut = [path.name for path in places if path.exists() and not os.access(path, os.R_OK | os.W_OK | os.X_OK)]
    if not study.inbox.is_dir():
        return Examined("rights", Health.ILL, "there is no inbox", f"mkdir {study.inbox}")
    if shut:
        return Examined(
            "rights",
            Health.ILL,
            f"this user may not read and write: {', '.join(shut)}",
            f"give the folder to this user: chown -R {_user()} {study.root}",
        )
    unread = sum(1 for path in study.inbox.iterdir() if path.is_file() and not os.access(path, os.R_OK))
    if unread:
        return Examined(
            "rights",
            Health.ILL,
            f"{unread} file(s) of the inbox cannot be read by this user",
            "change their owner or rights",
        )
    return well("rights", "this user may read and write all folders")


def _strangers(study: StudyFolder) -> Examined:
    n_open = n_written = 0
    for path in (study.root, *study.root.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        n_written += bool(mode & stat.S_IWOTH)
        n_open += path.is_file() and bool(mode & stat.S_IROTH)
    mend = f"chmod -R o-rwx {study.root}"
    if n_written:
        return Examined(
            "strangers", Health.ILL, f"every user of the machine may write {n_written} files or folders", mend
        )
    is_shut = not study.root.stat().st_mode & stat.S_IXOTH
    if n_open and not is_shut:
        return Examined("strangers", Health.LOOK, f"every user of the machine may read {n_open} files", mend)
    return well("strangers", "other users of the machine may read and write nothing")


def _disk(study: StudyFolder) -> Examined:
    free = shutil.disk_usage(study.root).free
    kept = kept_releases(study)
    largest = max((_size(one.folder) for one in kept), default=0)
    inbox = _size(study.inbox)
    wanted = max(_LEAST_FREE, _RELEASES_OF_ROOM * max(largest, inbox))
    said = f"{_gigabytes(free)} free; a refresh may want {_gigabytes(wanted)}"
    if free < wanted:
        return Examined("disk", Health.ILL, said, "make room, or drop earlier releases: [retention] and outcomes prune")
    return well("disk", f"{said}; {len(kept)} releases are kept")


def _clock(study: StudyFolder) -> Examined:
    now = datetime.now(UTC)
    ahead = [(datetime.fromisoformat(one.published_at) - now).total_seconds() for one in kept_releases(study)]
    if max(ahead, default=0.0) > _CLOCK_SECONDS:
        return Examined(
            "clock",
            Health.ILL,
            f"a release is {max(ahead) / 3600:.1f} hours in the future",
            "set this machine's clock; releases are ordered by it",
        )
    return well("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def _user() -> str:
    import getpass

    return re.sub(r"[^\w.-]", "", getpass.getuser())
