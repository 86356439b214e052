"""Files that look different and are sound: they must be accepted to the last row."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Variation:
    """One unusual way of writing appointments that is no fault."""

    name: str
    file: str
    write: Callable[[pl.DataFrame], bytes]


def _csv(**options) -> Callable[[pl.DataFrame], bytes]:
    return lambda table: table.write_csv(**options).encode()


def _parquet(table: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.write_parquet(stream)
    return stream.getvalue()


def _ndjson(table: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.write_ndjson(stream)
    return stream.getvalue()


def _shouted(table: pl.DataFrame) -> bytes:
    header, rows = table.write_csv().split("\n", 1)
    return f"{header.upper()}\n{rows}".encode()


def _header_over_two_lines(table: pl.DataFrame) -> bytes:
    """Quote the header; its first cell has a line break behind the name, as spreadsheets export wrapped headers."""
    header, rows = table.write_csv().split("\n", 1)
    first, others = header.split(",", 1)
    return f'"{first}\n",{others}\n{rows}'.encode()


def _other_words(table: pl.DataFrame) -> bytes:
    yes_no = pl.col("attended", "asked_about_guidance").replace({"yes": "1", "no": "0"})
    return table.with_columns(yes_no).write_csv(null_value="-99").encode()


VARIATIONS = (
    Variation("byte order mark", "sessions_bom.csv", lambda table: b"\xef\xbb\xbf" + table.write_csv().encode()),
    Variation("semicolons", "sessions_semicolons.csv", _csv(separator=";")),
    Variation("tabs", "sessions_tabs.csv", _csv(separator="\t")),
    Variation("line ends of Windows", "sessions_crlf.csv", _csv(line_terminator="\r\n")),
    Variation("everything in quotation marks", "sessions_quoted.csv", _csv(quote_style="always")),
    Variation("a line break inside quotation marks", "sessions_line_break.csv", _header_over_two_lines),
    Variation("capital letters in the header", "sessions_capitals.csv", _shouted),
    Variation("1, 0 and -99", "sessions_numbers.csv", _other_words),
    Variation("columns in another order", "sessions_order.csv", lambda table: _csv()(table[:, ::-1])),
    Variation("an optional column left out", "sessions_fewer.csv", lambda table: _csv()(table.drop("empowerment"))),
    Variation("no line end after the last row", "sessions_no_end.csv", lambda table: table.write_csv().encode()[:-1]),
    Variation("gzip", "sessions_packed.csv.gz", lambda table: gzip.compress(table.write_csv().encode(), mtime=0)),
    Variation("Parquet", "sessions_columns.parquet", _parquet),
    Variation("NDJSON", "sessions_lines.ndjson", _ndjson),
)  # fmt: skip
