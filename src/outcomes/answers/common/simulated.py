"""From a simulated cohort to the tables that an analysis reads, in memory: the build's own SQL, without any file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

import duckdb
import polars as pl

from outcomes.contract import Kind
from outcomes.release.building import make_tables
from outcomes.release.relations import offer_batches, offer_settings, raw_columns
from outcomes.simulate import Cohort
from outcomes.store.warehouse import connect
from outcomes.study import StudySettings, read_settings
from outcomes.study.settings import Disclosure

_YES_NO = {"yes": True, "no": False}


@contextmanager
def built(cohort: Cohort, settings: StudySettings, wanted: Collection[str] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database with the core tables and marts of a cohort, as a release would have them.

    Parameters
    ----------
    cohort : Cohort
    settings : StudySettings
        Of a study on the template's scales.
    wanted : collection of str
        Tables that will be read; all of a release where empty.
    """
    with connect() as con:
        con.execute("set threads = 1")  # tables of this size gain nothing from more
        offer_settings(con, settings)
        offer_batches(con, ())
        for sequence, (kind, table) in enumerate(_tables(cohort).items(), start=1):
            _offer(con, kind, table, sequence)
        make_tables(con, wanted)
        yield con


def template_settings(rule: Disclosure) -> StudySettings:
    """Scales and definitions of a new study, which simulated cohorts have, with a study's own thresholds."""
    with as_file(files("outcomes.study") / "template.toml") as template:
        return read_settings(template).model_copy(update={"disclosure": rule})


def _tables(cohort: Cohort) -> dict[Kind, pl.DataFrame]:
    flags = pl.col("attended", "asked_about_guidance").replace_strict(_YES_NO, return_dtype=pl.Boolean)
    return {
        Kind.SESSIONS: cohort.sessions.with_columns(flags),
        Kind.EPISODES: cohort.episodes,
        Kind.CLIENTS: cohort.clients,
    }


def _offer(con: duckdb.DuckDBPyConnection, kind: Kind, table: pl.DataFrame, sequence: int) -> None:
    """Put a table where the build looks for the landed rows of its kind."""
    con.register("offered", table.to_arrow())
    columns = ", ".join(
        f'{f"offered.{name}" if name in table.columns else "null"}::{type_} as "{name}"'
        for name, type_ in raw_columns(kind).items()
    )
    con.execute(f"drop view raw_{kind}")
    con.execute(
        f"create temp table raw_{kind} as select {columns}, '{kind}' as batch_id, {sequence} as sequence from offered"
    )
    con.unregister("offered")
    con.execute("insert into raw_batches values (?, ?, ?, ?, 0, '')", [str(kind), str(kind), sequence, table.height])
