"""Writing without half-written files: aside, synced, then one atomic rename; and content hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ASIDE = ".aside-"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the renames inside a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush every file and folder below `folder` to the disk."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) in one atomic step: readers see the old or the new one, never a part."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file in one atomic step; `mode` less the umask says who may read it, from its first byte on."""
    aside = path.with_name(f"{_ASIDE}{uuid.uuid4().hex}")
    try:
        with open(aside, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Write JSON in one atomic step, keys in the order given, for people to read."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_line(path: Path, record: dict[str, Any], mode: int = 0o666) -> None:
    """Add one JSON line to a journal and flush it to the disk; one write, so that two writers' lines do not mix.

    `mode` less the umask is that of a journal which the line begins.
    """
    line = (json.dumps(record, ensure_ascii=False, default=str) + "\n").encode()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":  # a killed writer's half line becomes a line of its own
            line = b"\n" + line
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a journal of JSON lines, oldest first; what a killed writer left half is passed over."""
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder beside `target`; on success it becomes `target` by one rename, on failure it is removed.

    An existing `target` is never touched: content-addressed folders are immutable, a second writer's copy is dropped.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.parent / f"{_ASIDE}{uuid.uuid4().hex}"
    aside.mkdir()
    try:
        yield aside
        sync_tree(aside)
        if not target.exists():
            os.rename(aside, target)
            sync_folder(target.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def swap_symlink(link: Path, destination: str) -> None:
    """Point `link` at `destination` (relative to the link's folder) by one atomic rename."""
    aside = link.with_name(f"{_ASIDE}{uuid.uuid4().hex}")
    os.symlink(destination, aside)
    os.replace(aside, link)
    sync_folder(link.parent)


def remove_leftovers(folder: Path) -> int:
    """Remove what killed writers left aside in `folder`; call it only under the writer lock. Returns the count."""
    leftovers = list(folder.glob(f"{_ASIDE}*")) if folder.is_dir() else []
    for path in leftovers:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return len(leftovers)
