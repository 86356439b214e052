"""What the columns of a table hold: type, range, share missing. Values of few kinds are kept as codes, no others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import duckdb

from outcomes.landing.formats.source_rows import text_literal
from outcomes.preview.cells import CELLS, FoundTable
from outcomes.study.settings import Source

_SOURCE = Source(pattern="*")
MISSING = tuple(code.lower() for code in _SOURCE.missing)
YES, NO = frozenset(_SOURCE.yes), frozenset(_SOURCE.no)
YES_WORDS = YES | {"ja", "oui", "si", "sí", "attended", "came", "present", "wahr"}
NO_WORDS = NO | {"nein", "non", "no", "missed", "absent", "dna", "did not attend", "no show", "falsch"}
DATE_FORMATS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d.%m.%y",
    "%d/%m/%y", "%d %b %Y", "%d-%b-%Y", "%d%m%Y", "%Y%m%d",
)  # fmt: skip
_STAND_INS = (-9, -99, -999, -9999, 9, 77, 88, 98, 99, 777, 888, 998, 999, 9999)  # often typed for a missing number
_DIFFERENT = 400  # distinct values that are looked at
_MOST_CODES = 12
_LONGEST_CODE = 40
_MOSTLY = 0.9  # share of values that say what a column is; the others are faults
_FIRST = 25  # distinct values that tell which formats are tried
_OTHER_MARK = {",": ".", ".": ","}
_LIKE_A_DATE = re.compile(r"\d{8}$|\d{1,4}[-./ ][\w]{1,9}[-./ ]\d{2,4}")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


class FoundType(StrEnum):
    """What the values of a column look like."""

    EMPTY = "empty"
    WHOLE = "whole numbers"
    NUMBER = "numbers"
    DATE = "dates"
    YES_NO = "yes or no"
    CODE = "codes"
    ID = "ids"
    TEXT = "text"


@dataclass(frozen=True)
class Said:
    """What a file's own data dictionary says of a column: its label, what its codes stand for, its bounds."""

    label: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class FoundColumn:
    """One column of a file.

    Attributes
    ----------
    name : str
    place : int
        From 0, in the file.
    type : FoundType
    missing_share : float
        Share of empty cells, from 0 to 1; the usual codes for missing values count as empty.
    n_different : int
        Different values.
    minimum, maximum : float, optional
        Of the numbers that can be read, without `stand_ins`; None where there are none.
    first, last : str
        Months of the first and the last date.
    date_format : str
        Of dates, that of most; `is_ambiguous` where day and month could be the other way round.
    second_format : str
        Of the other dates, where a tenth or more are written in another way.
    decimal_mark : str
    codes : tuple of (str, int)
        Values of a column of few, with how often each stands there, most frequent first.
    stand_ins : tuple of str
        Numbers far off the others that often stand for a missing value.
    n_strange : int
        Different values that do not fit the type.
    said : Said
        What the file's own dictionary says of it.
    """

    name: str
    place: int
    type: FoundType
    missing_share: float
    n_different: int
    minimum: float | None = None
    maximum: float | None = None
    first: str = ""
    last: str = ""
    date_format: str = ""
    second_format: str = ""
    is_ambiguous: bool = False
    decimal_mark: str = "."
    codes: tuple[tuple[str, int], ...] = ()
    stand_ins: tuple[str, ...] = ()
    n_strange: int = 0
    said: Said = field(default_factory=Said)

    @property
    def fault(self) -> str:
        """What must be mended in the export before landing can read it; '' where nothing must."""
        if not self.second_format:
            return ""
        return f"its dates are in two formats, {self.date_format} and {self.second_format}: write all in one"

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.type in (FoundType.WHOLE, FoundType.NUMBER)

    @property
    def is_yes_no(self) -> bool:
        """Whether it can be read as yes or no, with words of the study file where need be."""
        return bool(self.codes) and all(code.lower() in YES_WORDS | NO_WORDS for code, _ in self.codes)

    @property
    def range(self) -> str:
        """Its range in words; '' where there is none to tell."""
        if self.is_numeric and self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:g}" if self.minimum == self.maximum else f"{self.minimum:g} to {self.maximum:g}"
        if self.first:
            return self.first if self.first == self.last else f"{self.first} to {self.last}"
        if self.type in (FoundType.ID, FoundType.TEXT, FoundType.CODE, FoundType.YES_NO):
            return f"{self.n_different:,} different"
        return ""


def find_columns(con: duckdb.DuckDBPyConnection, table: FoundTable) -> tuple[FoundColumn, ...]:
    """Describe every column of the table of cells."""
    n_rows = con.execute(f"select count(*) from {CELLS}").fetchall()[0][0]
    return tuple(_column(con, place, name, n_rows) for place, name in enumerate(table.header))


def with_said(columns: tuple[FoundColumn, ...], said: dict[str, Said]) -> tuple[FoundColumn, ...]:
    """Give columns what the file's own dictionary says of them."""
    return tuple(replace(one, said=said[one.name]) if one.name in said else one for one in columns)


