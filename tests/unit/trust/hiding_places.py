"""Where an id may stand below a study: one function a place; it is given a folder of the study and the id."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import os
import pickle
import quopri
import secrets
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

Hide = Callable[[Path, str], object]
FILLER = "".join(f"{number},therapist,{number * 7 % 11}\n" for number in range(400))


def note(one: str) -> bytes:
    return f"{FILLER}called {one} twice\n{FILLER}".encode()


def text(name: str, made: Callable[[str], str | bytes]) -> Hide:
    def hide(folder: Path, one: str) -> None:
        content = made(one)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return hide


def zipped(made: Callable[[zipfile.ZipFile, str], object]) -> Callable[[str], bytes]:
    def content(one: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            made(archive, one)
        return out.getvalue()

    return content


def encrypted_zip(one: str) -> bytes:
    """An archive whose member says that it is encrypted, as password-protected ones do."""
    content = bytearray(zipped(lambda archive, one: archive.writestr("a.txt", secrets.token_bytes(200)))(one))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def tarred(mode: str) -> Callable[[str], bytes]:
    def content(one: str) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:
            member = tarfile.TarInfo("letters/one.txt")
            member.size = len(note(one))
            archive.addfile(member, io.BytesIO(note(one)))
        return out.getvalue()

    return content


def raw_deflate(one: str) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(note(one)) + packer.flush()


def gzip_with_name(one: str) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(f"{one}.csv", "wb", fileobj=out) as packed:
        packed.write(FILLER.encode())
    return out.getvalue()


def times(n: int, pack: Callable[[bytes], bytes], content: bytes) -> bytes:
    for _ in range(n):
        content = pack(content)
    return content


def parquet(column: Callable[[str], pa.Array], name: str = "note", metadata: bool = False) -> Hide:
    def hide(folder: Path, one: str) -> None:
        table = pa.table({name.format(one=one): column(one), "n": pa.array(range(len(column(one))))})
        if metadata:
            table = table.replace_schema_metadata({"remark": f"asked by client_{one}"})
        pyarrow.parquet.write_table(table, folder / "kept.parquet")

    return hide


def database(*statements: str) -> Hide:
    def hide(folder: Path, one: str) -> None:
        with duckdb.connect(str(folder / "kept.duckdb")) as con:
            for statement in statements:
                con.execute(statement.format(one=one))

    return hide


def packed_blob(folder: Path, one: str) -> None:
    with duckdb.connect(str(folder / "kept.duckdb")) as con:
        con.execute("create table t (x blob)")
        con.execute("insert into t values (?)", [zlib.compress(note(one))])


def sqlite(folder: Path, one: str) -> None:
    with sqlite3.connect(folder / "kept.sqlite") as con:
        con.execute("create table t (a text, b text)")
        con.execute("insert into t values ('anna', ?)", [one])
    con.close()


def linked(folder: Path, one: str) -> None:
    (folder / "latest").symlink_to(f"/nowhere/{one}/letter.txt")


def attribute(folder: Path, one: str) -> None:
    (folder / "plain.txt").write_text("nothing")
    os.setxattr(folder / "plain.txt", "user.comment", one.encode())


def unreadable(folder: Path, one: str) -> None:
    (folder / "closed.txt").write_text(one)
    (folder / "closed.txt").chmod(0)


WORD_RUNS = "<w:p><w:r><w:t>{}</w:t></w:r><w:r><w:rPr/><w:t>{}</w:t></w:r></w:p>"
PLACES: dict[str, Hide] = {
    # text
    "a word after an underscore": text("notes.txt", lambda one: f"call client_{one} back"),
    "a word before an underscore": text("notes.txt", lambda one: f"see {one}_second_half"),
    "between hyphens": text("notes.txt", lambda one: f"file-{one}-copy"),
    "capitals": text("notes.txt", lambda one: one.upper()),
    "after a line end in JSON": text("a.json", lambda one: json.dumps({"note": f"called\n{one}"})),
    "escapes in JSON": text("a.json", lambda one: '{"note": "' + "".join(f"\\u{ord(x):04x}" for x in one) + '"}'),
    "entities": text("a.html", lambda one: "".join(f"&#{ord(x)};" for x in html.escape(one))),
    "percent signs": text("a.txt", lambda one: "q=" + "".join(f"%{ord(x):02X}" for x in one)),
    "after a coded blank": text("a.txt", lambda one: f"q=client%20{one}"),
    "quoted-printable": text("a.eml", lambda one: quopri.encodestring(("x" * 71 + " " + one).encode())),
    "UTF-16 without a mark": text("a.txt", lambda one: f"client {one} left".encode("utf-16-le")),
    "UTF-16 with a mark": text("a.txt", lambda one: b"\xfe\xff" + f"client {one} left".encode("utf-16-be")),
    "UTF-32": text("a.txt", lambda one: f"client {one} left".encode("utf-32")),
    "text runs of a letter": text("a.xml", lambda one: WORD_RUNS.format(one[:3], one[3:])),
    "base64": text("a.txt", lambda one: base64.b64encode(f"client {one}".encode())),
    "base64 in JSON": text("a.json", lambda one: json.dumps({"x": base64.b64encode(one.encode()).decode()})),
    "base64 for addresses": text("a.txt", lambda one: base64.urlsafe_b64encode(f"?>~{one}".encode()).rstrip(b"=")),
    "base64 of a mail": text("a.eml", lambda one: b"Subject: x\r\n\r\n" + base64.encodebytes(note(one))),
    "base64 twice": text("a.txt", lambda one: times(2, base64.b64encode, f"client {one}".encode())),
    "base64 of gzip": text("a.json", lambda one: json.dumps(base64.b64encode(gzip.compress(note(one))).decode())),
    "base64 of UTF-16": text("a.ps1", lambda one: base64.b64encode(f"client {one}".encode("utf-16-le"))),
    "base64 of something encrypted": text("a.txt", lambda one: base64.encodebytes(secrets.token_bytes(4000))),
    "base32": text("a.txt", lambda one: base64.b32encode(f"client {one}".encode())),
    "hex": text("a.txt", lambda one: f"client {one}".encode().hex()),
    "hex in capitals with blanks": text("a.txt", lambda one: f"client {one}".encode().hex(" ").upper()),
    "hex escapes": text("a.py", lambda one: "".join(f"\\x{ord(x):02x}" for x in one)),
    # names
    "the name of a file": lambda folder, one: (folder / f"sessions_{one}_extra.txt").write_text("x"),
    "the name of an empty folder": lambda folder, one: (folder / f"of {one}").mkdir(),
    "the name of a hidden file": lambda folder, one: (folder / f".{one}").write_text("x"),
    "the target of a link": linked,
    "the name of our own lock, elsewhere": text(".lock", lambda one: one),
    "an extended attribute": attribute,
    "a file that may not be read": unreadable,
    # packed
    "gzip": text("a.txt", lambda one: gzip.compress(note(one))),
    "gzip twice": text("a.gz", lambda one: times(2, gzip.compress, note(one))),
    "gzip forty times": text("a.gz", lambda one: times(40, gzip.compress, note(one))),
    "the second part of gzip": text("a.gz", lambda one: gzip.compress(b"x") + gzip.compress(note(one))),
    "the name in gzip": text("a.gz", gzip_with_name),
    "after the end of gzip": text("a.gz", lambda one: gzip.compress(b"x") + one.encode()),
    "zlib": text("a.bin", lambda one: zlib.compress(note(one))),
    "raw deflate": text("a.bin", raw_deflate),
    "bzip2": text("a.bin", lambda one: bz2.compress(note(one))),
    "xz": text("a.bin", lambda one: lzma.compress(note(one))),
    "lzma": text("a.bin", lambda one: lzma.compress(note(one), format=lzma.FORMAT_ALONE)),
    "zstd": text("a.bin", lambda one: pa.compress(note(one), codec="zstd", asbytes=True)),
    "brotli": text("a.bin", lambda one: pa.compress(note(one), codec="brotli", asbytes=True)),
    "zip": text("a.zip", zipped(lambda archive, one: archive.writestr("a.txt", note(one)))),
    "a name in zip": text("a.zip", zipped(lambda archive, one: archive.writestr(f"{one}.txt", "x"))),
    "a remark in zip": text("a.zip", zipped(lambda archive, one: setattr(archive, "comment", one.encode()))),
    "zip in zip": text(
        "a.zip", zipped(lambda archive, one: archive.writestr("b.zip", zipped(
            lambda inner, one: inner.writestr("a.txt", note(one)))(one))),
    ),
    "encrypted zip": text("a.zip", encrypted_zip),
    "a letter": text("a.docx", zipped(
        lambda archive, one: archive.writestr("word/document.xml", WORD_RUNS.format(one[:3], one[3:])))),
    "zlib inside other bytes": text("a.bin", lambda one: b"\0\1\2head" + zlib.compress(note(one)) + b"\3\4tail"),
    "tar": text("a.tar", tarred("w")),
    "tar.gz": text("a.tgz", tarred("w:gz")),
    "7z": text("a.7z", lambda one: b"7z\xbc\xaf\x27\x1c" + secrets.token_bytes(300)),
    # tables
    "a word of a Parquet column": parquet(lambda one: pa.array([f"client_{one}", "x"])),
    "a Parquet BLOB": parquet(lambda one: pa.array([f"client {one}".encode()])),
    "gzip in a Parquet BLOB": parquet(lambda one: pa.array([gzip.compress(note(one))])),
    "something encrypted in a Parquet BLOB": parquet(lambda one: pa.array([secrets.token_bytes(400)])),
    "a Parquet struct": parquet(lambda one: pa.array([{"who": f"client_{one}"}])),
    "a Parquet list": parquet(lambda one: pa.array([["x", one]])),
    "a Parquet map": parquet(lambda one: pa.array([[(one, 1)]], type=pa.map_(pa.string(), pa.int64()))),
    "a BLOB in a Parquet struct": parquet(lambda one: pa.array([{"who": gzip.compress(note(one))}])),
    "base64 in a Parquet column": parquet(lambda one: pa.array([base64.b64encode(note(one)).decode()])),
    "metadata of a Parquet file": parquet(lambda one: pa.array(["x"]), metadata=True),
    "a Parquet column's name": parquet(lambda one: pa.array(["x"]), name="answers of {one}"),
    "Parquet in zip": text("a.zip", zipped(lambda archive, one: archive.writestr("a.parquet", parquet_bytes(one)))),
    "a DuckDB BLOB": database("create table t as select 'client_{one}'::blob as x"),
    "zlib in a DuckDB BLOB": packed_blob,
    "a DuckDB struct": database("create table t as select {{'who': ['{one}']}} as x"),
    "a DuckDB comment": database("create table t (x int)", "comment on column t.x is 'as client_{one} said'"),
    "a DuckDB view": database("create table t (x int)", "create view v as select * from t where x::varchar = '{one}'"),
    "a DuckDB enum": database("create type who as enum ('a', '{one}')"),
    "a DuckDB macro": database("create macro who() as '{one}'"),
    "a DuckDB schema": database('create schema "of {one}"', 'create table "of {one}".t (x int)'),
    "a row of another DuckDB schema": database("create schema s", "create table s.t as select 'c {one}' as x"),
    "SQLite": sqlite,
    "Feather": lambda folder, one: pyarrow.feather.write_feather(pa.table({"x": [one] * 99}), folder / "a.feather"),
    "a pickle": text("a.pkl", lambda one: pickle.dumps({"x": [one, 1, 2.5]})),
    "a NumPy file": lambda folder, one: np.save(folder / "a.npy", np.array([one, "x"])),
    # what nobody can look into
    "a PDF": text("a.pdf", lambda one: b"%PDF-1.7\nstream\n" + zlib.compress(one.encode()) + b"\nendstream"),
    "a picture": text("a.png", lambda one: b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(500)),
    "something encrypted": text("a.age", lambda one: b"age-encryption.org/v1\n-> X\n" + secrets.token_bytes(300)),
}  # fmt: skip


def parquet_bytes(one: str) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"x": [f"client_{one}"]}), out)
    return out.getvalue()
