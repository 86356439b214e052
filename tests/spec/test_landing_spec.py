"""The door in one table: a file goes in, rows land or say why they do not."""

import csv

import duckdb
import pytest

from outcomes.landing import land_file
from outcomes.study import StudyFolder

STUDY = """
[study]
name = "spec"
[landing]
max_bad_share = 1
[sources.sessions]
pattern = "*sessions*"
[scales.directiveness]
minimum = 0
maximum = 10
rater = "client"
[scales.satisfaction]
minimum = 0
maximum = 10
rater = "client"
"""
SPEC = """
    therapist_id | client_id | session_number | attended | directiveness | satisfaction | landed as or refused for
    t1           | c1        | 1              | yes      | 5             | 6            | landed
    t1           | c1        | 2              | no       |               |              | landed
    t1           | c1        | 3              | yes      | NA            | -99          | landed
    t1           | c1        | 4              | Y        | 0             | 10           | landed
               | c1        | 5              | yes      | 5             | 6            | missing_key
    t1           | c1        | six            | yes      | 5             | 6            | not_an_integer
    t1           | c1        | 7              | maybe    | 5             | 6            | not_yes_no
    t1           | c1        | 8              | yes      | much          | 6            | not_a_number
    t1           | c1        | 9              | yes      | 5             | 60           | out_of_range
    t1           | c1        | 10             | no       | 5             | 6            | rated_but_absent
    t1           | c1        | 1              | yes      | 5             | 6            | duplicate_row
    t2           | c2        | 1              | yes      | 5             | 6            | conflicting_rows
    t2           | c2        | 1              | yes      | 5             | 7            | conflicting_rows
"""


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_every_row_lands_or_says_why_not(tmp_path, delimiter):
    (tmp_path / "study.toml").write_text(STUDY)
    table = [[cell.strip() for cell in line.split("|")] for line in SPEC.strip().splitlines()]
    source = tmp_path / "sessions.csv"
    source.write_text("".join(delimiter.join(row[:-1]) + "\n" for row in table))
    study = StudyFolder.open(tmp_path)
    batch = land_file(study, source)
    with duckdb.connect() as con:
        landed = con.execute(
            f"select source_line from read_parquet('{study.landed}/{batch.batch_id}/*.parquet')"
        ).fetchall()
    found = {line: "landed" for (line,) in landed}
    with (study.quarantine / f"{batch.sha256[:12]}.csv").open(newline="") as stream:
        found |= {int(row["line"]): row["rule"] for row in csv.DictReader(stream)}
    assert found == {line: row[-1] for line, row in enumerate(table[1:], start=2)}
    assert batch.rows_read == len(table) - 1 == batch.rows_landed + batch.rows_quarantined
