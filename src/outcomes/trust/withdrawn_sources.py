"""Source files of the inbox without the rows of withdrawn clients; everything else stays byte for byte."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from outcomes.contract import Kind
from outcomes.landing.files import is_ignored, kinds_of, unpack
from outcomes.landing.layouts.base import CannotRewrite
from outcomes.landing.layouts.door import reader_of
from outcomes.landing.refusal import FileRefused
from outcomes.study import StudyFolder
from outcomes.study.settings import StudySettings
from outcomes.trust.persons import Persons

_PART = 16_000_000  # bytes that are copied at a time


class Unsearchable(Exception):
    """A file cannot be opened as what its name says, so that nobody can say who is in it."""


class NotRewritable(Unsearchable):
    """A file holds rows of the persons and cannot be written without them."""


def source_files(study: StudyFolder) -> Iterator[tuple[Path, tuple[Kind, ...]]]:
    """Yield the files of the inbox that landing takes up, with the kinds that each feeds."""
    for path in sorted(study.inbox.iterdir()) if study.inbox.is_dir() else ():
        try:
            if not is_ignored(path):
                yield path, kinds_of(path.name, study.settings)
        except FileRefused:
            continue  # of no kind: nothing of it is ever read, but it is searched


def rewrite_source(path: Path, target: Path, kinds: tuple[Kind, ...], settings: StudySettings, persons: Persons) -> int:
    """Write a source file without the persons' rows to `target`.

    Parameters
    ----------
    path, target : Path
        The source file, and a file that is made where rows go; scratch files are put beside it and removed.

    Returns
    -------
    int
        Rows (or, in a text file without a readable header, lines) that went; with 0 there is no `target`.

    Raises
    ------
    Unsearchable
        If the file is damaged, or of no format that is read.
    NotRewritable
        If it holds rows of theirs and is of a format that cannot be written, such as a workbook.
    """
    scratch = target.with_name(f"{target.name}-scratch")
    try:
        file_format, is_packed = reader_of(path.name, kinds, settings)
        content = path
        if is_packed:
            unpack(path, scratch, settings.landing.max_bytes)
            content = scratch
        plain = target.with_name(f"{target.name}-plain") if is_packed else target
        removed = file_format.rewrite(content, plain, kinds[0], settings, persons)
        if removed and is_packed:
            _pack(plain, target)
        if removed:
            shutil.copymode(path, target)
            with target.open("rb") as stream:
                os.fsync(stream.fileno())
        return removed
    except CannotRewrite as refused:
        raise NotRewritable(refused.message) from None
    except (FileRefused, duckdb.Error, OSError) as damaged:
        raise Unsearchable(type(damaged).__name__) from None
    finally:
        scratch.unlink(missing_ok=True)
        target.with_name(f"{target.name}-plain").unlink(missing_ok=True)


def source_ids(path: Path, scratch: Path, kinds: tuple[Kind, ...], settings: StudySettings) -> set[tuple[str, str]]:
    """Return the pairs of client and episode that a source file has.

    Parameters
    ----------
    path, scratch : Path
        The source file, and a place for its unpacked content, which is removed.

    Raises
    ------
    Unsearchable
        If nobody can say who is in it: it is damaged, or of no format that is read.
    """
    try:
        file_format, is_packed = reader_of(path.name, kinds, settings)
        if is_packed:
            unpack(path, scratch, settings.landing.max_bytes)
        return file_format.pairs(scratch if is_packed else path, kinds[0], settings)
    except (FileRefused, duckdb.Error, OSError) as damaged:
        raise Unsearchable(type(damaged).__name__) from None
    finally:
        scratch.unlink(missing_ok=True)


def _pack(plain: Path, target: Path) -> None:
    with plain.open("rb") as source, target.open("wb") as out, gzip.GzipFile("", "wb", fileobj=out, mtime=0) as packed:
        shutil.copyfileobj(source, packed, _PART)
