"""What a text says in other signs: escapes, entities, tags between letters, base64, base32 and hex."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outcomes.trust.search.kinds import is_readable, packing_of

LONG = 192  # bytes; what decodes to so many and is nothing known may be encrypted. Hashes and keys are shorter.
_DIGESTS = {32, 40, 56, 64, 96, 128}  # hexadecimal digits of common hashes: a column of them is no coded passage
_SHORTEST = 8  # letters of base64 that an id of six characters has
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % _SHORTEST)
_PARTS = tuple(re.compile(signs) for signs in (rb"[_-]", rb"[+/_-]"))  # in the other alphabet they part words
_BASE64_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{40,}\r?\n)+[A-Za-z0-9+/]*")
_BASE32 = re.compile(rb"[A-Z2-7]{10,}")
_NO_BASE32_ENDS = (1, 3, 6)  # letters beyond whole groups of eight that no content ends with
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")
_HEX_APART = re.compile(rb"[0-9A-Fa-f]{2}(?:[ :,-][0-9A-Fa-f]{2}){5,}")
_HEX_LINES = re.compile(rb"(?:(?:[0-9A-Fa-f]{2}){20,}\r?\n)+(?:[0-9A-Fa-f]{2})*")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]+")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(?:x|')([0-9a-fA-F]{2})|([nrtbf0\"/\\]))")
_ENTITY = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,6})|([0-9]{1,7}));?")
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")
_QUOTED = re.compile(rb"=\r?\n|=([0-9A-F]{2})")
_TAG = re.compile(rb"<[^<>]{1,2000}>")


def plain_text(data: bytes) -> bytes:
    """Return a text with its escapes, entities and percent signs undone, and without the NULs of UTF-16."""
    for undo in (_without_nuls, _unescape, _without_entities, _without_percents):
        data = undo(data)
    return data


def other_readings(data: bytes) -> Iterator[bytes]:
    """Yield a text with one kind of sign undone at a time; each joins letters that another leaves apart."""
    undos: tuple[Callable[[bytes], bytes], ...] = (
        _without_nuls, _unescape, _without_entities, _without_percents, _unquoted, _without_tags,
    )  # fmt: skip
    for undo in undos:
        undone = undo(data)
        if undone != data:
            yield undone


@dataclass(frozen=True)
class Decoded:
    """What the coded words of a text stand for.

    Attributes
    ----------
    words : bytes
        Short texts, one a line.
    pieces : tuple of bytes
        Long texts, and what is of a format that can be opened.
    has_unknown : bool
        A long passage stands for bytes of an unknown kind, perhaps encrypted.
    """

    words: bytes
    pieces: tuple[bytes, ...]
    has_unknown: bool


def decoded(data: bytes) -> Decoded:
    """Read words of base64, base32 and hexadecimal digits, so far as they stand for text or for a known format."""
    passages = [match.group().translate(None, b"\r\n") for match in _BASE64_LINES.finditer(data)]
    words = {*passages, *_BASE64.findall(data)}
    parts = (part for word in words for pattern in _PARTS for part in pattern.split(word))
    words |= {part for part in parts if len(part) >= _SHORTEST}
    coded = {_from_base64(one) for one in words if not _is_hex(one)}
    coded |= {_from_base32(one) for one in set(_BASE32.findall(data))}
    coded |= {_from_hex(one) for one in {*_HEX.findall(data), *_HEX_APART.findall(data)}}
    for match in _HEX_LINES.finditer(data):
        if len(match.group().split()[0]) not in _DIGESTS:
            coded.add(_from_hex(match.group()))
    words, pieces, has_unknown = [], [], False
    for content in coded:
        if not is_readable(content):
            has_unknown = has_unknown or len(content) >= LONG
        elif len(content) >= LONG or packing_of(content):
            pieces.append(content)
        else:
            words.append(content)
    return Decoded(b"\n".join(words), tuple(pieces), has_unknown)


def _is_hex(word: bytes) -> bool:
    return _NOT_HEX.search(word) is None


def _from_base64(word: bytes) -> bytes:
    whole = word.translate(bytes.maketrans(b"-_", b"+/"))
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _from_base32(word: bytes) -> bytes:
    whole = word[: len(word) - (len(word) % 8 in _NO_BASE32_ENDS)]
    try:
        return base64.b32decode(whole + b"=" * (-len(whole) % 8))
    except binascii.Error:
        return b""


def _from_hex(word: bytes) -> bytes:
    return binascii.unhexlify(_NOT_HEX.sub(b"", word))


def _without_nuls(data: bytes) -> bytes:
    return data.replace(b"\0", b"")


def _unescape(data: bytes) -> bytes:
    return _ESCAPE.sub(_unescaped, data) if b"\\" in data else data


def _unescaped(match: re.Match[bytes]) -> bytes:
    letter, byte, sign = match.groups()
    if letter:
        return chr(int(letter, 16)).encode("utf-8", "replace")
    if byte:
        return bytes([int(byte, 16)])
    return sign if sign in b'"/\\' else b"\n"


def _without_entities(data: bytes) -> bytes:
    return _ENTITY.sub(_character, data) if b"&#" in data else data


def _character(match: re.Match[bytes]) -> bytes:
    number = int(match[1], 16) if match[1] else int(match[2])
    return chr(number).encode("utf-8", "replace") if number < 0x110000 else b" "


def _without_percents(data: bytes) -> bytes:
    return _PERCENT.sub(lambda match: bytes([int(match[1], 16)]), data) if b"%" in data else data


def _unquoted(data: bytes) -> bytes:
    if b"=" not in data:
        return data
    return _QUOTED.sub(lambda match: bytes([int(match[1], 16)]) if match[1] else b"", data)


def _without_tags(data: bytes) -> bytes:
    return _TAG.sub(b"", data) if b"<" in data else data
