"""Workbooks and statistics files as they are: one row is one row; only opening them takes a layout."""

from __future__ import annotations

import polars as pl

from outcomes.contract import Kind
from outcomes.landing.layouts.base import Export, Table, Tidy


def as_it_is(table: Table, export: Export, kind: Kind) -> Tidy:
    """Pass on every row."""
    return Tidy(table.frame, table.lines, table.frame.height)


def own_columns(table: Table, export: Export) -> pl.DataFrame:
    """Say that the ids stand in the table's own columns."""
    return table.frame
