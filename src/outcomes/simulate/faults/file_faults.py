"""Source files that must be refused whole: broken re-exports of records that the ordinary files hold too.

All identifiers in them are invented, from ranges that their issuers keep for examples where there are such ranges.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from outcomes.contract import Refusal


@dataclass(frozen=True)
class FileFault:
    """One file that must be refused, why, and what is in it."""

    name: str
    file: str
    refusal: Refusal
    content: bytes


def file_faults(sessions: pl.DataFrame, episodes: pl.DataFrame, clients: pl.DataFrame) -> tuple[FileFault, ...]:
    """Make the broken files.

    Parameters
    ----------
    sessions, episodes, clients : pl.DataFrame
        Records to be exported badly; at least 30 rows each, of at least 20 clients.
    """
    text = _text(sessions)
    faults = [
        FileFault("UTF-16", "sessions_utf16.csv", Refusal.ENCODING, text.encode("utf-16")),
        FileFault("Windows code page 1252", "sessions_cp1252.csv", Refusal.ENCODING, _cp1252(sessions)),
        FileFault(
            "a quotation mark that is never closed",
            "sessions_open_quote.csv",
            Refusal.UNTERMINATED_QUOTE,
            _open_quote(text).encode(),
        ),
        FileFault(
            "the header of two columns exchanged, sessions",
            "sessions_exchanged.csv",
            Refusal.TOO_MANY_BAD_ROWS,
            _exchanged(text, "session_number", "satisfaction").encode(),
        ),
        FileFault(
            "the header of two columns exchanged, clients",
            "clients_exchanged.csv",
            Refusal.TOO_MANY_BAD_ROWS,
            _exchanged(_text(clients), "age_band", "gender").encode(),
        ),
        FileFault(
            "ratings on a scale of 0 to 100",
            "sessions_percent.csv",
            Refusal.TOO_MANY_BAD_ROWS,
            _text(sessions.with_columns(pl.col("satisfaction", "directiveness") * 10)).encode(),
        ),
        FileFault(
            "decimal commas throughout",
            "sessions_decimal_comma.csv",
            Refusal.TOO_MANY_BAD_ROWS,
            text.replace(",", ";").replace(".", ",").encode(),
        ),
        FileFault("gzip that was cut off", "sessions_cut.csv.gz", Refusal.UNREADABLE, _cut_gzip(text)),
        FileFault("Parquet in name only", "sessions_garbage.parquet", Refusal.UNREADABLE, b"PAR1" + text.encode()),
        FileFault("Parquet that was cut off", "sessions_cut.parquet", Refusal.UNREADABLE, _parquet(sessions)[:-40]),
        FileFault("a name of no kind", "ratings_2024.csv", Refusal.UNKNOWN_KIND, text.encode()),
        FileFault("a name of two kinds", "clients_and_sessions.csv", Refusal.AMBIGUOUS_KIND, text.encode()),
        FileFault(
            "columns that nobody declared",
            "sessions_new_columns.csv",
            Refusal.UNKNOWN_COLUMNS,
            _text(sessions.with_columns(room=pl.lit(4), fee=pl.lit(80))).encode(),
        ),
        FileFault(
            "a needed column is missing",
            "sessions_without_therapist.csv",
            Refusal.MISSING_COLUMNS,
            _text(sessions.drop("therapist_id")).encode(),
        ),
        FileFault(
            "one column name twice",
            "sessions_double_column.csv",
            Refusal.DUPLICATE_COLUMNS,
            text.replace(",alliance,", ",satisfaction,", 1).encode(),
        ),
        FileFault("no byte at all", "sessions_empty.csv", Refusal.EMPTY, b""),
        FileFault("a header and no rows", "episodes_header.csv", Refusal.EMPTY, _text(episodes.clear()).encode()),
        FileFault("fields parted by ^", "sessions_carets.csv", Refusal.DELIMITER, text.replace(",", "^").encode()),
    ]
    return (*faults, *_identifier_columns(sessions, clients), *_identifier_values(sessions, clients))


def _identifier_columns(sessions: pl.DataFrame, clients: pl.DataFrame) -> list[FileFault]:
    """Files with a column that says by its name that it identifies a person or holds free text."""
    born = pl.Series([f"{1950 + place % 50}-0{1 + place % 9}-17" for place in range(clients.height)])
    return [
        FileFault(
            "a column of e-mail addresses",
            "sessions_email_column.csv",
            Refusal.IDENTIFIER_COLUMN,
            _text(sessions.with_columns(client_email=pl.lit("someone@example.org"))).encode(),
        ),
        FileFault(
            "a column of birthdays",
            "clients_birthdays.csv",
            Refusal.IDENTIFIER_COLUMN,
            _text(clients.with_columns(date_of_birth=born)).encode(),
        ),
        FileFault(
            "a column of names",
            "clients_names.csv",
            Refusal.IDENTIFIER_COLUMN,
            _text(clients.with_columns(surname=pl.lit("Beispiel"))).encode(),
        ),
        FileFault(
            "a column of comments",
            "sessions_comments.csv",
            Refusal.FREE_TEXT,
            _text(sessions.with_columns(comments=pl.lit("went well"))).encode(),
        ),
    ]


# File name part -> fault and what stands in place of the client's pseudonym; 07700 900xxx, 999 xxx xxxx and ZZ99 are
# kept for examples by Ofcom, the NHS and the ONS, 078-05-1120 has been void since 1938.
_FALSE_IDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "emails": ("e-mail addresses for client ids", lambda place: f"someone{place}@example.org"),
    "phones": ("phone numbers for client ids", lambda place: f"07700 900{place:03d}"),
    "nhs": ("NHS numbers for client ids", lambda place: _nhs_number(place)),
    "ssn": ("a social security number for client ids", lambda place: "078-05-1120"),
}


def _identifier_values(sessions: pl.DataFrame, clients: pl.DataFrame) -> list[FileFault]:
    """Files whose columns have innocent names and identifying values."""
    ids = sessions["client_id"].unique(maintain_order=True)
    faults = []
    for part, (name, make) in _FALSE_IDS.items():
        false = sessions.with_columns(
            pl.col("client_id").replace_strict(ids, [make(place) for place in range(len(ids))])
        )
        faults.append(FileFault(name, f"sessions_{part}.csv", Refusal.IDENTIFIER_VALUES, _text(false).encode()))
    postcodes = [f"ZZ99 {place % 10}{chr(65 + place // 10 % 20)}Z" for place in range(sessions.height)]
    born = [f"{1950 + place % 50}-0{1 + place % 9}-17" for place in range(clients.height)]
    sentence = pl.format("In session {} she told me that she did not like the homework", "session_number")
    return [
        *faults,
        FileFault(
            "postcodes for practices",
            "sessions_postcodes.csv",
            Refusal.IDENTIFIER_VALUES,
            _text(sessions.with_columns(practice_id=pl.Series(postcodes))).encode(),
        ),
        FileFault(
            "full dates of birth for age bands",
            "clients_born.csv",
            Refusal.IDENTIFIER_VALUES,
            _text(clients.with_columns(age_band=pl.Series(born))).encode(),
        ),
        FileFault(
            "sentences for practices",
            "sessions_sentences.csv",
            Refusal.FREE_TEXT,
            _text(sessions.with_columns(practice_id=sentence)).encode(),
        ),
    ]


def _nhs_number(place: int) -> str:
    """Return the `place`-th valid number of the range 999 000 0000, which the NHS keeps for tests."""
    number = 0
    for candidate in range(999_000_000, 999_100_000):
        digits = [int(digit) for digit in str(candidate)]
        check = 11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11
        if check == 10:
            continue
        if number == place:
            return f"{candidate}{check % 11}"
        number += 1
    raise IndexError(place)


def _text(table: pl.DataFrame) -> str:
    return table.write_csv()


def _cp1252(sessions: pl.DataFrame) -> bytes:
    return _text(sessions.with_columns(practice_id=pl.lit("süd"))).encode("cp1252")


def _open_quote(text: str) -> str:
    lines = text.split("\n")
    place = len(lines) // 3
    cells = lines[place].split(",")
    lines[place] = ",".join([*cells[:3], '"' + cells[3], *cells[4:]])
    return "\n".join(lines)


def _exchanged(text: str, one: str, other: str) -> str:
    header, rows = text.split("\n", 1)
    names = [{one: other, other: one}.get(name, name) for name in header.split(",")]
    return ",".join(names) + "\n" + rows


def _cut_gzip(text: str) -> bytes:
    packed = gzip.compress(text.encode(), mtime=0)
    return packed[: len(packed) * 2 // 3]


def _parquet(table: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.write_parquet(stream)
    return stream.getvalue()
