"""Simulated cohorts with known truth as databases, for the tests of single answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

import outcomes.study
from outcomes.answers.common.simulated import built
from outcomes.answers.run import ANSWER_TABLES
from outcomes.simulate import CohortParameters, simulate_cohort
from outcomes.study import StudySettings, read_settings

SETTINGS: StudySettings = read_settings(Path(outcomes.study.__file__).parent / "template.toml")


@contextmanager
def database(parameters: CohortParameters, seed: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """Core tables and marts of one cohort."""
    with built(simulate_cohort(parameters, seed), SETTINGS) as con:
        yield con


def only(table: pl.DataFrame, **words: object) -> dict:
    """The one row of a table with these words."""
    return table.row(by_predicate=pl.all_horizontal(pl.col(name) == value for name, value in words.items()), named=True)


def is_described(name: str, table: pl.DataFrame) -> bool:
    """Whether the codebook describes exactly these columns, in this order, with these types."""
    types = {pl.String: "VARCHAR", pl.Float64: "DOUBLE", pl.Int64: "BIGINT", pl.Boolean: "BOOLEAN"}
    found = {column: types[dtype.base_type()] for column, dtype in table.schema.items()}
    return list(found.items()) == [(column, text.type) for column, text in ANSWER_TABLES[name].columns.items()]


def every_estimate_has_its_interval_and_state(table: pl.DataFrame) -> bool:
    """Whether no row has an estimate without both limits around it, and every row a state."""
    bare = table.filter(
        pl.col("estimate").is_not_null()
        & ~((pl.col("conf_low") <= pl.col("estimate")) & (pl.col("estimate") <= pl.col("conf_high"))).fill_null(False)
    )
    return bare.is_empty() and table["status"].null_count() == 0
