"""Wide files: one row a client, sessions side by side, told by a pattern in the mapping of the study.

[sources.sessions.columns]
satisfaction = "satisfaction_{session_number}"
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.opened import opening
from outcomes.landing.layouts.opened.looking import first_rows
from outcomes.landing.layouts.plain import own_columns
from outcomes.landing.refusal import FileRefused, listed
from outcomes.landing.rules.columns import normal
from outcomes.study.tables.layouts import LayoutName

PLACE = "{session_number}"
NUMBER = "session_number"
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
_FEWEST = 2  # numbered columns that make a pattern


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Lay sessions that stand side by side under each other; those in which nothing stands are no rows."""
    patterns = [name for name in export.source(kind).columns.values() if PLACE in name]
    of_any = [name for one in export.kinds for name in export.source(one).columns.values() if PLACE in name]
    numbered = {name for pattern in of_any for name in _numbers_of(pattern, table.frame.columns).values()}
    fixed = [name for name in table.frame.columns if name not in numbered]
    if not patterns:
        return Tidy(table.frame.select(fixed), table.lines, table.frame.height)
    places = {pattern: _numbers_of(pattern, table.frame.columns) for pattern in patterns}
    if without := [pattern for pattern, found in places.items() if not found]:
        raise FileRefused(
            Refusal.MISSING_COLUMNS,
            f"no column of the file fits {listed(without)}; the file has {listed(table.frame.columns)}",
            f"write the columns' names in [sources.{kind}.columns] with {PLACE} where the number stands",
        )
    numbers = sorted({number for found in places.values() for number in found})
    parts = []
    for number in numbers:
        cells = [
            (pl.col(places[pattern][number]) if number in places[pattern] else pl.lit("")).alias(pattern)
            for pattern in patterns
        ]
        parts.append(
            table.frame.select(*fixed, *cells, pl.lit(str(number)).alias(NUMBER)).with_columns(
                pl.Series(_LINE, table.lines), pl.lit(number).alias(_ORDER)
            )
        )
    every = pl.concat(parts).sort(_LINE, _ORDER, maintain_order=True)
    empty = {code.strip().casefold() for code in export.source(kind).missing} | {""}
    has_any = pl.any_horizontal(
        ~pl.col(pattern).str.strip_chars().str.to_lowercase().is_in(sorted(empty)) for pattern in patterns
    )
    taken = every.filter(has_any)
    return Tidy(
        taken.drop(_LINE, _ORDER), taken[_LINE].to_numpy().astype(np.int64), every.height,
        {LeftOut.EMPTY_SESSION: every.height - taken.height},
    )  # fmt: skip


_LINE, _ORDER = "\0line", "\0order"  # no file's column has such a name


def _numbers_of(pattern: str, columns: list[str]) -> dict[int, str]:
    """Return by number the columns that fit a pattern."""
    before, _, after = normal(pattern).partition(PLACE)
    shape = re.compile(re.escape(before) + r"0*(\d+)" + re.escape(after))
    found = ((shape.fullmatch(normal(name)), name) for name in columns)
    return {int(match[1]): name for match, name in found if match}


def recognise(path: Path) -> Recognised | None:
    """Tell a wide file by columns that differ in a number only."""
    rows = first_rows(path)
    families: dict[str, list[int]] = {}
    for name in rows[0] if rows else ():
        if match := _NUMBERED.fullmatch(name.strip()):
            families.setdefault(f"{match[1]}{PLACE}{match[3]}", []).append(int(match[2]))
    wide = {pattern: numbers for pattern, numbers in families.items() if len(numbers) >= _FEWEST}
    if not wide:
        return None
    largest = max(wide, key=lambda pattern: len(wide[pattern]))
    return Recognised(
        LayoutName.WIDE,
        f"{len(wide)} group(s) of columns differ in a number only; the largest, {largest!r}, has {len(wide[largest])}",
        {"patterns": tuple(wide)},
        ("numbered columns may be items of a questionnaire instead: then this is no wide file",),
    )


WIDE = Layout(
    LayoutName.WIDE, "wide file", opening.SUFFIXES, opening.open_table, arrange, own_columns, opening.rewrite_table,
    recognise,
)  # fmt: skip
