"""Which columns seem to point at persons: the column and the kind of identifier, never a value."""

from __future__ import annotations

from datetime import datetime

import duckdb

from outcomes.landing.identifiers.column_names import is_free_text_name, is_identifying_name
from outcomes.landing.identifiers.numbers import BIRTH
from outcomes.landing.identifiers.patterns import FREE_TEXT, LONGEST_SEARCHED, SAMPLE, sightings
from outcomes.landing.rules.cells import EARLIEST_DATE
from outcomes.preview.cells import CELLS
from outcomes.preview.columns import FoundColumn, FoundType

BY_NAME = "a name that says so"
_SEARCHED = 2000  # distinct values of a column
_SHORT_NUMBER = 10_000_000  # smaller numbers are pseudonyms or ratings
_OLD_SHARE = 0.2  # of dates before records began: more are birthdays


def identifying(
    con: duckdb.DuckDBPyConnection, found: tuple[FoundColumn, ...], ids: frozenset[str], dates: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """Return the kinds of identifiers that columns seem to hold, by column.

    Parameters
    ----------
    ids : frozenset of str
        Names of the columns that would become ids.
    dates : frozenset of str
        Names of those that would become dates: full dates are what belongs there.
    """
    kinds = {
        column.name: _kinds(con, column, is_id=column.name in ids, is_date=column.name in dates) for column in found
    }
    return {name: found_kinds for name, found_kinds in kinds.items() if found_kinds}


def _kinds(con: duckdb.DuckDBPyConnection, column: FoundColumn, *, is_id: bool, is_date: bool) -> tuple[str, ...]:
    kinds = []
    if is_identifying_name(column.name):
        kinds.append(BY_NAME)
    if is_free_text_name(column.name):
        kinds.append(FREE_TEXT)
    if column.type is FoundType.EMPTY or (column.is_numeric and (column.maximum or 0) < _SHORT_NUMBER and not is_id):
        return tuple(kinds)
    rows = con.execute(
        f"select distinct trim(c{column.place}) as value from {CELLS} where trim(c{column.place}) <> '' "
        f"order by hash(value) limit {_SEARCHED}"
    ).fetchall()
    values = [value[:LONGEST_SEARCHED] for (value,) in rows]
    if column.type is FoundType.DATE:
        return (*kinds, BIRTH) if _are_birthdays(values, column.date_format) else tuple(kinds)
    seen = sightings(values, len(values), is_id=is_id, is_date=is_date, sample=values[:SAMPLE])
    return tuple(dict.fromkeys([*kinds, *(sighting.pattern for sighting in seen)]))


def _are_birthdays(values: list[str], date_format: str) -> bool:
    old = n_days = 0
    for value in values:
        try:
            day = datetime.strptime(value, date_format).date()
        except ValueError:
            continue
        n_days += 1
        old += day < EARLIEST_DATE
    return n_days > 0 and old >= max(2, _OLD_SHARE * n_days)
