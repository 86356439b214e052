"""Checks that compare groups return a row where there is one group only; they do not apply then."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

SUITE = Path(__file__).parents[3] / "expectations/mart_therapists.json"


def _query(check: str) -> str:
    expectations = json.loads(SUITE.read_text(encoding="utf-8"))["expectations"]
    (found,) = [one for one in expectations if one["meta"]["id"] == check]
    return "\n".join(found["kwargs"]["query"])


@pytest.mark.parametrize(
    ("practices", "expected"), [(["a", "a", "a"], (0, 0)), (["a", "a", "b"], (1, 2)), (["a"], (0, 0))]
)
def test_a_study_of_one_practice_has_nobody_who_stands_alone(practices, expected):
    with duckdb.connect() as con:
        con.execute("create table mart_therapists (practice_id varchar)")
        con.executemany("insert into mart_therapists values (?)", [[name] for name in practices])
        assert con.execute(_query("practice_id.none_alone")).fetchall() == [expected]


def _dominance() -> str:
    expectations = json.loads(SUITE.read_text(encoding="utf-8"))["expectations"]
    (found,) = [e["kwargs"]["query"] for e in expectations if "has_others" in str(e["kwargs"].get("query"))]
    return "\n".join(found)


@pytest.mark.parametrize(("sessions", "expected"), [([40], (0, 0)), ([40, 10], (1, 2)), ([20, 20], (0, 2))])
def test_a_study_of_one_therapist_has_nobody_beside_whom_to_hold_most_sessions(sessions, expected):
    with duckdb.connect() as con:
        con.execute("create table mart_therapists (n_sessions integer)")
        con.executemany("insert into mart_therapists values (?)", [[n] for n in sessions])
        assert con.execute(_dominance()).fetchall() == [expected]
