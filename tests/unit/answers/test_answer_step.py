"""The step that answers: one transaction an analysis, refusals as states, twice is once."""

import pytest
from answer_cohorts import database

from outcomes.answers.run import AnswerStatus, answer
from outcomes.errors import UsageError
from outcomes.release.folders import DATABASE
from outcomes.simulate import CohortParameters
from outcomes.study import create_study
from outcomes.warehouse import connect


@pytest.fixture
def small_candidate(tmp_path):
    """A candidate of 40 clients: too small for a verdict."""
    folder = tmp_path / "candidate"
    folder.mkdir()
    with database(CohortParameters(clients=40, therapists=12)) as con:
        con.execute(f"attach '{folder / DATABASE}' as candidate")
        for table in ("mart_session_directiveness", "mart_person_session"):
            con.execute(f"create table candidate.{table} as from {table}")
    return folder


def test_a_refusal_is_a_state_and_its_tables_are_empty(small_candidate, tmp_path):
    (state,) = answer(small_candidate, create_study(tmp_path / "study"), only=["balance"])
    assert state.status is AnswerStatus.REFUSED
    assert "too few clients" in state.reason
    with connect(small_candidate / DATABASE, read_only=True) as con:
        assert con.execute("from answer_states").fetchall() == [("balance", "refused", state.reason)]
        assert con.execute(
            "select (select count(*) from verdicts), (select count(*) from balance_evidence)"
        ).fetchall() == [(0, 0)]
        described = con.execute("select distinct table_name from codebook").fetchall()
    assert {"verdicts", "balance_evidence", "answer_states"} <= {name for (name,) in described}


def test_answering_twice_changes_nothing(small_candidate, tmp_path):
    study = create_study(tmp_path / "study")
    first = answer(small_candidate, study, only=["balance"])
    before = (small_candidate / DATABASE).read_bytes()
    assert answer(small_candidate, study, only=["balance"]) == first
    assert (small_candidate / DATABASE).read_bytes() == before


def test_an_unknown_analysis_is_refused(small_candidate, tmp_path):
    with pytest.raises(UsageError, match="no analysis horoscope"):
        answer(small_candidate, create_study(tmp_path / "study"), only=["horoscope"])
