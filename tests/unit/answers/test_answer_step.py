"""The step that answers: one transaction per analysis, refusals as states, twice is once."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from answer_cohorts import database, is_described

import outcomes.study
from outcomes.answers import run as step
from outcomes.answers.common.tables import filled
from outcomes.answers.missing.tables import LADDER, LadderEffect, Rung
from outcomes.answers.run import ANALYSES, ANSWER_TABLES, ANSWERS, answer
from outcomes.answers.states import AnswerStatus
from outcomes.errors import UsageError
from outcomes.release.folders import DATABASE
from outcomes.simulate import CohortParameters
from outcomes.store.files import read_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, create_study
from outcomes.study.settings import AnalysisName


@pytest.fixture
def small_candidate(tmp_path):
    """A candidate of 40 clients: too small for a verdict."""
    folder = tmp_path / "candidate"
    folder.mkdir()
    with database(CohortParameters(clients=40, therapists=12)) as con:
        con.execute(f"attach '{folder / DATABASE}' as candidate")
        for table in ("core_sessions", "mart_session_directiveness", "mart_person_session"):
            con.execute(f"create table candidate.{table} as from {table}")
    return folder


@pytest.fixture
def study(tmp_path, ask_only):
    """A study that asks for the verdict and nothing else."""
    root = create_study(tmp_path / "study").root
    ask_only(root, "balance")
    return StudyFolder.open(root)


def test_every_analysis_can_be_left_out_by_its_name():
    assert [analysis.name for analysis in ANALYSES] == list(AnalysisName)
    template = (Path(outcomes.study.__file__).parent / "template.toml").read_text(encoding="utf-8")
    assert f"# of {', '.join(AnalysisName)};" in template


def test_every_answer_writes_tables_of_its_own():
    written = [table.name for analysis in ANALYSES for table in analysis.tables]
    assert len(set(written)) == len(written)
    assert set(ANSWER_TABLES) == {*written, "answer_states"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"rung": "as observed", "deltta": 1.0}, "no column deltta"),
        ({"rung": "as dreamt", "effect": "within client"}, "not on its list: as dreamt"),
    ],
)
def test_an_unknown_column_or_word_is_refused(row, said):
    with pytest.raises(UsageError, match=said):
        filled(LADDER, [row])


def test_what_a_row_does_not_give_is_empty_and_of_the_described_type():
    table = filled(LADDER, [{"rung": Rung.OBSERVED, "effect": LadderEffect.ALL, "delta": 1}])
    assert table.row(0, named=True)["delta"] == 1.0
    assert table["estimate"].null_count() == table["n_sessions"].null_count() == 1
    assert is_described(LADDER.name, table)
    assert is_described(LADDER.name, filled(LADDER, []))


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
    assert left_out == {*AnalysisName} - {"balance"}
    on_file = read_json(small_candidate / ANSWERS)
    assert {state["analysis"] for state in on_file if state["status"] == "left out"} == left_out


def test_answering_twice_changes_nothing(small_candidate, study):
    first = answer(small_candidate, study)
    before = (small_candidate / DATABASE).read_bytes()
    assert answer(small_candidate, study) == first
    assert (small_candidate / DATABASE).read_bytes() == before


def in_the_codebook(folder) -> list[str]:
    with connect(folder / DATABASE, read_only=True) as con:
        rows = con.execute("select table_name from codebook order by rowid").fetchall()
    return list(dict.fromkeys(name for (name,) in rows))


@pytest.mark.parametrize("first", [0, -1], ids=["in the order of the report", "the last first"])
def test_the_codebook_has_one_order_whichever_analysis_ended_first(small_candidate, study, first, monkeypatch):
    monkeypatch.setattr(step, "_turn", lambda analysis: ANALYSES.index(analysis) * (1 if first == 0 else -1))
    answer(small_candidate, study)
    assert in_the_codebook(small_candidate) == list(ANSWER_TABLES)


def test_a_run_that_was_killed_before_the_codebook_was_written_writes_it_the_next_time(
    small_candidate, study, monkeypatch
):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(step, "describe", killed)
    with pytest.raises(KeyboardInterrupt):
        answer(small_candidate, study)
    monkeypatch.undo()
    answer(small_candidate, study)
    assert in_the_codebook(small_candidate) == list(ANSWER_TABLES)


def test_a_calculation_that_breaks_down_is_a_refusal_of_its_own(small_candidate, study, monkeypatch):
    def broken(*_, **__):
        raise np.linalg.LinAlgError("Matrix is not positive definite")

    monkeypatch.setattr(step, "ANALYSES", [replace(analysis, run=broken) for analysis in ANALYSES])
    (state,) = [state for state in answer(small_candidate, study) if state.analysis == "balance"]
    assert state.status is AnswerStatus.REFUSED
    assert "broke down" in state.reason


def test_what_runs_beside_the_others_is_under_way_before_they_are_and_answers_like_them(
    small_candidate, tmp_path, monkeypatch
):
    """The one that runs beside waits for the other: one after the other they would never end."""
    begun, may_end = threading.Event(), threading.Event()

    def beside(con, _settings):
        begun.set()
        assert may_end.wait(20)
        assert con.execute("select count(*) > 0 from mart_person_session").fetchall() == [(True,)]
        return {}

    def other(_con, _settings):
        assert begun.wait(20)
        may_end.set()
        return {}

    first, second = (replace(analysis, memory="") for analysis in ANALYSES[:2])
    both = (replace(first, run=beside, runs_beside=True), replace(second, run=other, runs_beside=False))
    monkeypatch.setattr(step, "ANALYSES", both)
    states = answer(small_candidate, StudyFolder.open(create_study(tmp_path / "both").root))
    assert [(state.analysis, state.status) for state in states] == [
        (first.name, AnswerStatus.ANSWERED),
        (second.name, AnswerStatus.ANSWERED),
    ]


def test_of_a_large_study_answers_are_worked_out_at_the_same_time(small_candidate, tmp_path, monkeypatch):
    """Each waits for the other; each has a connection, and tables for the time being, of its own."""
    meet = threading.Barrier(2)

    def waiting(con, settings):
        con.execute("create temp table answer_sessions as select 1 as one")
        meet.wait(20)
        assert con.execute("select count(*) > 0 from mart_person_session").fetchall() == [(True,)]
        return {}

    monkeypatch.setattr(step, "ABREAST", 1)
    monkeypatch.setattr(step, "n_cores", lambda: 2)
    both = tuple(replace(analysis, run=waiting, runs_beside=False, memory="") for analysis in ANALYSES[:2])
    monkeypatch.setattr(step, "ANALYSES", both)
    states = answer(small_candidate, StudyFolder.open(create_study(tmp_path / "both").root))
    assert {state.status for state in states} == {AnswerStatus.ANSWERED}
