"""Which of the study's questions a source can answer follows from the columns that it has."""

from outcomes.contract import CONTRACT, Kind
from outcomes.landing.layouts.questions import Answerable, answerable

EVERYTHING = {kind: frozenset(column.name for column in columns) for kind, columns in CONTRACT.items()}


def told(columns) -> dict[str, Answerable]:
    return {verdict.question: verdict.answerable for verdict in answerable(columns)}


def test_a_source_with_every_column_answers_everything():
    assert set(told(EVERYTHING).values()) == {Answerable.YES}


def test_a_survey_of_sessions_alone_answers_in_part_and_says_what_is_missing():
    sessions = {Kind.SESSIONS: frozenset({"client_id", "therapist_id", "directiveness", "satisfaction"})}
    assert told(sessions) == {
        "guidance": Answerable.YES, "balance": Answerable.PARTLY, "dropout": Answerable.PARTLY,
        "connection": Answerable.PARTLY, "therapists": Answerable.YES,
    }  # fmt: skip
    why = {verdict.question: verdict.why for verdict in answerable(sessions)}
    assert "ending in episodes" in why["dropout"]
    assert "directiveness_preferred in clients" in why["balance"]


def test_without_directiveness_only_differences_between_therapists_are_left():
    columns = EVERYTHING | {Kind.SESSIONS: EVERYTHING[Kind.SESSIONS] - {"directiveness"}}
    assert {name for name, verdict in told(columns).items() if verdict is not Answerable.NO} == {"therapists"}
