"""A scale that only `study.toml` declares goes all the way: only a study file and files are written here."""

from __future__ import annotations

import random
import struct

import duckdb
import pytest

from outcomes.answers.connection.run import run as connection
from outcomes.audit.runner import audit
from outcomes.contract import Rule
from outcomes.landing import land_inbox
from outcomes.models import fit_models
from outcomes.release import build, candidate_id
from outcomes.study import StudyFolder
from outcomes.trust.sealing import seal

N_THERAPISTS, N_CLIENTS, N_SESSIONS = 15, 9, 6
SLOPE = 0.4  # of hope on directiveness, points per point
PLANTED = 3.062514  # a rating of hope that is told apart in the bytes of a file
STUDY = """
[study]
name = "Hope"
[sources.sessions]
pattern = "*sessions*"
[sources.sessions.columns]
hope = "HOPE_total"
[scales.directiveness]
minimum = 0
maximum = 10
rater = "client"
[scales.satisfaction]
minimum = 0
maximum = 10
rater = "client"
[scales.hope]
minimum = 1
maximum = 7
rater = "client"
role = "outcome"
unit = "steps"
[scales.dread]
minimum = 1
maximum = 7
rater = "client"
direction = "higher_is_less"
role = "mediator"
[scales.guidance_seen]
minimum = 0
maximum = 10
rater = "observer"
role = "exposure"
[scales.rapport]
minimum = 0
maximum = 10
rater = "observer"
[[models]]
name = "hope"
kind = "linear"
question = "Does hope rise with guidance?"
population = "mart_session_directiveness"
outcome = "hope_score"
fixed = ["directiveness_within", "log_session"]
random = ["1 | client_id", "1 | therapist_id"]
"""


def sessions() -> str:
    """Ratings of hope that follow directiveness by `SLOPE`, and one row whose hope is off its scale."""
    draw = random.Random(7)
    lines = ["therapist_id,client_id,session_number,directiveness,satisfaction,HOPE_total,dread,guidance_seen,rapport"]
    for therapist in range(N_THERAPISTS):
        of_therapist = draw.gauss(0, 0.4)
        for client in range(N_CLIENTS):
            of_client = draw.gauss(0, 0.4)
            for number in range(1, N_SESSIONS + 1):
                guidance = round(draw.uniform(3, 7), 1)
                hope = 4 + of_therapist + of_client + SLOPE * (guidance - 5) + draw.gauss(0, 0.3)
                hope = PLANTED if (therapist, client, number) == (0, 0, 2) else round(min(max(hope, 1), 7), 2)
                satisfaction = round(draw.uniform(2, 9), 1)
                lines.append(f"t{therapist},c{therapist}-{client},{number},{guidance},{satisfaction},{hope},2,4,5")
    return "\n".join([*lines, "t1,c1-1,7,5,5,99,2,4,5"]) + "\n"


def study_in(root, more: str = "") -> StudyFolder:
    (root / "inbox").mkdir(parents=True)
    (root / "study.toml").write_text(STUDY + more, encoding="utf-8")
    (root / "inbox" / "sessions.csv").write_text(sessions(), encoding="utf-8")
    return StudyFolder.open(root)


@pytest.fixture(scope="module")
def hope(tmp_path_factory):
    """The study, what landing said, and a candidate that is built, checked and fitted."""
    study = study_in(tmp_path_factory.mktemp("hope") / "study")
    landed = land_inbox(study)
    folder = build(study, candidate_id(study))
    audit(folder, study)
    return study, landed, folder, fit_models(folder, study)


@pytest.fixture
def con(hope):
    with duckdb.connect(str(hope[2] / "outcomes.duckdb"), read_only=True) as opened:
        yield opened


def test_its_ratings_are_landed_and_one_off_the_scale_is_quarantined(hope):
    study, landed, _, _ = hope
    (batch,) = landed.landed
    assert batch.quarantined_by_rule == {Rule.OUT_OF_RANGE: 1}
    rows = duckdb.sql(f"select other_scores['hope'] as hope from '{study.landed}/*/batch.parquet'").fetchall()
    assert len(rows) == N_THERAPISTS * N_CLIENTS * N_SESSIONS
    assert (PLANTED,) in rows


