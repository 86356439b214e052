"""Content of any kind, searched part by part: packed content is unpacked, to a limit of depth and of bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outcomes.trust.search.coded import LONG, decoded, other_readings, plain_text
from outcomes.trust.search.kinds import PACKED_INSIDE, START_BYTES, Packing, is_text, packing_of
from outcomes.trust.withdrawn_sources import Unsearchable
from outcomes.trust.words import Needles

_PART = 16_000_000  # bytes that are searched at a time
_OVERLAP = 4_096  # bytes; longer than any id
_DEEPEST = 12  # times that content may be packed or coded
_MOST_BYTES = 20_000_000_000  # that the packed content of one file may have
_MOST_INSIDE = 64_000_000  # bytes of one packed piece inside other bytes
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, NotImplementedError,
            RuntimeError, ValueError)  # fmt: skip
_TOO_DEEP = f"packed or coded more than {_DEEPEST} times"

TableSearch = Callable[[Path, "Inspection", int], bool]


@dataclass
class Inspection:
    """The search of one file.

    Attributes
    ----------
    needles : Needles
        What is searched for.
    scratch : Path
        A folder for what must lie on the disk to be opened.
    tables : dict
        How Parquet files and databases are searched.
    n_unpacked : int
        Bytes that were unpacked so far.
    """

    needles: Needles
    scratch: Path
    tables: dict[Packing, TableSearch]
    n_unpacked: int = 0

    def count(self, n_bytes: int) -> None:
        """Count unpacked bytes and stop at a bomb."""
        self.n_unpacked += n_bytes
        if self.n_unpacked > _MOST_BYTES:
            raise Unsearchable(f"it unpacks to more than {_MOST_BYTES:,} bytes")


def holds(stream: IO[bytes], seen: Inspection, depth: int = 0) -> bool:
    """Say whether a stream holds one of the ids, whatever its kind.

    Raises
    ------
    Unsearchable
        If nothing was found in what could be searched, and there is more: encrypted, damaged, of an unknown kind, or
        packed too deep.
    """
    if depth > _DEEPEST:
        raise Unsearchable(_TOO_DEEP)
    start = _peek(stream)
    packing = packing_of(start)
    whole = _Joined(start, stream, seen if depth else None)
    if packing is None:
        return _parts_hold(whole, seen, depth, is_strict=True)
    with _on_disk(stream, whole, seen) as (path, content):
        if _raw_holds(content, seen):
            return True
        content.seek(0)
        try:
            return _unpacked_holds(packing, path, content, seen, depth)
        except Unsearchable:
            raise
        except _DAMAGED:
            raise Unsearchable(f"a damaged or encrypted {packing} file") from None


def text_holds(data: bytes, seen: Inspection, depth: int, *, is_strict: bool = False) -> bool:
    """Say whether a text holds one of the ids in plain or in other signs.

    Raises
    ------
    Unsearchable
        If it is coded too often, or `is_strict` and a long passage stands for something unknown.
    """
    if seen.needles.found(data) or any(map(seen.needles.found, other_readings(data))):
        return True
    plain = plain_text(data)
    if plain != data:
        if depth >= _DEEPEST:
            raise Unsearchable(_TOO_DEEP)
        if text_holds(plain, seen, depth + 1, is_strict=is_strict) or _inside_holds(plain, seen, depth):
            return True
    return _decoded_hold(data, seen, depth, is_strict=is_strict)


def _decoded_hold(data: bytes, seen: Inspection, depth: int, *, is_strict: bool) -> bool:
    """Search what coded words stand for. Of a short one that cannot be opened nothing is said: it may be a word."""
    coded = decoded(data)
    if coded.words and text_holds(coded.words, seen, depth + 1):
        return True
    odd = Unsearchable("a long coded passage of an unknown kind, perhaps encrypted") if coded.has_unknown else None
    for piece in coded.pieces:
        try:
            if holds(io.BytesIO(piece), seen, depth + 1):
                return True
        except Unsearchable as unknown:
            odd = unknown if len(piece) >= LONG else odd
    if odd and is_strict:
        raise odd
    return False


def _parts_hold(stream: IO[bytes], seen: Inspection, depth: int, *, is_strict: bool) -> bool:
    """Search what is no packing: text in any encoding, or bytes of an unknown kind, which are named unless found."""
    tail, is_known, odd = b"", True, None
    while part := stream.read(_PART):
        whole = tail + part
        is_known = is_known and is_text(whole)
        try:
            if text_holds(whole, seen, depth, is_strict=is_strict and is_known) or _inside_holds(whole, seen, depth):
                return True
        except Unsearchable as unknown:
            odd = unknown  # the rest is searched all the same
        tail = part[-_OVERLAP:]
    if odd:
        raise odd
    if not is_known:
        raise Unsearchable("no text and of no format that is known; perhaps packed or encrypted")
    return False


def _inside_holds(data: bytes, seen: Inspection, depth: int) -> bool:
    """Search packed pieces inside other bytes."""
    return any(holds(io.BytesIO(piece), seen, depth + 1) for piece in _pieces(data, seen))


def _pieces(data: bytes, seen: Inspection) -> Iterator[bytes]:
    for match in PACKED_INSIDE.finditer(data):
        rest = memoryview(data)[match.start() :]
        if match.group().startswith(b"PK"):
            if zipfile.is_zipfile(io.BytesIO(rest)):
                yield bytes(rest)
                return  # the archive has the later members too
            continue
        unpacker = {b"B": bz2.BZ2Decompressor, b"\xfd": lzma.LZMADecompressor}.get(match.group()[:1])
        try:
            piece = unpacker().decompress(rest, _MOST_INSIDE) if unpacker else _inflate(rest)
        except _DAMAGED:
            continue
        seen.count(len(piece))
        yield piece


def _inflate(data: memoryview) -> bytes:
    return zlib.decompressobj(wbits=47).decompress(data, _MOST_INSIDE)


def _unpacked_holds(packing: Packing, path: Path, content: IO[bytes], seen: Inspection, depth: int) -> bool:
    match packing:
        case Packing.GZIP:
            return holds(gzip.GzipFile(fileobj=content), seen, depth + 1)
        case Packing.BZIP2:
            return holds(bz2.BZ2File(content), seen, depth + 1)
        case Packing.XZ:
            return holds(lzma.LZMAFile(content), seen, depth + 1)
        case Packing.ZLIB:
            return holds(_Zlib(content), seen, depth + 1)
        case Packing.ZIP:
            return _zip_holds(content, seen, depth)
        case Packing.TAR:
            return _tar_holds(content, seen, depth)
        case Packing.PDF | Packing.NUMPY:
            raise Unsearchable(f"a {packing} file, which is not read")
    content.flush()
    return seen.tables[packing](path, seen, depth)


def _zip_holds(content: IO[bytes], seen: Inspection, depth: int) -> bool:
    odd = None
    with zipfile.ZipFile(content) as archive:
        said = [archive.comment, *(part for one in archive.infolist() for part in (one.filename.encode(), one.comment))]
        if text_holds(b"\n".join(said), seen, depth):
            return True
        for member in archive.infolist():
            try:
                with archive.open(member) as stream:
                    if holds(stream, seen, depth + 1):
                        return True
            except (Unsearchable, *_DAMAGED) as unknown:
                odd = unknown
    if odd:
        raise odd
    return False


def _tar_holds(content: IO[bytes], seen: Inspection, depth: int) -> bool:
    odd = None
    with tarfile.open(fileobj=content) as archive:
        for member in archive:
            said = [member.name, member.linkname, *map(str, member.pax_headers.values())]
            if text_holds("\n".join(said).encode("utf-8", "surrogateescape"), seen, depth):
                return True
            try:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream and holds(stream, seen, depth + 1):
                    return True
            except (Unsearchable, *_DAMAGED) as unknown:
                odd = unknown
    if odd:
        raise odd
    return False


def _raw_holds(content: IO[bytes], seen: Inspection) -> bool:
    """Search packed bytes as they are: headers have names and remarks, ends have what was added."""
    tail = b""
    while part := content.read(_PART):
        if seen.needles.found(tail + part):
            return True
        tail = part[-_OVERLAP:]
    return False


def _peek(stream: IO[bytes]) -> bytes:
    start = b""
    while len(start) < START_BYTES and (more := stream.read(START_BYTES - len(start))):
        start += more
    return start


@contextmanager
def _on_disk(stream: IO[bytes], whole: IO[bytes], seen: Inspection) -> Iterator[tuple[Path, IO[bytes]]]:
    """Give a file, or the copy of a stream in the scratch folder: archives and tables are opened from the disk."""
    if isinstance(stream, io.BufferedReader) and isinstance(stream.name, str):
        stream.seek(0)
        yield Path(stream.name), stream
        return
    with tempfile.NamedTemporaryFile(dir=seen.scratch) as copy:
        shutil.copyfileobj(whole, copy, _PART)
        copy.flush()
        copy.seek(0)
        yield Path(copy.name), copy


class _Joined(io.RawIOBase):
    """What was read to see what the content is, and the rest behind it; a read is short at the end only."""

    def __init__(self, start: bytes, rest: IO[bytes], seen: Inspection | None) -> None:
        self._start, self._rest, self._seen = start, rest, seen

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, counting them where they are unpacked ones."""
        parts, missing = [self._start], size - len(self._start)
        self._start = b""
        while missing > 0 and (part := self._rest.read(missing)):
            parts.append(part)
            missing -= len(part)
            if self._seen:
                self._seen.count(len(part))
        return b"".join(parts)


class _Zlib(io.RawIOBase):
    """The unpacked content of a zlib stream, and what stands behind its end as it is."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed, self._unpacker, self._rest = packed, zlib.decompressobj(), b""

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        while not self._unpacker.eof:
            data = self._unpacker.unconsumed_tail or self._packed.read(size)
            if not data:
                raise EOFError
            part, self._rest = self._unpacker.decompress(data, size), self._unpacker.unused_data
            if part:
                return part
        rest, self._rest = self._rest, b""
        return rest or self._packed.read(size)
