"""Cells of formats that have numbers and dates of their own, spelt as the study declares that its files spell them."""

from __future__ import annotations

from typing import Any

import polars as pl

from outcomes.contract import Column, Kind, ValueType
from outcomes.landing.layouts.base import Table
from outcomes.landing.rules.columns import normal
from outcomes.study.settings import Source, StudySettings

STAMPS = "has_stamps"
"""Fact of a table: its dates may have a time of day behind them."""

_STAMP = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_SERIAL = r"^\d{5}(\.\d+)?$"  # days since 1899-12-30: 27 to 273 years
_PLAIN_NUMBER = r"^-?\d+\.\d+$"
_NUMBERS = (ValueType.SCALE, ValueType.INTEGER)
_CODED = (ValueType.CODE, ValueType.YES_NO)


def has_own_dates(table: Table) -> bool:
    """Say whether a table's format writes dates in a form of its own, whatever the study declares."""
    return table.is_typed or bool(table.facts.get(STAMPS))


def without_times(frame: pl.DataFrame) -> pl.DataFrame:
    """Take the time of day off every stamp, as landing does: a date is a day."""
    cells = (pl.col(name) for name in frame.columns)
    return frame.with_columns(pl.when(cell.str.contains(_STAMP)).then(_day(cell)).otherwise(cell) for cell in cells)


def spelt_as_declared(
    frame: pl.DataFrame, kind: Kind, settings: StudySettings, facts: dict[str, Any], *, is_typed: bool
) -> pl.DataFrame:
    """Spell dates in the declared format, numbers with the declared decimal mark, codes by labels that are known.

    Parameters
    ----------
    is_typed : bool
        The format has numbers of its own, which have a point as decimal mark.
    """
    source = settings.sources[kind]
    names = {normal(name): name for name in frame.columns}
    changed = []
    for column in settings.columns(kind):
        name = names.get(normal(source.columns.get(column.name, column.name)))
        if name is None:
            continue
        cell = pl.col(name)
        if column.type is ValueType.DATE:
            changed.append(_date(cell, source, is_serial=facts.get("is_excel", False) and not facts["has_1904"]))
        elif column.type in _NUMBERS and is_typed and source.decimal_mark == ",":
            is_number = cell.str.contains(_PLAIN_NUMBER)
            changed.append(pl.when(is_number).then(cell.str.replace(".", ",", literal=True)).otherwise(cell))
        elif column.type in _CODED and name in facts.get("labels", {}):
            changed.append(_labelled(cell, facts["labels"][name], column, source))
    return frame.with_columns(changed)


def _date(cell: pl.Expr, source: Source, *, is_serial: bool) -> pl.Expr:
    """Write a stamp, or a day that stands as a number in a workbook, as a date of the study's files."""
    day = _day(cell).str.to_date("%Y-%m-%d", strict=False)
    written = pl.when(cell.str.contains(_STAMP) & day.is_not_null()).then(_spelt(day, source))
    if is_serial:
        days = cell.cast(pl.Float64, strict=False).floor().cast(pl.Int32, strict=False)
        since = pl.date(1899, 12, 30) + pl.duration(days=days)
        written = written.when(cell.str.contains(_SERIAL)).then(_spelt(since, source))
    return written.otherwise(cell)


def _day(stamp: pl.Expr) -> pl.Expr:
    return stamp.str.slice(0, len("2024-12-31"))


def _spelt(day: pl.Expr, source: Source) -> pl.Expr:
    """Write a day in the declared format; one that has a time of day too gets midnight, which a date alone lacks."""
    return day.cast(pl.Datetime).dt.strftime(source.date_format)


def _labelled(cell: pl.Expr, labels: dict[str, str], column: Column, source: Source) -> pl.Expr:
    """Write labels instead of codes where the study knows the labels of this variable better than its codes."""
    if column.type is ValueType.YES_NO:
        known = {*source.yes, *source.no}
    else:
        known = {*column.codes, *source.codes.get(column.name, {})}
    known = {word.strip().lower() for word in known}
    n_labels = sum(label.strip().lower() in known for label in labels.values())
    n_codes = sum(code.strip().lower() in known for code in labels)
    return cell.replace(labels) if n_labels > n_codes else cell
