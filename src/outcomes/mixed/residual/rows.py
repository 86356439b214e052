"""Read the rows of a model with a residual structure in the order of their sequences, and check that order."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.design.levels import Levels, encode
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.residual.whitening import OrderedRows, Structure

LEAST_ROWS = 2
"""Fewest rows of a group with a variance of its own."""

MAX_GROUPS = 50
"""Most groups with variances of their own."""


def read_rows(
    plain: GramData, design: Design, variance_by: str | None, ar1: str | None
) -> tuple[Structure, OrderedRows]:
    """The complete rows by sequence.

    Raises
    ------
    UsageError
        Columns of another kind than groups and whole numbers; nothing asked for.
    FitRefused
        Fewer than two groups, groups of one row, two rows at one place of a sequence, no sequence with two rows.
    """
    source = design.source
    selected = [f"{sql} as c{i}" for i, sql in enumerate(plain.columns)]
    selected += [f"{design.weights or ONE} as w"]
    keys = list(dict.fromkeys(name for group in plain.levels for name in group))
    selected += [f"{source.columns.sql(name)} as k{i}" for i, name in enumerate(keys)]
    selected += [f"cast({source.columns.sql(variance_by)} as varchar) as s"] if variance_by else []
    selected += [f"cast({source.columns.sql(ar1)} as double) as t"] if ar1 else []
    table = source.read(selected, design.complete)
    renamed = table.select([f"k{i}" for i in range(len(keys))]).rename_columns(keys)
    by_row = {group: encode(renamed, group) for group in plain.levels}
    n = table.num_rows
    cell = np.zeros(n, dtype=np.int64)
    for levels in by_row.values():
        cell = np.unique(cell * levels.n_levels + levels.codes, return_inverse=True)[1]
    t = table.column("t").to_numpy() if ar1 else np.zeros(n)
    order = np.lexsort((np.arange(n), t, cell))
    cell, t = cell[order], t[order]
    first = np.concatenate([[True], cell[1:] != cell[:-1]])
    gap = np.where(first, 0.0, np.diff(t, prepend=0.0)) if ar1 else np.zeros(n)
    if ar1:
        _check_order(ar1, t, gap, first)
    labels, group = _groups(table, variance_by, order)
    starts = np.flatnonzero(first)
    values = np.stack([table.column(f"c{i}").to_numpy() for i in range(len(plain.columns))])[:, order]
    values = values - plain.center[:, None]
    levels = {g: Levels(one.name, one.codes[order][starts], one.labels) for g, one in by_row.items()}
    weights = table.column("w").to_numpy()[order].astype(float)
    rows = OrderedRows(values, group, gap, weights, order, starts, levels)
    return Structure(variance_by, ar1, labels), rows


def _groups(table, variance_by: str | None, order: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels of the groups with variances of their own, and each row's position among them."""
    if not variance_by:
        return ("",), np.zeros(len(order), dtype=int)
    found = pl.from_arrow(table.column("s"))
    counts = found.value_counts().sort("s")
    labels = tuple(counts["s"].to_list())
    if len(labels) < 2:
        raise FitRefused(
            f"The column {variance_by} has one level: its variance cannot differ from another.", "leave variance_by out"
        )
    if len(labels) > MAX_GROUPS:
        raise FitRefused(
            f"The column {variance_by} has {len(labels)} levels (at most {MAX_GROUPS} variances).",
            "name a column of few groups",
        )
    if few := int((counts["count"] < LEAST_ROWS).sum()):
        raise FitRefused(
            f"{few} of the {len(labels)} levels of {variance_by} have one row, which shows no variance.",
            "merge small levels",
        )
    position = {label: i for i, label in enumerate(labels)}
    return labels, np.array([position[label] for label in found.to_list()])[order]


def _check_order(ar1: str, t: np.ndarray, gap: np.ndarray, first: np.ndarray) -> None:
    """Refuse orders that are none."""
    if not (t == np.round(t)).all():
        raise UsageError(f"The column {ar1} has numbers that are not whole.", "give ar1 the number of the session")
    if tied := int((gap[~first] == 0).sum()):
        raise FitRefused(
            f"{tied} rows stand at the same {ar1} as another row of their sequence (of all grouping factors together).",
            "give each row of a sequence a number of its own",
        )
    if first.all():
        raise FitRefused(
            "Every sequence has one row, so that no error follows another.",
            f"leave ar1 out, or leave out a grouping factor within which {ar1} does not vary",
        )
