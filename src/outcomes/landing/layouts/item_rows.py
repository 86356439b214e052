"""Answers to questionnaires of which each has a row of its own: one row a session, its items side by side."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut
from outcomes.landing.layouts.base import Export, Layout, Table, Tidy
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.layouts.long_rows import column_of, repeats, session_columns, setting_aside
from outcomes.landing.layouts.opened import opening
from outcomes.landing.layouts.plain import own_columns
from outcomes.landing.rules.columns import normal
from outcomes.landing.rules.items import item_names
from outcomes.study.tables.layouts import LayoutName

_ITEM, _LINE = "\0item", "\0line"  # no file's column has such a name


def open_items(export: Export) -> Table:
    """Open the table, and set aside the answers that stand twice.

    Raises
    ------
    FileRefused
        If it has no columns of items and answers.
    """
    table = opening.open_table(export)
    item, answer, instrument = _columns(table, export)
    if table.frame.height:
        keys = session_columns(table, export, {item, answer, instrument})
        named = table.frame.with_columns(_item(item, instrument))
        broken = repeats(
            Table(named, table.lines), [*keys, _ITEM], answer,
        )  # fmt: skip
        table = setting_aside(table, broken)
    return table


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Lay the answers of one session side by side, each under the name of its item."""
    item, answer, instrument = _columns(table, export)
    keys = session_columns(table, export, {item, answer, instrument})
    known = item_names(kind, export.settings)
    rows = table.frame.select(*keys, answer, _item(item, instrument)).with_columns(pl.Series(_LINE, table.lines))
    used = rows.filter(pl.col(_ITEM).is_in(sorted(known)))
    wide = used.group_by(keys, maintain_order=True).agg(pl.col(_LINE).min())
    for name in sorted(used[_ITEM].unique()):
        answers = used.filter(pl.col(_ITEM) == name).select(*keys, pl.col(answer).alias(name))
        wide = wide.join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left")
    left_out = {LeftOut.JOINED: used.height - wide.height, LeftOut.OTHER_ITEM: rows.height - used.height}
    dropped = tuple(name for name in table.frame.columns if is_dropped(name, export))
    return Tidy(
        wide.drop(_LINE).with_columns(pl.all().fill_null("")), wide[_LINE].to_numpy().astype(np.int64),
        rows.height, left_out, dropped,
    )  # fmt: skip


def _columns(table: Table, export: Export) -> tuple[str, str, str]:
    options = export.first.items
    instrument = column_of(table, options.instrument, "items.instrument") if options.instrument else ""
    return column_of(table, options.item, "items.item"), column_of(table, options.answer, "items.answer"), instrument


def _item(item: str, instrument: str) -> pl.Expr:
    """Name the item of each row as `[instruments]` of the study file does, in the form in which names are compared."""
    name = pl.concat_str(instrument, item, separator="_") if instrument else pl.col(item)
    return name.map_elements(normal, return_dtype=pl.String).alias(_ITEM)


ITEMS = Layout(
    LayoutName.ITEMS, "file of answers", opening.SUFFIXES, open_items, arrange, own_columns, opening.rewrite_table
)
