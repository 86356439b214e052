"""What some bytes are: text, one of the formats that are opened, or nothing that is known."""

from __future__ import annotations

import re
from enum import StrEnum


class Packing(StrEnum):
    """Formats that hold other content, told by their first bytes."""

    GZIP = "gzip"
    ZLIB = "zlib"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZIP = "zip"
    TAR = "tar"
    PARQUET = "parquet"
    DUCKDB = "duckdb"
    PDF = "PDF"
    NUMPY = "NumPy"
    SPSS = "SPSS"


START_BYTES = 512  # a tar archive says what it is at byte 257
_STARTS = (
    (b"\x1f\x8b\x08", Packing.GZIP), (b"BZh", Packing.BZIP2), (b"\xfd7zXZ\0", Packing.XZ), (b"\x5d\0\0", Packing.XZ),
    (b"PK\x03\x04", Packing.ZIP), (b"PK\x05\x06", Packing.ZIP), (b"PAR1", Packing.PARQUET), (b"PARE", Packing.PARQUET),
    (b"%PDF-", Packing.PDF), (b"\x93NUMPY", Packing.NUMPY),
    (b"$FL2@(#)", Packing.SPSS), (b"$FL3@(#)", Packing.SPSS),
    *((b"\x78" + level, Packing.ZLIB) for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
)  # fmt: skip
_MAGICS = tuple(magic for magic, _ in _STARTS)
_LIKE_WORDS = {Packing.ZLIB, Packing.BZIP2}  # their first bytes may begin a text
PACKED_INSIDE = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\xfd7zXZ\0|PK\x03\x04")
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1a\x1b") + b"\x7f"
_ODD_SHARE = 0.01  # of control characters in a text; random bytes have a tenth
_HALF_NUL = 0.25  # of bytes: UTF-16 and UTF-32 of letters have half and more


def packing_of(start: bytes) -> Packing | None:
    """Tell what content is by its first bytes; None where it is text or nothing known."""
    if start[8:12] == b"DUCK":
        return Packing.DUCKDB
    if start[257:262] == b"ustar":
        return Packing.TAR
    if not start.startswith(_MAGICS):
        return None
    packing = next(packing for magic, packing in _STARTS if start.startswith(magic))
    return None if packing in _LIKE_WORDS and is_text(start) else packing


def is_text(data: bytes) -> bool:
    """Say whether bytes can be read as text in any usual encoding: next to none of them control anything."""
    if data.count(b"\0") > _HALF_NUL * len(data):
        data = data.replace(b"\0", b"")
    return len(data) - len(data.translate(None, _CONTROL)) <= _ODD_SHARE * len(data)


def is_readable(data: bytes) -> bool:
    """Say whether bytes are text or a format that can be opened."""
    return bool(data) and (packing_of(data[:START_BYTES]) is not None or is_text(data))
