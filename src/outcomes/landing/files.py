"""Names and bytes of source files: kind and format by name, content unpacked under a limit."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from fnmatch import fnmatchcase
from pathlib import Path

from outcomes.contract import Kind, Refusal
from outcomes.landing.refusal import FileRefused, listed
from outcomes.study.settings import Source, StudySettings
from outcomes.study.tables.layouts import LayoutName

_UNPACK_BYTES = 4_000_000
_MOST_TIMES = 200  # what ratings unpack to, times their packed size, is a tenth of this
_BOMB_BYTES = 100_000_000  # under it a high ratio is no danger
_TAIL_BYTES = 4096


def is_ignored(path: Path) -> bool:
    """Say whether landing leaves an entry of the inbox alone: hidden and temporary files, folders, what is no file."""
    name = path.name
    return name.startswith((".", "~")) or name.endswith(("~", ".tmp", ".part", ".crdownload")) or not path.is_file()


def readable_name(path: Path) -> str:
    """Return a file's name, with what is not UTF-8 in it as escapes."""
    return path.name.encode("utf-8", "backslashreplace").decode("utf-8")


def refuse_unreadable_name(path: Path) -> None:
    """Refuse a file whose name is not UTF-8: it can neither be written down nor printed."""
    if readable_name(path) != path.name:
        raise FileRefused(Refusal.UNREADABLE, "the file's name is not UTF-8", "rename the file")


def kinds_of(name: str, settings: StudySettings) -> tuple[Kind, ...]:
    """Tell by its name what a file feeds; several kinds only where the study reads one export for each of them.

    Raises
    ------
    FileRefused
        If no pattern of the study fits, or the patterns of two kinds do that cannot share a file.
    """
    lowered = name.lower()
    patterns = {kind: source.pattern for kind, source in settings.sources.items()}
    fitting = tuple(kind for kind, pattern in patterns.items() if fnmatchcase(lowered, pattern.lower()))
    if not fitting:
        raise FileRefused(
            Refusal.UNKNOWN_KIND,
            f"the file name fits none of the study's patterns: {listed(list(patterns.values()))}",
            "rename the file, or change pattern in [sources] of study.toml",
        )
    if len(fitting) > 1 and not _share_an_export([settings.sources[kind] for kind in fitting]):
        raise FileRefused(
            Refusal.AMBIGUOUS_KIND,
            f"the file name fits the patterns of {' and '.join(fitting)}",
            "rename the file, or make the patterns in [sources] of study.toml narrower; one export may feed several "
            "kinds where all of them have the same format (other than table) and encoding, or each its own sheet",
        )
    return fitting


def _share_an_export(sources: list[Source]) -> bool:
    read = {(source.format, source.encoding, source.companions) for source in sources}
    has_rows_for_each = sources[0].format is not LayoutName.TABLE or all(source.sheet for source in sources)
    return len(read) == 1 and has_rows_for_each


def part_sha256(file_sha256: str, kind: Kind | None, kinds: tuple[Kind, ...]) -> str:
    """Return the hash by which what a file holds of one kind is known; that of the file where it feeds one kind."""
    if kind is None or len(kinds) < 2:
        return file_sha256
    return hashlib.sha256(f"{file_sha256} {kind}".encode()).hexdigest()


def part_hashes(name: str, file_sha256: str, settings: StudySettings) -> tuple[str, ...]:
    """Return the hashes by which a file's batches or refusals are known, one a kind that it feeds."""
    try:
        kinds = kinds_of(name, settings)
    except FileRefused:
        return (file_sha256,)
    return tuple(part_sha256(file_sha256, kind, kinds) for kind in kinds)


def unpack(path: Path, target: Path, most_bytes: int) -> None:
    """Unpack a gzip file, at most `most_bytes`.

    Raises
    ------
    FileRefused
        If it is damaged, cut off, or unpacks to more.
    """
    n_bytes = 0
    try:
        with path.open("rb") as source, gzip.GzipFile(fileobj=source) as packed, target.open("wb") as unpacked:
            while part := packed.read(_UNPACK_BYTES):
                n_bytes += len(part)
                if n_bytes > most_bytes:
                    raise too_large(f"the file unpacks to more than {most_bytes:,} bytes")
                refuse_bomb(n_bytes, source.tell())
                unpacked.write(part)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FileRefused(
            Refusal.UNREADABLE, "the file cannot be unpacked; it is cut off, damaged or no gzip file", "pack it again"
        ) from None


def refuse_bomb(n_bytes: int, n_packed: int) -> None:
    """Refuse what unpacks to far more than tables of ratings do.

    Parameters
    ----------
    n_bytes, n_packed : int
        Bytes unpacked, and the packed bytes that they come from.

    Raises
    ------
    FileRefused
        If it is over 100 MB and over 200 times its size.
    """
    if n_bytes > max(_BOMB_BYTES, _MOST_TIMES * n_packed):
        raise too_large(f"the file unpacks to more than {_MOST_TIMES} times its size")


def refuse_unwritten(path: Path, n_bytes: int) -> None:
    """Look at a large file's end before all of it is read.

    Raises
    ------
    FileRefused
        If the file ends in NUL bytes: it was given its room, and its end was not written.
    """
    if n_bytes <= _BOMB_BYTES:
        return
    with path.open("rb") as stream:
        stream.seek(-_TAIL_BYTES, os.SEEK_END)
        if not stream.read().strip(b"\x00"):
            raise FileRefused(
                Refusal.UNREADABLE, "the file ends in NUL bytes: its end was never written",
                "wait until it is complete, or copy it again",
            )  # fmt: skip


def too_large(message: str) -> FileRefused:
    """Make the refusal for a file over the study's limit."""
    return FileRefused(Refusal.TOO_LARGE, message, "split the file, or raise max_bytes in [landing] of study.toml")


def fingerprint(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is written to or replaced: size, time of change, inode."""
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns, state.st_ino
