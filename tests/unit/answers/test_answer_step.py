"""The step that answers: one transaction an analysis, refusals as states, twice is once."""

import numpy as np
import pytest
from answer_cohorts import database

from outcomes.answers.balance import run as balance
from outcomes.answers.run import ANALYSES, ANSWERS, AnswerStatus, answer
from outcomes.release.folders import DATABASE
from outcomes.simulate import CohortParameters
from outcomes.store.files import read_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, create_study
from outcomes.study.settings import Analysis


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


@pytest.fixture
def study(tmp_path, ask_only):
    """A study that asks for the verdict and nothing else."""
    root = create_study(tmp_path / "study").root
    ask_only(root, "balance")
    return StudyFolder.open(root)


def test_every_analysis_can_be_left_out_by_its_name():
    assert [analysis.NAME for analysis in ANALYSES] == list(Analysis)


def test_a_refusal_is_a_state_and_its_tables_are_empty(small_candidate, study):
    (state,) = [state for state in answer(small_candidate, study) if state.analysis == "balance"]
    assert state.status is AnswerStatus.REFUSED
    assert "too few clients" in state.reason
    with connect(small_candidate / DATABASE, read_only=True) as con:
        states = con.execute("select analysis, status, reason from answer_states where status = 'refused'").fetchall()
        assert states == [("balance", "refused", state.reason)]
        assert con.execute(
            "select (select count(*) from verdicts), (select count(*) from balance_evidence)"
        ).fetchall() == [(0, 0)]
        described = con.execute("select distinct table_name from codebook").fetchall()
    assert {"verdicts", "balance_evidence", "answer_states"} <= {name for (name,) in described}


def test_what_the_study_leaves_out_is_said(small_candidate, study):
    left_out = {state.analysis for state in answer(small_candidate, study) if state.status is AnswerStatus.LEFT_OUT}
    assert left_out == {*Analysis} - {"balance"}
    on_file = read_json(small_candidate / ANSWERS)
    assert {state["analysis"] for state in on_file if state["status"] == "left out"} == left_out


def test_answering_twice_changes_nothing(small_candidate, study):
    first = answer(small_candidate, study)
    before = (small_candidate / DATABASE).read_bytes()
    assert answer(small_candidate, study) == first
    assert (small_candidate / DATABASE).read_bytes() == before


def test_a_calculation_that_breaks_down_is_a_refusal_of_its_own(small_candidate, study, monkeypatch):
    def broken(*_, **__):
        raise np.linalg.LinAlgError("Matrix is not positive definite")

    monkeypatch.setattr(balance, "run", broken)
    (state,) = [state for state in answer(small_candidate, study) if state.analysis == "balance"]
    assert state.status is AnswerStatus.REFUSED
    assert "broke down" in state.reason
