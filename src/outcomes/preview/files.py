"""From a path to a table of cells: which format it is, told by its bytes more than by its name."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb

from outcomes.contract import Refusal
from outcomes.landing.formats.csv_files import CSV
from outcomes.landing.formats.ndjson_files import NDJSON
from outcomes.landing.formats.parquet_files import PARQUET
from outcomes.landing.formats.registry import PACKED
from outcomes.landing.formats.source_rows import path_literal
from outcomes.landing.refusal import FileRefused
from outcomes.preview.cells import CELLS, FoundTable, named_columns, take_text
from outcomes.preview.layouts import LaidOut, lay_out, may_be_export
from outcomes.preview.text_files import Text, read_delimited, read_text
from outcomes.store.warehouse import quoted

_SIGNS = (
    (b"PAR1", "parquet"), (b"PK\x03\x04", "zip"), (b"$FL2", "spss"), (b"$FL3", "spss"), (b"%PDF", "PDF"),
    (b"SQLite format", "SQLite"), (b"\xd0\xcf\x11\xe0", "old Excel"), (b"\x89PNG", "picture"),
    (b"<stata_dta>", "Stata"), (b"\xff\xd8\xff", "picture"), (b"\x7fELF", "program"),
)  # fmt: skip
_ENCODINGS = {"UTF-16": "utf-16", "Windows-1252": "windows-1252", "Latin-1": "latin-1"}
_ENDINGS = {"text": CSV.suffixes, "Parquet": PARQUET.suffixes, "NDJSON": NDJSON.suffixes}
_SAMPLED_ROWS = 50_000
_JSON = (".json", *NDJSON.suffixes)
_LOOKED_AT = 65_536  # bytes
_WORDS = {
    "zip": "an Excel workbook or a zip archive",
    "spss": "an SPSS file",
    "old Excel": "an old Excel workbook (.xls)",
}


def read_file(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> FoundTable:
    """Read a file into the table of cells.

    Raises
    ------
    FileRefused
        If it cannot be read, with what to do.
    OSError
        If the system does not give it.
    """
    with path.open("rb") as stream:
        start = stream.read(64)
    is_packed = start.startswith(b"\x1f\x8b")
    form = next((form for sign, form in _SIGNS if start.startswith(sign)), "")
    if form == "parquet":
        return _parquet(con, path)
    if form:
        raise FileRefused(
            Refusal.UNREADABLE, f"the file is {_WORDS.get(form, f'a {form} file')}, not a table that is read as it is",
            "save its table as CSV (UTF-8)",
        )  # fmt: skip
    text = read_text(path, is_packed)
    name = path.name.lower().removesuffix(PACKED)
    if text.body.lstrip().startswith(("{", "[")):
        return _json(con, text, scratch)
    if name.endswith(".parquet"):
        raise FileRefused(Refusal.UNREADABLE, "the file is not Parquet, though its name says so", "export it again")
    return read_delimited(con, text, scratch)


def read_any(
    con: duckdb.DuckDBPyConnection, path: Path, scratch: Path, beside: Sequence[Path], sheet: str = ""
) -> LaidOut:
    """Read a file; what looks like the export of another system is laid out first.

    Parameters
    ----------
    beside : sequence of Path
        Other files that were given, among which a data dictionary may be.
    sheet : str
        Of a workbook that has several.

    Raises
    ------
    FileRefused
        If it cannot be read, with what to do.
    OSError
        If the system does not give it.
    """
    with path.open("rb") as stream:
        is_workbook = stream.read(4) in (b"PK\x03\x04", b"$FL2", b"$FL3")
    table = None if is_workbook or _is_fhir(path) else _with_ending(read_file(con, path, scratch), path)
    encoding = _ENCODINGS.get(table.encoding.partition(" ")[0], "") if table else ""
    if table is None or may_be_export(table.header):
        return lay_out(con, path, scratch, beside, table, sheet=sheet, encoding=encoding)
    return LaidOut(table, (f"encoding = {json.dumps(encoding)}",) if encoding else ())


def can_be_flat(path: Path) -> bool:
    """Say by the ending of its name whether a table can be read as several kinds: text, a workbook, an SPSS file."""
    return _ending(path) not in (*PARQUET.suffixes, *NDJSON.suffixes)


def is_text(path: Path) -> bool:
    """Say by the ending of its name whether landing reads a file as delimited text."""
    return _ending(path) in CSV.suffixes


def _ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(PACKED)).suffix


def _is_fhir(path: Path) -> bool:
    """Say cheaply whether a file may hold FHIR's answered questionnaires; the layout then looks closer."""
    if path.suffix.lower() not in _JSON:
        return False
    with path.open("rb") as stream:
        start = stream.read(_LOOKED_AT)
    return b'"resourceType"' in start and b"QuestionnaireResponse" in start


