"""The last look before anything is kept: no value that points at a person may pass, landed or quarantined."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import duckdb

from outcomes.contract import Refusal, ValueType
from outcomes.landing.formats.source_rows import text_literal
from outcomes.landing.identifiers.numbers import BIRTH, TIGHT_FORMS, Sighting
from outcomes.landing.identifiers.patterns import (
    FREE_TEXT,
    LONGEST_SEARCHED,
    MIXED_VALUE,
    SAFE_VALUE,
    SAMPLE,
    sightings,
)
from outcomes.landing.refusal import FileRefused, counted
from outcomes.landing.rules.cells import EARLIEST_DATE
from outcomes.landing.rules.columns import ColumnPlan, PlannedColumn

MISALIGNED = "rows that do not fit the header"
_OLD_DATES = 5  # distinct days; fewer are slips
_OLD_DATES_SHARE = 0.2  # a column with more dates before EARLIEST_DATE holds birthdays rather than slips


def refuse_identifying_values(
    con: duckdb.DuckDBPyConnection, plan: ColumnPlan, broken_cells: dict[str, set[str]], n_rows: int
) -> None:
    """Search the ids of all rows and every cell of broken rows.

    Parameters
    ----------
    broken_cells : dict of str to set of str
        Distinct texts of broken rows by the file's column name; misaligned rows under `MISALIGNED`.
    n_rows : int
        Records of the file, the base of shares in columns that are not ids.

    Raises
    ------
    FileRefused
        With columns, kinds of identifiers and counts; never a value.
    """
    seen: dict[str, list[Sighting]] = defaultdict(list)
    by_name = {planned.source_name: planned for planned in plan.columns if planned.place is not None}
    ids = [planned.column.name for planned in by_name.values() if planned.column.type is ValueType.IDENTIFIER]
    searched = searched_ids(con, ids) if ids else {}
    for planned in by_name.values():
        of_ids = searched.get(planned.column.name, SearchedIds(n_rows))
        values = of_ids.unsafe | broken_cells.get(planned.source_name, set())
        seen[planned.source_name] += sightings(
            (value[:LONGEST_SEARCHED] for value in values), of_ids.n_values,
            is_id=planned.column.type is ValueType.IDENTIFIER,
            is_date=planned.column.type is ValueType.DATE,
            is_place=planned.column.name == "practice_id",
            sample=of_ids.sample,
        )  # fmt: skip
        if planned.column.type is ValueType.DATE:
            seen[planned.source_name] += _old_dates(con, planned, plan, values)
    seen[MISALIGNED] += sightings(broken_cells.get(MISALIGNED, ()), n_rows, is_date=True)
    found = [(column, sighting) for column, list_ in seen.items() for sighting in list_]
    if found:
        raise _refusal(found, plan)


def _refusal(found: list[tuple[str, Sighting]], plan: ColumnPlan) -> FileRefused:
    refusal = (
        Refusal.FREE_TEXT if all(sighting.pattern == FREE_TEXT for _, sighting in found) else Refusal.IDENTIFIER_VALUES
    )
    sentences = "; ".join(
        f"{column}: {counted(sighting.count, 'value looks', 'values look')} like {sighting.pattern}"
        for column, sighting in found
    )
    return FileRefused(
        refusal,
        f"{counted(len({column for column, _ in found}), 'column seems', 'columns seem')} to point at persons "
        f"or to hold free text ({sentences})",
        f"replace these values by pseudonyms before the export, or list the column under drop in [sources.{plan.kind}]",
    )


@dataclass(frozen=True)
class SearchedIds:
    """What is searched of one id column: the number of distinct ids, those not plainly pseudonyms, a sample of all."""

    n_values: int = 0
    unsafe: frozenset[str] = frozenset()
    sample: tuple[str, ...] = ()


def searched_ids(con: duckdb.DuckDBPyConnection, columns: list[str]) -> dict[str, SearchedIds]:
    """Return for each id column the distinct ids that do not have the form of a pseudonym, and a sample by hash."""
    fits = f"regexp_full_match(value, {text_literal(SAFE_VALUE)})"
    is_mixed = " and ".join(f"regexp_full_match(value, {text_literal(pattern)})" for pattern in MIXED_VALUE)
    is_carried = f"regexp_full_match(value, {text_literal(TIGHT_FORMS)})"
    ids = " union all ".join(
        f"select distinct '{name}' as name, v_{name} as value from typed where v_{name} is not null" for name in columns
    )
    is_unsafe = f"{is_carried} or not ({fits} or ({is_mixed}))"
    found = con.execute(
        f"select name, count(*), list(value order by value) filter ({is_unsafe}), min_by(value, hash(value), {SAMPLE}) "
        f"from ({ids}) group by name"
    ).fetchall()
    return {name: SearchedIds() for name in columns} | {
        name: SearchedIds(n, frozenset(unsafe or ()), tuple(value[:LONGEST_SEARCHED] for value in sample))
        for name, n, unsafe, sample in found
    }


def _old_dates(
    con: duckdb.DuckDBPyConnection, planned: PlannedColumn, plan: ColumnPlan, texts: set[str]
) -> list[Sighting]:
    """Tell birthdays in a column that is declared as dates by the share that lies before `EARLIEST_DATE`."""
    old = sum(1 for text in texts if _is_before_records_began(text, plan.source.date_format))
    if old < _OLD_DATES:
        return []
    n_plausible = con.execute(f"select count(distinct v_{planned.column.name}) from typed").fetchall()[0][0]
    return [Sighting(BIRTH, old)] if old >= (old + n_plausible) * _OLD_DATES_SHARE else []


def _is_before_records_began(text: str, date_format: str) -> bool:
    try:
        return datetime.strptime(text.strip(), date_format).date() < EARLIEST_DATE
    except ValueError:
        return False
