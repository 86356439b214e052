"""Flat files: one row a session, on which what belongs to the client or to the course of therapy stands again.

A file of one row a client that holds the client's only course of therapy too is read the same way.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.contract import CONTRACT, Kind, LeftOut, Role
from outcomes.landing.layouts.base import Export, Layout, Table, Tidy
from outcomes.landing.layouts.dropping import is_dropped
from outcomes.landing.layouts.opened import opening
from outcomes.landing.layouts.plain import own_columns
from outcomes.landing.rules.columns import known_names, normal
from outcomes.study.tables.layouts import LayoutName

_PLACE, _OWNER = "\0place", "\0owner"  # no file's column has such a name
_KEY = {Kind.EPISODES: "episode_id", Kind.CLIENTS: "client_id"}


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Take a row a session; or a row a client or a course of therapy, with what stands on any of its rows.

    Rows of one owner that say different things stay apart: the rule on conflicting rows then takes none of them.
    """
    if kind is Kind.SESSIONS:
        return _sessions(table, export)
    source, columns = export.source(kind), {normal(name): name for name in table.frame.columns}
    key = columns.get(normal(source.columns.get(_KEY[kind], _KEY[kind])))
    known = known_names(kind, export.settings)
    read = [name for one, name in columns.items() if one in known and not is_dropped(name, export)]
    if key not in read or not table.frame.height:
        return Tidy(table.frame, table.lines, table.frame.height)
    filled = table.frame.select(_said(name, source.missing).alias(name) for name in read).with_columns(
        pl.int_range(table.frame.height).alias(_PLACE), _said(key, source.missing, table.frame).alias(_OWNER)
    )
    values = [name for name in read if name != key]
    of_owner = [
        pl.when(pl.col(name).drop_nulls().n_unique().over(_OWNER) == 1)
        .then(pl.col(name).drop_nulls().first().over(_OWNER))
        .otherwise(pl.col(name))
        .alias(name)
        for name in values
    ]
    joined = filled.with_columns(of_owner)
    # A row without an owner is nobody's further row: it stays, and the rule on empty ids takes it.
    alone = joined.filter(pl.col(_OWNER).is_null())
    owned = joined.filter(pl.col(_OWNER).is_not_null()).unique([*values, _OWNER], keep="first", maintain_order=True)
    places = pl.concat([alone, owned]).sort(_PLACE)[_PLACE]
    told = joined[places].select(pl.col(name).fill_null("") for name in values)
    frame = table.frame[places].with_columns(told.get_columns())
    return Tidy(
        frame, table.lines[places.to_numpy()].astype(np.int64), table.frame.height,
        {LeftOut.REPEATED: table.frame.height - frame.height},
    )  # fmt: skip


def _sessions(table: Table, export: Export) -> Tidy:
    """Take every row in which anything of a session stands: a client without sessions has a row too."""
    source = export.source(Kind.SESSIONS)
    others = frozenset().union(
        *(known_names(kind, export.settings) for kind in export.kinds if kind is not Kind.SESSIONS)
    )
    keys = {normal(source.columns.get(one.name, one.name)) for one in CONTRACT[Kind.SESSIONS] if one.role is Role.KEY}
    own = known_names(Kind.SESSIONS, export.settings) - others - keys
    read = [name for name in table.frame.columns if normal(name) in own and not is_dropped(name, export)]
    if not read or len(export.kinds) == 1:
        return Tidy(table.frame, table.lines, table.frame.height)
    has_any = table.frame.select(
        pl.any_horizontal(_said(name, source.missing).is_not_null() for name in read).alias("has_any")
    )["has_any"]
    return Tidy(
        table.frame.filter(has_any), table.lines[has_any.to_numpy()].astype(np.int64), table.frame.height,
        {LeftOut.EMPTY_SESSION: int((~has_any).sum())},
    )  # fmt: skip


def _said(name: str, missing: tuple[str, ...], frame: pl.DataFrame | None = None) -> pl.Expr | pl.Series:
    """Return the cells without outer blanks; null where nothing stands, or a code for a missing value."""
    codes = sorted({code.strip().casefold() for code in missing} | {""})
    cell = pl.col(name).str.strip_chars()
    said = pl.when(~cell.str.to_lowercase().is_in(codes)).then(cell)
    return said if frame is None else frame.select(said.alias(name))[name]


FLAT = Layout(
    LayoutName.FLAT, "flat file of several kinds", opening.SUFFIXES, opening.open_table, arrange, own_columns,
    opening.rewrite_table,
)  # fmt: skip