def _column(con: duckdb.DuckDBPyConnection, place: int, name: str, n_rows: int) -> FoundColumn:
    codes = ", ".join(text_literal(code) for code in MISSING)
    rows = con.execute(
        f"with spelt as (select c{place} as cell, count(*) as n from {CELLS} group by cell), "
        "said as (select trim(cell) as value, sum(n) as n from spelt "
        f"where lower(trim(cell)) not in ({codes}) group by value) "
        f"select value, n, (select count(*) from said), (select sum(n) from said) from said "
        f"order by n desc, value limit {_DIFFERENT}"
    ).fetchall()
    if not rows:
        return FoundColumn(name, place, FoundType.EMPTY, 1.0, 0)
    n_different, n_filled = rows[0][2], int(rows[0][3])
    missing = 1 - n_filled / n_rows
    counts = [(value, int(n)) for value, n, *_ in rows]
    values = [value for value, _ in counts]
    few = _codes(counts, n_different, n_filled)
    if column := _date_column(con, name, place, dict(counts), missing, n_different):
        return column
    numbers = _number_column(con, name, place, values, missing, n_different, few)
    if sum(n for value, n in counts if _NUMBER.fullmatch(value)) >= _MOSTLY * sum(n for _, n in counts):
        return numbers
    type_ = FoundType.TEXT
    if few and all(code.lower() in YES_WORDS | NO_WORDS for code, _ in few):
        type_ = FoundType.YES_NO
    elif few:
        type_ = FoundType.CODE
    elif sum(" " not in value and len(value) <= _LONGEST_CODE for value in values) >= _MOSTLY * len(values):
        type_ = FoundType.ID
    return replace(numbers, type=type_, decimal_mark=".", stand_ins=(), n_strange=0)


def _codes(counts: list[tuple[str, int]], n_different: int, n_filled: int) -> tuple[tuple[str, int], ...]:
    """Return the values where they are few and repeat: then they are codes and not what somebody wrote."""
    if (
        n_different > _MOST_CODES
        or 2 * n_different > n_filled + 2
        or any(len(code) > _LONGEST_CODE for code, _ in counts)
    ):
        return ()
    return tuple(counts)


def _date_column(
    con: duckdb.DuckDBPyConnection, name: str, place: int, counts: dict[str, int], missing: float, n_different: int
) -> FoundColumn | None:
    values = list(counts)
    first_few = values[:_FIRST]
    if not any(_LIKE_A_DATE.match(value) for value in first_few):
        return None
    forms = [form for form in DATE_FORMATS if 2 * len(_days(first_few, form)) >= len(first_few)]
    if not forms:
        return None
    days = {form: _days(values, form) if form in forms else set() for form in DATE_FORMATS}
    form = max(DATE_FORMATS, key=lambda form: sum(counts[value] for value in days[form]))
    others = [value for value in values if value not in days[form]]
    second = ""
    if len(days[form]) < _MOSTLY * len(values):
        others_days = {form: _days(others, form) for form in DATE_FORMATS}
        second = max(DATE_FORMATS, key=lambda form: len(others_days[form]))
        others = [value for value in others if value not in others_days[second]]
        if len(others) > (1 - _MOSTLY) * len(values):
            return None
    cell = f"try_strptime(trim(c{place}), {text_literal(form)})"
    first, last = con.execute(f"select min({cell}), max({cell}) from {CELLS}").fetchall()[0]
    swapped = {"%d/%m/%Y": "%m/%d/%Y", "%m/%d/%Y": "%d/%m/%Y"}.get(form)
    return FoundColumn(
        name, place, FoundType.DATE, missing, n_different, date_format=form, second_format=second,
        is_ambiguous=bool(swapped and len(days[swapped]) == len(days[form])),
        first=f"{first:%Y-%m}" if first else "", last=f"{last:%Y-%m}" if last else "", n_strange=len(others),
    )  # fmt: skip


def _days(values: list[str], form: str) -> set[str]:
    """Return those values that are days in this format."""
    days = set()
    for value in values:
        try:
            day = datetime.strptime(value, form)
        except ValueError:
            continue
        if 1900 <= day.year <= 2100:
            days.add(value)
    return days


def _number_column(
    con: duckdb.DuckDBPyConnection, name: str, place: int, values: list[str], missing: float, n_different: int,
    codes: tuple[tuple[str, int], ...],
) -> FoundColumn:  # fmt: skip
    mark = "," if sum("," in value for value in values) > sum("." in value for value in values) else "."
    readable = [value for value in values if _NUMBER.fullmatch(value) and _OTHER_MARK[mark] not in value]
    if n_different <= len(values) or not readable:
        numbers = sorted({float(value.replace(",", ".")) for value in readable})
    else:
        cell = f"case when not contains(c{place}, '{_OTHER_MARK[mark]}') then replace(trim(c{place}), ',', '.') end"
        found = con.execute(
            f"select distinct number from (select try_cast({cell} as double) as number from {CELLS}) "
            "where number is not null and isfinite(number) and number <> -99 order by number"
        ).fetchall()
        numbers = [number for (number,) in found]
    stand_ins = _stand_ins(numbers)
    kept = [number for number in numbers if number not in stand_ins]
    is_whole = all(number == int(number) for number in numbers)
    return FoundColumn(
        name, place, FoundType.WHOLE if is_whole else FoundType.NUMBER, missing, n_different,
        minimum=min(kept, default=None), maximum=max(kept, default=None), decimal_mark=mark, codes=codes,
        stand_ins=tuple(f"{number:g}" for number in stand_ins), n_strange=len(values) - len(readable),
    )  # fmt: skip


def _stand_ins(numbers: list[float]) -> list[float]:
    """Numbers that often stand for a missing value and lie far off all others."""
    if len(numbers) < 3:
        return []
    found = []
    for number in _STAND_INS:
        others = [other for other in numbers if other not in _STAND_INS]
        if number not in numbers or not others:
            continue
        is_far = number < 0 <= others[0] or (number > 0 and number > 1.7 * others[-1] and others[-1] < 60)
        if is_far:
            found.append(float(number))
    return found
