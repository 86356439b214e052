"""Files in which several rows make one session: rows that stand twice are told, the others are joined."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import polars as pl

from outcomes.contract import Refusal, Rule
from outcomes.landing.layouts.base import Export, Table
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.refusal import FileRefused, listed
from outcomes.landing.rules.columns import normal


def column_of(table: Table, name: str, key: str) -> str:
    """Return a column of the file by its name in the study file, letter case aside.

    Raises
    ------
    FileRefused
        If the file has none such.
    """
    for column in table.frame.columns:
        if normal(column) == normal(name):
            return column
    raise FileRefused(
        Refusal.MISSING_COLUMNS,
        f"the file has no column {name!r}; it has {listed(table.frame.columns)}",
        f"name the column with {key} in [sources] of study.toml",
    )


def session_columns(table: Table, export: Export, but: Collection[str]) -> list[str]:
    """Return the columns that say which session a row belongs to: all that are read, but those of the row itself."""
    return [name for name in table.frame.columns if name not in but and not is_dropped(name, export)]


def setting_aside(table: Table, broken: dict[int, Rule]) -> Table:
    """Take rows, by their places, out of a table and put them among those that are quarantined."""
    if not broken:
        return table
    keep = np.ones(table.frame.height, bool)
    keep[list(broken)] = False
    told = {
        int(table.lines[place]): (rule, [cell or "" for cell in table.frame.row(place)])
        for place, rule in broken.items()
    }
    return replace(
        table, frame=table.frame.filter(pl.Series(keep)), lines=table.lines[keep], malformed={**table.malformed, **told}
    )


def repeats(table: Table, keys: list[str], said: str) -> dict[int, Rule]:
    """Return by place the rows that say something twice: copies but the first, and all that contradict each other."""
    rows = table.frame.select(*keys, said).with_row_index("\0place")
    judged = rows.with_columns(
        (pl.col(said).n_unique().over(keys) > 1).alias("\0contradicts"),
        (pl.col("\0place") > pl.col("\0place").min().over(keys)).alias("\0copies"),
    ).filter(pl.col("\0contradicts") | pl.col("\0copies"))
    return {
        place: Rule.CONFLICTING_ROWS if contradicts else Rule.DUPLICATE_ROW
        for place, contradicts in judged.select("\0place", "\0contradicts").iter_rows()
    }
