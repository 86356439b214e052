"""Databases in memory of one process: apart from one another, and gone afterwards, however their user ends."""

import duckdb
import pytest

from outcomes.store.warehouse import scratch

DATABASES = "select count(*) from duckdb_databases() where not internal"


def end_within_a_transaction() -> None:
    with scratch() as con:
        con.begin()
        con.execute("create table ratings as select 1 as a")
        with pytest.raises(duckdb.CatalogException):
            con.execute("select no_such_column from no_such_table")
        raise ValueError("the user's own")


def test_two_scratch_databases_do_not_see_one_another():
    with scratch() as one, scratch() as other:
        one.execute("create table ratings as select 1 as a")
        one.execute("create temp table drafts as select 2 as a")
        for name in ("ratings", "drafts"):
            with pytest.raises(duckdb.CatalogException):
                other.table(name)
        other.execute("create table ratings as select 3 as a")
        assert one.table("ratings").fetchall() == [(1,)]


def test_a_scratch_database_is_dropped_even_when_its_user_fails_within_a_transaction():
    with pytest.raises(ValueError, match="the user's own"):
        end_within_a_transaction()
    with scratch() as con:
        assert con.execute(DATABASES).fetchall() == [(2,)]  # the process's empty one, and this