def _with_ending(table: FoundTable, path: Path) -> FoundTable:
    """Say so where the name's ending is not that of the format: landing tells formats by it."""
    ending = _ending(path)
    usual = _ENDINGS[table.form]
    if ending in usual:
        return table
    return table.noting(
        f"Its name ends in {ending or 'nothing'}, but it is {table.form}: call it {usual[0]} to land it."
    )


def _parquet(con: duckdb.DuckDBPyConnection, path: Path) -> FoundTable:
    file = path_literal(path)
    try:
        described = con.execute(f"describe select * from read_parquet({file}, file_row_number = false)").fetchall()
        n_rows = con.execute(f"select sum(num_rows) from parquet_file_metadata({file})").fetchall()[0][0] or 0
        columns = ", ".join(f"{_as_text(*row[:2])} as c{place}" for place, row in enumerate(described))
        con.execute(
            f"create or replace temp table {CELLS} as select {columns} from read_parquet({file}) limit {_SAMPLED_ROWS}"
        )
    except duckdb.Error:
        raise FileRefused(
            Refusal.UNREADABLE, "the file cannot be read as Parquet", "write it again; it may be cut off or damaged"
        ) from None
    if not n_rows:
        raise FileRefused(Refusal.EMPTY, "the file has no rows", "export it again, with its rows")
    is_sample = n_rows > _SAMPLED_ROWS
    return FoundTable(
        "Parquet", named_columns([row[0] for row in described]), min(n_rows, _SAMPLED_ROWS), n_rows, is_sample=is_sample
    )


def _as_text(name: str, sql_type: str) -> str:
    """Write a cell as text; a date is a day, as landing takes it."""
    return f"{quoted(name)}{'::date' if sql_type.startswith('TIMESTAMP') else ''}::varchar"


def _json(con: duckdb.DuckDBPyConnection, text: Text, scratch: Path) -> FoundTable:
    """Read one object a line as rows; what is one object or a list over many lines is another format."""
    rows, n_malformed = _objects(text.body)
    if any("resourceType" in row for row in rows):
        raise FileRefused(
            Refusal.UNREADABLE, "the file holds FHIR resources, which are not read as they are",
            "export the answers as a table, one row an answered questionnaire",
        )  # fmt: skip
    if not rows:
        raise FileRefused(
            Refusal.UNREADABLE, "the file is JSON, but not one object a line (NDJSON)", "write one object per line"
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    target = scratch / "objects.csv"
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    take_text(con, target, scratch, body_start=0, delimiter=",", n_columns=len(names))
    nested = sorted({name for row in rows for name, value in row.items() if isinstance(value, dict | list)})
    notes = (f"Objects or lists stand in: {', '.join(nested)}; landing refuses these.",) if nested else ()
    n_rows = len(rows) + n_malformed
    about = round(n_rows * text.size / max(1, len(text.body.encode()))) if text.is_sample else n_rows
    return FoundTable(
        "NDJSON", named_columns(names), n_rows, about, text.encoding, is_sample=text.is_sample,
        n_malformed=n_malformed, notes=notes,
    )  # fmt: skip


def _objects(body: str) -> tuple[list[dict], int]:
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict):
        return [whole], 0
    if isinstance(whole, list):
        return ([], 0) if not all(isinstance(row, dict) and "resourceType" in row for row in whole) else (whole, 0)
    rows, n_malformed = [], 0
    for line in body.split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            n_malformed += 1
    return rows, n_malformed


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