def test_it_is_a_column_beside_the_other_ratings_turned_where_it_counts_downwards(con):
    for table in ("core_sessions", "mart_session_directiveness"):
        found = con.execute(
            f"select hope_score, dread_score, guidance_seen_score, rapport_score, count(*) over () from {table} "
            "where client_id = 'c0-0' and session_number = 2"
        ).fetchall()
        assert found == [(PLANTED, 6.0, 4.0, 5.0, 1)], table
    assert con.execute("select count(hope_score) = count(*) from mart_session_directiveness").fetchone() == (True,)


def test_it_is_described_with_its_own_range_and_unit(con):
    rows = con.execute(
        "select table_name, type, description, unit, range, source from codebook where column_name = 'hope_score'"
    ).fetchall()
    said = "The study's own scale hope, rated by the client, higher is more; empty where not rated"
    assert sorted(rows) == [
        (table, "DOUBLE", said, "steps", "1 to 7", "sessions file")
        for table in ("core_sessions", "mart_session_directiveness", "mart_sessions")
    ]
    comment = con.execute(
        "select comment from duckdb_columns() where table_name = 'core_sessions' and column_name = 'hope_score'"
    ).fetchone()
    assert comment == (f"{said}. Unit: steps. Range: 1 to 7",)


def test_its_range_is_checked_as_that_of_any_rating(con):
    n = N_THERAPISTS * N_CLIENTS * N_SESSIONS
    sentence = f"Ratings of hope lie within the range that the study declares. True of all {n} ratings."
    found = con.execute(
        "select status, severity, n_violated, n_denominator, sentence from dq_results "
        "where check_id = 'core_sessions.hope_score.range'"
    ).fetchall()
    assert found == [("passed", "fatal", 0, n, sentence)]


def test_a_score_off_its_scale_in_a_table_is_a_fatal_finding(hope, tmp_path):
    study, _, folder, _ = hope
    copy = tmp_path / "outcomes.duckdb"
    copy.write_bytes((folder / "outcomes.duckdb").read_bytes())
    with duckdb.connect(str(copy)) as con:
        con.execute("update core_sessions set hope_score = 8 where session_number = 3")
    (found,) = (check for check in audit(tmp_path, study).checks if check.check_id == "core_sessions.hope_score.range")
    assert (found.status, found.n_violated) == ("failed", N_THERAPISTS * N_CLIENTS)


def test_a_declared_model_takes_it_as_its_outcome(hope):
    (state,) = hope[3]
    assert state.model == "hope"
    assert state.status == "converged"


def test_it_is_a_further_outcome_beside_empowerment_and_own_scales_that_are_none_are_not(hope, con):
    (table,) = connection(con, hope[0].settings).values()
    rows = [row for row in table.rows(named=True) if row["question"].endswith(" as outcome")]
    assert {row["question"] for row in rows} == {"empowerment as outcome", "hope as outcome"}
    (row,) = (row for row in rows if row["path"] == "slope within client" and row["question"] == "hope as outcome")
    assert row["unit"] == "points of hope per point of directiveness"
    assert row["conf_low"] < SLOPE < row["conf_high"]
    assert abs(row["estimate"] - SLOPE) < 0.1


def test_until_the_seal_what_may_be_an_outcome_is_nowhere_in_the_database_and_then_it_is(tmp_path):
    study = study_in(tmp_path / "study", "[seal]\nrequired = true\n")
    land_inbox(study)
    counts = (
        "select count(hope_score), count(dread_score), count(rapport_score), count(guidance_seen_score) "
        "from core_sessions"
    )
    n = N_THERAPISTS * N_CLIENTS * N_SESSIONS

    def database() -> tuple[tuple, bytes]:
        path = build(study, candidate_id(study)) / "outcomes.duckdb"
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(counts).fetchone(), path.read_bytes()

    found, content = database()
    assert found == (0, 0, 0, n)  # rapport has no role: nobody said that it is no outcome
    assert struct.pack("<d", PLANTED) not in content
    seal(study)
    assert database()[0] == (n, n, n, n)
