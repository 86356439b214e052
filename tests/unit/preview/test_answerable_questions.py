"""Which of the study's questions some columns can answer follows from what the analyses need."""

from __future__ import annotations

from outcomes.contract import CONTRACT
from outcomes.study.answerable import Answerable, answers_of
from outcomes.study.settings import AnalysisName

EVERYTHING = frozenset(column.name for columns in CONTRACT.values() for column in columns)


def told(columns) -> dict[str, Answerable]:
    return {answer.analysis: answer.answerable for answer in answers_of(columns)}


def test_every_question_is_told_in_the_order_of_the_report():
    assert list(told(EVERYTHING)) == list(AnalysisName)


def test_every_column_answers_everything():
    assert set(told(EVERYTHING).values()) == {Answerable.FULLY}


def test_a_survey_of_sessions_alone_answers_in_part_and_says_what_is_missing():
    columns = {"client_id", "therapist_id", "directiveness", "satisfaction"}
    found = {answer.analysis: answer for answer in answers_of(columns)}
    assert found["guidance"].answerable is Answerable.FULLY
    assert found["balance"].lacking == ("directiveness_preferred", "reactance")
    assert (found["dropout"].answerable, found["dropout"].lacking) == (
        Answerable.NOT, ("no endings are recorded (ending or end)",),
    )  # fmt: skip


def test_without_directiveness_dropout_and_differences_between_therapists_are_left():
    left = {name for name, how in told(EVERYTHING - {"directiveness"}).items() if how is not Answerable.NOT}
    assert left == {"dropout", "therapists", "certainty"}


def test_without_satisfaction_dropout_connection_and_therapists_are_left():
    left = {name for name, how in told(EVERYTHING - {"satisfaction"}).items() if how is not Answerable.NOT}
    assert left == {"dropout", "contrasts", "connection", "therapists", "certainty"}
