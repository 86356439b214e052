"""`outcomes check --study`: exactly what landing would do, before it does it."""

from __future__ import annotations

import json

import pytest

from outcomes.landing import Refused, land_file
from outcomes.study import StudyFolder

STUDY = """
[study]
name = "s"
[sources.sessions]
pattern = "*visits*"
order = "date"
drop = ["surname"]
[sources.sessions.columns]
client_id = "pat"
satisfaction = "sat"
[scales.satisfaction]
minimum = 1
maximum = 5
rater = "client"
"""
GOOD = "pat,therapist_id,session_date,sat,surname\nc1,t1,2024-01-01,4,Smith\nc1,t1,2024-01-08,9,Smith\nc2,t1,,3,Jones\n"


@pytest.fixture
def study(desk):
    desk.file("study/study.toml", STUDY)
    return StudyFolder.open(desk.root / "study")


def look(desk, study, path):
    run = desk.run("check", "--json", "--study", study.root, path)
    return run.exit_code, json.loads(run.output)["files"][0]


def test_the_studys_own_mapping_is_used_and_rows_are_tried(desk, study):
    code, found = look(desk, study, desk.file("visits.csv", GOOD))
    assert code == 0
    assert {one["name"]: one["becomes"] for one in found["columns"]} == {
        "pat": "client_id", "therapist_id": "therapist_id", "session_date": "session_date", "sat": "satisfaction",
    }  # fmt: skip
    assert found["rows_by_rule"] == {"missing_date": 1, "out_of_range": 1}


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("sat,", "zufrieden,"),
        GOOD.replace("therapist_id", "therapist"),
        "a;b;c\n1;2;3\n",
        GOOD.replace("c1", "anna.smith@mail.example"),
    ],
)
def test_it_refuses_what_landing_refuses_in_the_same_words(desk, study, content):
    path = desk.file("visits.csv", content)
    refused = land_file(study, path)
    assert isinstance(refused, Refused)
    _, found = look(desk, study, path)
    assert (found["refused"], found["hint"]) == (refused.message, refused.hint)
    assert "anna" not in json.dumps(found)


def test_a_file_that_no_pattern_fits_is_told_so(desk, study):
    _, found = look(desk, study, desk.file("other.csv", GOOD))
    assert "fits none of the study's patterns" in found["refused"]
