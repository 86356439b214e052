"""Text in another encoding than UTF-8, where the study declares it: read as UTF-8 and written back as it was."""

from __future__ import annotations

import codecs
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outcomes.contract import Refusal
from outcomes.landing.refusal import FileRefused
from outcomes.study.tables.layouts import Encoding

_PART = 4_000_000  # bytes that are decoded at a time
_BOMS = {Encoding.UTF_16: (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)}
_CODECS = {
    Encoding.UTF_8: "utf-8", Encoding.UTF_16: "utf-16", Encoding.WINDOWS_1252: "cp1252", Encoding.LATIN_1: "latin-1",
}  # fmt: skip


def as_utf8(content: Path, scratch: Path, encoding: Encoding) -> Path:
    """Return a file with the text as UTF-8: the file itself, or a copy in a scratch folder.

    Raises
    ------
    FileRefused
        If it is not in the declared encoding; with the line of the first strange byte.
    """
    if encoding is Encoding.UTF_8:
        return content
    with content.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return content  # it says itself that it is UTF-8
    if encoding is Encoding.UTF_16 and not start.startswith(_BOMS[encoding]):
        raise _not_as_declared(encoding, 1, "it has no byte order mark of UTF-16")
    if encoding is not Encoding.UTF_16 and b"\0" in start:
        raise _not_as_declared(encoding, 1, "it looks like UTF-16")
    decoder, target, line = codecs.getincrementaldecoder(_CODECS[encoding])(), scratch / "as_utf8.txt", 1
    with content.open("rb") as source, target.open("wb") as copy:
        while True:
            part = source.read(_PART)
            try:
                text = decoder.decode(part, final=not part)
            except UnicodeDecodeError as broken:
                line += broken.object[: broken.start].count(b"\n")
                raise _not_as_declared(encoding, line, "a byte stands for no letter") from None
            line += text.count("\n")
            copy.write(text.encode("utf-8"))
            if not part:
                return target


@contextmanager
def decoded(content: Path, encoding: Encoding) -> Iterator[Path]:
    """Offer a file's text as UTF-8 for a while; a copy lies in a temporary folder, never beside the source."""
    if encoding is Encoding.UTF_8:
        yield content
        return
    with tempfile.TemporaryDirectory(prefix="outcomes-") as folder:
        yield as_utf8(content, Path(folder), encoding)


def back_from_utf8(rewritten: Path, target: Path, original: Path | None, encoding: Encoding) -> None:
    """Write a UTF-8 text as it was encoded before; `original` is the file before, None where it was UTF-8."""
    if original is None:
        shutil.copyfile(rewritten, target)
        return
    codec = _CODECS[encoding]
    with original.open("rb") as stream:
        start = stream.read(2)
    if encoding is Encoding.UTF_16:
        codec = "utf-16-le" if start == codecs.BOM_UTF16_LE else "utf-16-be"
    with rewritten.open("r", encoding="utf-8", newline="") as source, target.open("wb") as out:
        if encoding is Encoding.UTF_16:
            out.write(start)
        while part := source.read(_PART):
            out.write(part.encode(codec))


def _not_as_declared(encoding: Encoding, line: int, what: str) -> FileRefused:
    return FileRefused(
        Refusal.ENCODING,
        f"the study declares {encoding} for this file, but on line {line:,} {what}",
        "correct encoding in [sources] of study.toml, or save the file as UTF-8 and leave encoding out",
    )
