"""Definitions of dropout and the risk set of the hazard."""

import pytest

# Five sessions planned; every way in which an episode can end.
EPISODES = """
    episode_id | client_id | ending         | end        | planned_sessions | data_cut
    agreed     | c1        | agreed         | 2024-03-01 | 5                | 2024-12-31
    left       | c2        | client_ended   | 2024-03-01 | 5                | 2024-12-31
    premature  | c3        | judged_premature | 2024-03-01 | 5              | 2024-12-31
    moved      | c4        | moved_away     | 2024-03-01 | 5                | 2024-12-31
    ended      | c5        | unknown        | 2024-03-01 | 5                | 2024-12-31
    silent     | c6        | unknown        |            | 5                | 2024-12-31
    open       | c7        | open           |            | 5                | 2024-02-01
    unbegun    | c8        | client_ended   | 2024-03-01 | 5                | 2024-12-31
"""
SESSIONS = """
    client_id | therapist_id | episode_id | session_number | session_date | attended
    c1        | t1           | agreed     | 1              | 2024-01-01   | T
    c1        | t1           | agreed     | 2              | 2024-01-08   | T
    c1        | t1           | agreed     | 3              | 2024-01-15   | T
    c1        | t1           | agreed     | 4              | 2024-01-22   | T
    c1        | t1           | agreed     | 5              | 2024-01-29   | T
    c2        | t1           | left       | 1              | 2024-01-01   | T
    c2        | t1           | left       | 2              | 2024-01-08   | F
    c3        | t1           | premature  | 1              | 2024-01-01   | T
    c3        | t1           | premature  | 2              | 2024-01-08   | T
    c4        | t1           | moved      | 1              | 2024-01-01   | T
    c5        | t1           | ended      | 1              | 2024-01-01   | T
    c5        | t1           | ended      | 2              | 2024-01-08   | T
    c5        | t1           | ended      | 3              | 2024-01-15   | T
    c6        | t1           | silent     | 1              | 2024-01-01   | T
    c7        | t1           | open       | 1              | 2024-01-01   | T
    c8        | t1           | unbegun    | 1              | 2024-01-01   | F
"""
EXPECTED = {
    #                 agreed     left       premature  moved    ended           silent and open
    "unilateral": ("planned", "dropout", "dropout", "other", "undetermined", "undetermined"),
    "therapist_judged": ("planned", "planned", "dropout", "other", "undetermined", "undetermined"),
    "count_2": ("planned", "dropout", "planned", "other", "planned", "undetermined"),
    "count_3": ("planned", "dropout", "dropout", "other", "planned", "undetermined"),
    "count_4": ("planned", "dropout", "dropout", "other", "dropout", "undetermined"),
    "count_median": ("planned", "dropout", "planned", "other", "planned", "undetermined"),  # of 1 1 2 3 5: 2
    "missed_last": ("planned", "dropout", "planned", "other", "planned", "undetermined"),
    "protocol": ("planned", "dropout", "dropout", "other", "dropout", "undetermined"),
}


@pytest.mark.parametrize("definition", EXPECTED)
def test_each_definition_judges_each_way_of_ending(warehouse, definition):
    warehouse.given("raw_episodes", EPISODES).given("raw_sessions", SESSIONS)
    found = warehouse.build("core_dropout_labels").select("definition", "episode_id", "state").rows()
    states = {episode: state for name, episode, state in found if name == definition}
    agreed, left, premature, moved, ended, unknown = EXPECTED[definition]
    assert states == {
        "agreed": agreed, "left": left, "premature": premature, "moved": moved, "ended": ended, "silent": unknown,
        "open": unknown,
    }  # fmt: skip


@pytest.mark.parametrize("definition", EXPECTED)
def test_the_studys_definition_becomes_the_episodes_ending_state(warehouse, definition):
    warehouse.study(dropout_definition=definition).given("raw_episodes", EPISODES).given("raw_sessions", SESSIONS)
    states = dict(warehouse.build("core_episodes").select("episode_id", "ending_state").rows())
    assert states["unbegun"] is None
    assert (states["left"], states["open"], states["ended"]) == (
        EXPECTED[definition][1],
        "undetermined",
        EXPECTED[definition][4],
    )


def test_silence_counts_from_the_last_attended_session_to_the_data_cut(warehouse):
    warehouse.given("raw_episodes", EPISODES).given("raw_sessions", SESSIONS)
    rows = dict(warehouse.build("core_episodes").select("episode_id", "days_silent").rows())
    assert (rows["open"], rows["silent"], rows["left"], rows["unbegun"]) == (31, 365, 365, None)


def test_without_an_episodes_file_the_data_cut_is_the_last_session_and_endings_are_undetermined(warehouse):
    warehouse.given("raw_sessions", SESSIONS)
    rows = warehouse.build("core_episodes").select("distinct data_cut::varchar", "ending_state").rows()
    assert rows == [("2024-01-29", "undetermined"), ("2024-01-29", None)]
    assert warehouse.table("core_dropout_labels").rows() == []


