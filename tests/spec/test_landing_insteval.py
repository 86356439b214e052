"""Ratings that nobody here collected become a study by its `study.toml` alone."""

import csv
import shutil
from pathlib import Path

import duckdb
import pytest

from outcomes.landing import land_inbox
from outcomes.study import StudyFolder

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT.parent / "shared" / "reference" / "insteval.csv"


@pytest.fixture
def landed(tmp_path):
    """The batch of InstEval and its source rows."""
    if not SOURCE.exists():
        pytest.skip("the reference file insteval.csv is not beside the project")
    shutil.copy(PROJECT / "docs" / "examples" / "insteval" / "study.toml", tmp_path)
    (tmp_path / "inbox").mkdir()
    shutil.copy(SOURCE, tmp_path / "inbox")
    study = StudyFolder.open(tmp_path)
    (batch,) = land_inbox(study).landed
    return batch, study.landed / batch.batch_id / "batch.parquet"


def test_every_rating_is_landed_with_its_raters_in_the_order_of_the_file(landed):
    batch, parquet = landed
    assert (batch.rows_read, batch.rows_landed, batch.rows_quarantined) == (73421, 73421, 0)
    assert batch.columns_dropped == ("lectage", "service", "dept")
    with duckdb.connect() as con:
        rows = con.execute(
            f"select client_id, therapist_id, satisfaction, directiveness, source_line from read_parquet('{parquet}')"
        ).fetchall()
    with SOURCE.open(newline="") as stream:
        source = [
            (row["s"], row["d"], float(row["y"]), float(row["studage"]), place)
            for place, row in enumerate(csv.DictReader(stream), start=2)
        ]
    assert rows == source


def test_the_sessions_of_a_client_are_numbered_by_their_rows(landed):
    _, parquet = landed
    with duckdb.connect() as con:
        (wrong,) = con.execute(
            f"""
            select count(*) from (
                select session_number, row_number() over (partition by client_id order by source_line) as place
                from read_parquet('{parquet}')
            ) where session_number <> place
            """
        ).fetchall()[0]
    assert wrong == 0
