"""Cells that are no single values: objects, lists and maps have no place in a table of ratings."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.contract import Refusal
from outcomes.landing.refusal import FileRefused, counted, listed


def refuse_nested(rows_by_column: Mapping[str, int]) -> None:
    """Refuse a file whose columns hold nested cells, which could carry anything past every rule.

    Parameters
    ----------
    rows_by_column : mapping of str to int
        Rows with such a cell, by column; columns without any are not in it.

    Raises
    ------
    FileRefused
        If there is one.
    """
    if rows_by_column:
        columns = list(rows_by_column)
        raise FileRefused(
            Refusal.NESTED_CELLS,
            f"{counted(len(columns), 'column holds', 'columns hold')} objects, lists or maps instead of single values, "
            f"in up to {counted(max(rows_by_column.values()), 'row')}: {listed(columns)}",
            "export one plain value a cell, or list the column under drop in study.toml",
        )
