"""One pass that counts rows and locates every column, before any cross-products are formed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.design.coding import ONE
from outcomes.mixed.design.data import VIEW, Source

LARGEST = 1e75
"""Largest value of a column: sums of products of four must stay finite."""


@dataclass(frozen=True)
class Survey:
    """What the first pass over the data found.

    Parameters
    ----------
    n_rows, n_missing : int
        Rows that take part, and rows left out because a column of the model is missing.
    mean, sd : dict of str to float
        Location and scale of each column by its SQL (sd with divisor n); the intercept has 0 and 1.
    """

    n_rows: int
    n_missing: int
    mean: dict[str, float]
    sd: dict[str, float]


def survey(source: Source, columns: dict[str, str], weights: str | None, complete: str) -> Survey:
    """Count and locate columns in one pass.

    Parameters
    ----------
    source : Source
    columns : dict of str to str
        Name (for messages) of each column's SQL.
    weights : str or None
        SQL of the weights.
    complete : str
        SQL condition of the rows that take part.

    Raises
    ------
    FitRefused
        No complete rows; non-finite values (with the column and their number); weights that are not positive.
    """
    expressions = surveyed(columns, weights)
    inner = ", ".join(f"{sql} as v{i}" for i, sql in enumerate(expressions))
    facts = ["count(*) as n"]
    for i in range(len(expressions)):
        facts.append(f"count(*) filter (not isfinite(v{i})) as bad{i}")
        facts.append(f"coalesce(max(abs(v{i})) filter (isfinite(v{i})), 0) as largest{i}")
        facts.append(f"avg(v{i}) filter (isfinite(v{i})) as mean{i}")
        facts.append(f"stddev_pop(v{i}) filter (isfinite(v{i})) as sd{i}")
    if weights:
        facts.append(f"min(v{len(expressions) - 1}) as smallest")
    row = source.query(
        f"select {', '.join(facts)}, (select count(*) from {VIEW}) as total "
        f"from (select {inner} from {VIEW} where {complete})"
    ).to_pylist()[0]
    return _checked(row, columns, weights)


def survey_rows(values: list[np.ndarray], n_read: int, columns: dict[str, str], weights: str | None) -> Survey:
    """The same of complete rows that are in memory already; refuses what `survey` refuses.

    Parameters
    ----------
    values : list of ndarray, each (n,)
        Of each of `surveyed(columns, weights)`.
    n_read : int
        Rows with the incomplete ones.
    columns, weights
        As in `survey`.
    """
    row: dict = {"n": len(values[0]) if values else n_read, "total": n_read}
    for i, value in enumerate(values):
        finite = value[np.isfinite(value)]
        row[f"bad{i}"] = value.size - finite.size
        row[f"largest{i}"] = float(np.abs(finite).max(initial=0.0))
        with np.errstate(over="ignore", invalid="ignore"):  # what is too large is refused in words
            both = (float(finite.mean()), float(finite.std())) if finite.size else (None, None)
        row[f"mean{i}"], row[f"sd{i}"] = both
    if weights and row["n"]:
        row["smallest"] = values[-1].min()
    return _checked(row, columns, weights)


def surveyed(columns: dict[str, str], weights: str | None) -> list[str]:
    """SQL of what is surveyed, the weights last."""
    return [sql for sql in columns if sql != ONE] + ([weights] if weights else [])


def _checked(row: dict, columns: dict[str, str], weights: str | None) -> Survey:
    """Refuse what no model can use."""
    names = {sql: name for sql, name in columns.items() if sql != ONE}
    if row["n"] == 0:
        raise FitRefused(
            f"No row is complete in the model's columns ({row['total']} rows read).",
            "look at which columns are missing",
        )
    for i, sql in enumerate(surveyed(columns, weights)):
        if row[f"bad{i}"]:
            label = names.get(sql, "of the weights")
            raise FitRefused(
                f"Column {label} has {row[f'bad{i}']} non-finite values (NaN or infinite) in {row['n']} rows.",
                "make them missing (null), so that they are dropped and counted, or correct them",
            )
        if row[f"largest{i}"] > LARGEST:
            raise FitRefused(
                f"Column {names.get(sql, 'of the weights')} has values beyond {LARGEST:g}: too large to be squared.",
                "divide it by a power of ten",
            )
    if weights and row["smallest"] <= 0:
        raise FitRefused("The weights must all be above zero.", "leave out rows of zero weight")
    return Survey(
        n_rows=row["n"],
        n_missing=row["total"] - row["n"],
        mean={ONE: 0.0} | {sql: row[f"mean{i}"] for i, sql in enumerate(names)},
        sd={ONE: 1.0} | {sql: row[f"sd{i}"] for i, sql in enumerate(names)},
    )
