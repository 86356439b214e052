"""One source of metadata: comments, codebook and data dictionary agree with the tables."""

from pathlib import Path

import pytest

from outcomes.answers.dictionary import data_dictionary
from outcomes.answers.run import ANSWER_TABLES
from outcomes.audit import Category, Severity, Status
from outcomes.errors import UsageError
from outcomes.mixed import FitStatus
from outcomes.release import candidate_id, describe, publish
from outcomes.release.codebook.tables import COLUMNS, TABLES
from outcomes.store.warehouse import connect

DICTIONARY = Path(__file__).parents[3] / "docs" / "data-dictionary.md"


@pytest.fixture
def published(study, candidate):
    folder = publish(study, candidate_id(study))
    with connect(folder / "outcomes.duckdb", read_only=True) as con:
        yield con


def test_every_table_and_column_is_described_and_none_beside_them(published):
    found = published.execute(
        "select table_name, column_name, data_type from duckdb_columns() where not internal "
        "order by table_name, column_index"
    ).fetchall()
    tables = TABLES | ANSWER_TABLES
    described = [(name, column, text.type) for name, table in tables.items() for column, text in table.columns.items()]
    assert sorted(found) == sorted(described)
    assert [row[:2] for row in sorted(found, key=lambda row: row[0])] == [
        (name, column) for name in sorted(tables) for column in tables[name].column_names
    ]


def test_every_table_and_column_carries_a_comment(published):
    bare = published.execute(
        "select table_name from duckdb_tables() where not internal and comment is null union all "
        "select table_name || '.' || column_name from duckdb_columns() where not internal and comment is null"
    ).fetchall()
    assert bare == []


def test_the_codebook_lists_what_is_there_with_its_type(published):
    listed = published.execute(
        "select table_name, column_name, type from codebook where column_name is not null"
    ).fetchall()
    there = published.execute("select table_name, column_name, data_type from duckdb_columns() where not internal")
    assert sorted(listed) == sorted(there.fetchall())
    tables = published.execute("select table_name from codebook where column_name is null").fetchall()
    assert sorted(name for (name,) in tables) == sorted(TABLES | ANSWER_TABLES)
    assert published.execute(
        "select count(*) from codebook where source is null or description is null"
    ).fetchone() == (0,)


def test_a_rating_has_the_range_that_the_study_declares(published):
    row = published.execute(
        "select unit, range from codebook where table_name = 'core_episodes' and column_name = 'intake_severity_score'"
    ).fetchone()
    assert row == ("points", "0 to 40")
    comment = published.execute(
        "select comment from duckdb_columns() where table_name = 'core_sessions' and column_name = 'satisfaction_score'"
    ).fetchone()
    assert comment[0].endswith("Unit: points. Range: 0 to 10")


def test_describing_again_changes_nothing(study, candidate):
    with connect(candidate / "outcomes.duckdb") as con:
        describe(con, settings=study.settings)
        before = con.execute("select * from codebook order by all").fetchall()
        describe(con, settings=study.settings)
        describe(con, ["dq_results", "model_fits"], study.settings)
        assert con.execute("select * from codebook order by all").fetchall() == before


def test_a_table_that_nobody_described_is_refused(candidate):
    with connect(candidate / "outcomes.duckdb") as con:
        con.execute("create table surprise as select 1 as x")
        with pytest.raises(UsageError, match="surprise is not described"):
            describe(con)


def test_a_column_that_nobody_described_is_refused(candidate):
    with connect(candidate / "outcomes.duckdb") as con:
        con.execute("alter table dq_results add column surprise integer")
        with pytest.raises(UsageError, match="differ: surprise"):
            describe(con)


def test_no_description_is_left_over():
    used = {name for table in TABLES.values() for name in table.column_names}
    qualified = {f"{table.name}.{name}" for table in TABLES.values() for name in table.column_names}
    assert set(COLUMNS) <= used | qualified


def test_closed_lists_agree_with_the_steps_that_write_them():
    lists = {
        "dq_results.status": Status, "severity": Severity, "category": Category, "status": FitStatus
    }  # fmt: skip
    for column, values in lists.items():
        assert COLUMNS[column].range.split(" | ") == [value.value for value in values], column


def test_the_data_dictionary_of_the_docs_is_up_to_date():
    assert DICTIONARY.read_text(encoding="utf-8") == data_dictionary(), (
        "run: python -m outcomes.answers.dictionary > docs/data-dictionary.md"
    )
