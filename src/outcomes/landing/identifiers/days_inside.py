"""Days and years of birth inside codes that practices make themselves: `JS19840312`, `120384-A`, `Smith1984`.

Days of sessions stand in ids too. Those of birth are told by their years: some lie before the records of studies
begin. Codes of a study of children only pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outcomes.landing.identifiers.chance import SEVERAL, SHARE
from outcomes.landing.identifiers.check_digits import is_day
from outcomes.landing.identifiers.numbers import Sighting

BORN = "days or years of birth inside codes"

_RECORDS_BEGAN = 1980
_SHARE_BEFORE = 0.15  # of the days found; days of sessions have next to none
_EARLIEST = 1915
_LATEST = 2029  # two digits 00 to 29 are of this century
_SMALL = 10  # among fewer values all must be days
_LETTERS = 0.2  # share of different letters among codes with a year; one prefix and a year is the study's own

# Where a day may stand, and the orders of its parts.
_PLACES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(?<!\d)(\d{4})[-./_](\d{1,2})[-./_](\d{1,2})(?!\d)"), ("ymd",)),
    (re.compile(r"(?<!\d)(\d{1,2})[-./_](\d{1,2})[-./_](\d{4})(?!\d)"), ("dmy", "mdy")),
    (re.compile(r"(?<!\d)(\d\d)[-./_](\d\d)[-./_](\d\d)(?!\d)"), ("dmy", "mdy", "ymd")),
    (re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?=\D|$|\d{1,3}$)"), ("ymd",)),
    (re.compile(r"(?<!\d)(\d\d)(\d\d)(\d{4})(?=\D|$|\d{1,3}$)"), ("dmy", "mdy")),
    (re.compile(r"(?<!\d)(\d\d)(\d\d)(\d\d)(?!\d)"), ("dmy", "ymd", "mdy")),
    (re.compile(r"(?<!\d)\d?(\d\d)(\d\d)(\d\d)(?=[-/ ]?\d{4,5}(?!\d))"), ("dmy", "ymd")),
    (re.compile(r"(?<!\d)\d{6}(\d{4})(\d\d)(\d\d)\d{3}[\dX]"), ("ymd",)),
)
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_MONTH_AND_YEAR = re.compile(r"(?:0?[1-9]|1[0-2])[/.](\d{4})")


def born(values: Sequence[str]) -> list[Sighting]:
    """Find days and years of birth in the distinct values of one column that is not one of dates."""
    count = max(_days(values), _years(values), _months(values))
    return [Sighting(BORN, count)] if count else []


def _days(values: Sequence[str]) -> int:
    most = 0
    for place, orders in _PLACES:
        shaped = [match.groups() for match in map(place.search, values) if match]
        for order in orders:
            most = max(most, _if_of_birth(len(shaped), [year for parts in shaped if (year := _year(parts, order))]))
    return most


def _year(parts: tuple[str, ...], order: str) -> int | None:
    day, month, year = (parts[order.index(sign)] for sign in "dmy")
    if not is_day(day, month, year):
        return None
    if len(year) == 2:
        return 2000 + int(year) if 2000 + int(year) <= _LATEST else 1900 + int(year)
    return int(year) if _EARLIEST <= int(year) <= _LATEST else None


def _years(values: Sequence[str]) -> int:
    """Find years beside letters that differ from code to code, as initials and names do."""
    shaped = [(value, match) for value in values if (match := _YEAR.search(value))]
    letters = {re.sub(r"[\W\d_]", "", value) for value, _ in shaped} - {""}
    if len(letters) < max(SEVERAL, len(shaped) * _LETTERS):
        return 0
    return _if_of_birth(len(shaped), [int(match[1]) for _, match in shaped if _EARLIEST <= int(match[1]) <= _LATEST])


def _months(values: Sequence[str]) -> int:
    shaped = [int(match[1]) for match in map(_MONTH_AND_YEAR.fullmatch, values) if match]
    return _if_of_birth(len(shaped), [year for year in shaped if _EARLIEST <= year <= _LATEST])


def _if_of_birth(n: int, years: list[int]) -> int:
    if len(years) < SEVERAL or len(years) < n * (SHARE if n >= _SMALL else 1):
        return 0
    before = sum(year < _RECORDS_BEGAN for year in years)
    return len(years) if before >= max(1, len(years) * _SHARE_BEFORE) else 0