def test_without_dates_everything_but_the_days_is_there(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | directiveness
        c1        | t1           | 1              | 3
        c1        | t1           | 2              | 5
    """)  # fmt: skip
    flags = ("attended_number", "ending_state", "is_last", "is_dropout", "is_planned_end", "is_other_end")
    assert warehouse.build("mart_participant_flow").table("mart_person_session").select(*flags).rows() == [
        (1, "continues", False, 0, 0, 0),
        (2, "undetermined", True, None, None, None),
    ]
    assert warehouse.table("core_episodes").select("data_cut", "days_silent").rows() == [(None, None)]


def test_a_definition_that_the_data_cannot_tell_is_left_out(warehouse):
    warehouse.given("raw_episodes", """
        episode_id | client_id | ending
        e1         | c1        | client_ended
    """).given("raw_sessions", """
        client_id | therapist_id | episode_id | session_number
        c1        | t1           | e1         | 1
    """)  # fmt: skip
    found = {name for (name,) in warehouse.build("core_dropout_labels").select("definition").rows()}
    assert found == {"unilateral", "count_2", "count_3", "count_4", "count_median"}


def test_the_event_stands_on_the_last_attended_session_alone(warehouse):
    warehouse.given("raw_episodes", EPISODES).given("raw_sessions", SESSIONS)
    columns = ("episode_id", "attended_number", "ending_state", "is_dropout", "is_planned_end", "is_other_end")
    rows = warehouse.build("mart_person_session").select(*columns).rows()
    assert [row[1:] for row in rows if row[0] == "agreed"] == [
        (1, "continues", 0, 0, 0),
        (2, "continues", 0, 0, 0),
        (3, "continues", 0, 0, 0),
        (4, "continues", 0, 0, 0),
        (5, "planned", 0, 1, 0),
    ]
    assert [row[1:] for row in rows if row[0] == "left"] == [(1, "dropout", 1, 0, 0)]
    assert [row[1:] for row in rows if row[0] == "moved"] == [(1, "other", 0, 0, 1)]
    assert [row[1:] for row in rows if row[0] == "open"] == [(1, "undetermined", None, None, None)]
    assert "unbegun" not in {row[0] for row in rows}


def test_a_session_that_the_study_dates_cut_off_still_says_that_therapy_went_on(warehouse):
    warehouse.study(last_session="2024-01-10").given("raw_episodes", EPISODES).given("raw_sessions", SESSIONS)
    rows = warehouse.build("mart_person_session").select("episode_id", "attended_number", "ending_state").rows()
    assert [row for row in rows if row[0] == "agreed"] == [("agreed", 1, "continues"), ("agreed", 2, "continues")]


PAST = """
    client_id | therapist_id | session_number | attended | directiveness | satisfaction | alliance
    c1        | t1           | 1              | T        | 2             | 5            | 6
    c1        | t1           | 2              | F        |               |              |
    c1        | t1           | 3              | T        |               | 7            |
    c1        | t1           | 4              | T        | 5             | 6            | 4
"""
RUNNING = ("attended_number", "directiveness_so_far", "directiveness_change", "satisfaction_so_far", "alliance_so_far")


def test_running_means_take_in_what_was_attended_and_rated_so_far(warehouse):
    warehouse.given("raw_sessions", PAST)
    assert warehouse.build("mart_person_session").select(*RUNNING).rows() == [
        (1, 2.0, 0.0, 5.0, 6.0),
        (2, 2.0, None, 6.0, 6.0),
        (3, 3.5, 3.0, 6.0, 5.0),
    ]


@pytest.mark.parametrize("later", ["9 | 1 | 1", "0 | 9 | 9", "|  |"])
def test_the_future_does_not_leak_into_earlier_rows(warehouse, later):
    warehouse.given("raw_sessions", PAST)
    columns = (*RUNNING, "session_1", "session_2", "session_3", "log_session", "directiveness_score")
    before = warehouse.build("mart_person_session").select(*columns).rows()[:2]
    changed = PAST.rsplit("5             | 6            | 4", 1)[0] + later
    more = "\n    c1 | t2 | 5 | T | 7 | 7 | 7\n"
    warehouse.given("raw_sessions", changed + more)
    assert warehouse.build("mart_person_session").select(*columns).rows()[:2] == before


def test_the_baseline_hazard_has_three_dummies_and_then_the_logarithm(warehouse):
    rows = "\n".join(f"c1 | t1 | {number}" for number in range(1, 6))
    warehouse.given("raw_sessions", f"client_id | therapist_id | session_number\n{rows}")
    columns = ("attended_number", "session_1", "session_2", "session_3", "round(log_session, 6)")
    assert warehouse.build("mart_person_session").select(*columns).rows() == [
        (1, 1, 0, 0, 0.0),
        (2, 0, 1, 0, 0.0),
        (3, 0, 0, 1, 0.0),
        (4, 0, 0, 0, 1.386294),
        (5, 0, 0, 0, 1.609438),
    ]
