"""A design's rows as arrays, for models that need every row (the binomial one)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.design.levels import Levels, encode
from outcomes.mixed.design.survey import Survey, survey_rows, surveyed


@dataclass(frozen=True)
class ModelRows:
    """The complete rows of a model.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Fixed-effect columns in the order of `Design.fixed`.
    y : ndarray, shape (n,)
    weights : ndarray, shape (n,), or None
    Z : tuple of ndarray, each (n, k)
        Columns of each of `Design.random`.
    groups : dict of tuple to Levels
        Codes of each of `Design.groups`.
    survey : Survey
        Counts, among them of the rows dropped as missing.
    offset : ndarray, shape (n,), or None
        Of the linear predictor; `y` has it taken off already where the design's outcome has.
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    Z: tuple[np.ndarray, ...]
    groups: dict[tuple[str, ...], Levels]
    survey: Survey
    offset: np.ndarray | None = None


def materialise(design: Design) -> ModelRows:
    """Read a design's complete rows from the database, and survey them in memory.

    Raises
    ------
    FitRefused
        For non-finite values or no complete rows (see `survey_rows`).
    """
    columns = {sql: name for name, sql in design.columns.items()} | {design.outcome: design.formula.outcome}
    columns |= {design.offset: "of the offset"} if design.offset else {}
    n_read = design.source.n_rows
    names = list(design.columns)
    selected = [f"{sql} as c{i}" for i, sql in enumerate(design.columns.values())]
    selected += [f"{design.outcome} as y", f"{design.weights or ONE} as w"]
    selected += [f"{design.offset} as o"] if design.offset else []
    group_columns = list(dict.fromkeys(name for group in design.groups for name in group))
    selected += [f"{design.source.columns.sql(name)} as g{i}" for i, name in enumerate(group_columns)]
    table = design.source.read(selected, design.complete)

    def column(name: str) -> np.ndarray:
        return table.column(name).to_numpy()

    surveyed_as = {sql: f"c{i}" for i, sql in enumerate(design.columns.values())} | {design.outcome: "y"}
    surveyed_as |= {design.weights: "w"} if design.weights else {}
    surveyed_as |= {design.offset: "o"} if design.offset else {}
    values = [column(surveyed_as[sql]) for sql in surveyed(columns, design.weights)]
    counts = survey_rows(values, n_read, columns, design.weights)

    def matrix(wanted: tuple[str, ...]) -> np.ndarray:
        # column by column in memory, as it comes from the database: a fifth of the time of interleaving
        return np.stack([column(f"c{names.index(name)}") for name in wanted]).T

    keys = pa.table({name: table.column(f"g{i}") for i, name in enumerate(group_columns)})
    return ModelRows(
        X=matrix(design.fixed),
        y=column("y"),
        weights=column("w") if design.weights else None,
        Z=tuple(matrix(block.columns) for block in design.random),
        groups={group: encode(keys, group) for group in design.groups},
        survey=counts,
        offset=column("o") if design.offset else None,
    )
