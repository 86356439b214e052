"""The parts of directiveness, lags, clients and therapists."""

import pytest

PARTS = ("session_id", "directiveness_within", "directiveness_client", "directiveness_therapist")


def test_missed_sessions_do_not_count_towards_a_clients_usual_level(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | directiveness | attended
        c1        | t1           | 1              | 2.0           | T
        c1        | t1           | 2              | 4.0           | T
        c1        | t1           | 3              |               | F
    """)  # fmt: skip
    rows = warehouse.build("mart_session_directiveness").select("session_id", "directiveness_within").rows()
    assert rows == [("c1-1", -1.0), ("c1-2", 1.0)]


def test_each_client_counts_once_in_a_therapists_mean(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | directiveness
        c1        | t1           | 1              | 2
        c1        | t1           | 2              | 2
        c1        | t1           | 3              | 2
        c2        | t1           | 1              | 6
        c3        | t2           | 1              | 7
    """)  # fmt: skip
    # client means 2, 6, 7: grand mean 5; therapist means 4 and 7
    assert warehouse.build("mart_session_directiveness").select(*PARTS).rows() == [
        ("c1-1", 0.0, -2.0, -1.0),
        ("c1-2", 0.0, -2.0, -1.0),
        ("c1-3", 0.0, -2.0, -1.0),
        ("c2-1", 0.0, 2.0, -1.0),
        ("c3-1", 0.0, 0.0, 2.0),
    ]


MOVER = """
    client_id | therapist_id | session_number | directiveness | satisfaction | asked_about_guidance
    c1        | t1           | 1              | 2             | 5            | T
    c1        | t1           | 2              | 4             | 6            | F
    c1        | t2           | 3              | 9             | 7            |
    c1        | t2           | 4              | 7             | 8            | T
    c1        | t1           | 5              | 3             | 9            | F
    c2        | t2           | 1              | 5             |              |
"""


def test_a_client_who_moves_keeps_one_usual_level_and_meets_each_therapists_own(warehouse):
    warehouse.given("raw_sessions", MOVER)
    columns = ("session_id", "directiveness_client_mean", "directiveness_therapist_mean")
    assert warehouse.build("mart_session_directiveness").select(*columns).rows() == [
        ("c1-1", 5.0, 3.0),
        ("c1-2", 5.0, 3.0),
        ("c1-3", 5.0, 6.5),  # c1's mean with t2 is 8, c2's is 5
        ("c1-4", 5.0, 6.5),
        ("c1-5", 5.0, 3.0),
        ("c2-1", 5.0, 6.5),
    ]


def test_the_parts_add_up_to_the_score(warehouse):
    warehouse.given("raw_sessions", MOVER)
    grand = "(directiveness_therapist_mean - directiveness_therapist)"
    total = f"{grand} + directiveness_therapist + directiveness_client + directiveness_within"
    gap = f"max(abs({total} - directiveness_score)) < 1e-12"
    one_grand_mean = f"max({grand}) - min({grand}) < 1e-12"
    assert warehouse.build("mart_session_directiveness").select(gap, one_grand_mean).rows() == [(True, True)]


def test_lags_break_where_the_therapist_changes(warehouse):
    warehouse.given("raw_sessions", MOVER)
    before = (
        "session_id",
        "satisfaction_previous",
        "directiveness_within_previous",
        "is_asked_about_guidance_previous",
    )
    assert warehouse.build("mart_session_directiveness").select(*before).rows() == [
        ("c1-1", None, None, None),
        ("c1-2", 5.0, -3.0, True),
        ("c1-3", None, None, None),
        ("c1-4", 7.0, 4.0, None),
        ("c1-5", None, None, None),
        ("c2-1", None, None, None),
    ]
    after = ("session_id", "satisfaction_next", "directiveness_next", "directiveness_within_next")
    assert warehouse.select(*after).rows() == [
        ("c1-1", 6.0, 4.0, -1.0),
        ("c1-2", None, None, None),
        ("c1-3", 8.0, 7.0, 2.0),
        ("c1-4", None, None, None),
        ("c1-5", None, None, None),
        ("c2-1", None, None, None),
    ]


def test_lags_break_where_the_episode_changes_and_step_over_missed_appointments(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | episode_id | session_number | directiveness | satisfaction | attended
        c1        | t1           | e1         | 1              | 2             | 5            | T
        c1        | t1           | e1         | 2              |               |              | F
        c1        | t1           | e1         | 3              | 4             | 6            | T
        c1        | t1           | e2         | 1              | 6             | 7            | T
    """)  # fmt: skip
    rows = warehouse.build("mart_session_directiveness").select("session_id", "satisfaction_previous").rows()
    assert rows == [("e1-1", None), ("e1-3", 5.0), ("e2-1", None)]


def test_the_session_before_may_lack_a_rating_and_is_still_the_session_before(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | directiveness | satisfaction
        c1        | t1           | 1              | 2             | 5
        c1        | t1           | 2              |               | 6
        c1        | t1           | 3              | 4             | 7
    """)  # fmt: skip
    columns = ("session_id", "satisfaction_previous", "directiveness_previous", "directiveness_next")
    rows = warehouse.build("mart_session_directiveness").select(*columns).rows()
    assert rows == [("c1-1", None, None, None), ("c1-3", 6.0, None, None)]


def test_a_neighbour_outside_the_study_dates_is_no_neighbour(warehouse):
    warehouse.study(first_session="2024-01-05").given("raw_sessions", """
        client_id | therapist_id | session_number | session_date | directiveness | satisfaction
        c1        | t1           | 1              | 2024-01-01   | 2             | 5
        c1        | t1           | 2              | 2024-01-08   | 4             | 6
        c1        | t1           | 3              |              | 9             | 7
        c1        | t1           | 4              | 2024-01-22   | 6             | 8
    """)  # fmt: skip
    columns = ("session_id", "attended_number", "directiveness_client_mean", "satisfaction_previous")
    rows = warehouse.build("mart_session_directiveness").select(*columns).rows()
    assert rows == [("c1-2", 2, 5.0, None), ("c1-4", 4, 5.0, None)]
    rows = warehouse.build("mart_person_session").select("session_id", "directiveness_so_far").rows()
    assert rows == [("c1-2", 4.0), ("c1-4", 5.0)]


def test_preference_and_severity_join_on(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | directiveness
        c1        | t1           | 1              | 7
        c2        | t1           | 1              | 7
    """).given("raw_clients", """
        client_id | directiveness_preferred | reactance
        c1        | 4                       | 2
    """).given("raw_episodes", """
        episode_id | client_id | intake_severity
        c1         | c1        | 21
    """)  # fmt: skip
    columns = ("client_id", "directiveness_misfit", "reactance_score", "intake_severity_score")
    rows = warehouse.build("mart_session_directiveness").select(*columns).rows()
    assert rows == [("c1", 3.0, 2.0, 21.0), ("c2", None, None, None)]


@pytest.mark.parametrize(("fewest", "clients"), [(1, ["c1", "c2"]), (2, ["c1"]), (3, [])])
def test_clients_with_too_few_attended_sessions_are_in_no_mart(warehouse, fewest, clients):
    warehouse.study(min_attended_sessions=fewest).given("raw_sessions", """
        client_id | therapist_id | episode_id | session_number | directiveness | attended
        c1        | t1           | e1         | 1              | 7             | T
        c1        | t1           | e2         | 1              | 7             | T
        c2        | t2           | e3         | 1              | 7             | T
        c2        | t2           | e3         | 2              |               | F
    """)  # fmt: skip
    warehouse.build("mart_participant_flow")
    for mart in ("mart_session_directiveness", "mart_person_session", "mart_clients"):
        assert [name for (name,) in warehouse.table(mart).select("distinct client_id").rows()] == clients, mart
    assert len(warehouse.table("mart_therapists").rows()) == len(clients)
    assert len(warehouse.table("core_clients").rows()) == 2


def test_a_client_has_counts_means_and_the_latest_ending(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | episode_id | session_number | session_date | directiveness | satisfaction | attended
        c1        | t1           | late       | 1              | 2024-05-01   | 7             | 4            | T
        c1        | t2           | late       | 2              | 2024-05-08   | 4             |              | T
        c1        | t1           | zearly     | 1              | 2024-01-01   | 1             | 5            | T
        c1        | t1           | zearly     | 2              | 2024-01-08   |               |              | F
    """).given("raw_episodes", """
        episode_id | client_id | ending       | data_cut
        zearly     | c1        | client_ended | 2024-12-31
        late       | c1        | agreed       | 2024-12-31
    """).given("raw_clients", """
        client_id | age_band | gender
        c1        | 25-34    | woman
    """)  # fmt: skip
    columns = ("n_episodes", "n_appointments", "n_attended", "n_therapists", "directiveness_mean", "satisfaction_mean")
    rows = warehouse.build("mart_clients").select(*columns, "age_band", "gender", "ending_state").rows()
    assert rows == [(2, 4, 3, 2, 4.0, 4.5, "25-34", "woman", "planned")]


def test_an_episode_belongs_to_the_therapist_of_its_last_session(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | practice_id | session_number | directiveness | satisfaction
        c1        | t1           | p1          | 1              | 2             | 5
        c1        | t2           | p1          | 2              | 4             | 7
        c2        | t2           | p2          | 1              | 6             |
        c2        | t2           | p2          | 2              | 8             |
        c3        | t2           | p1          | 1              | 6             |
    """).given("raw_episodes", """
        episode_id | client_id | ending
        c1         | c1        | client_ended
        c2         | c2        | agreed
        c3         | c3        | open
    """)  # fmt: skip
    columns = ("therapist_id", "practice_id", "n_clients", "n_sessions", "n_episodes", "n_dropouts", "dropout_prop")
    rows = (
        warehouse.build("mart_therapists").select(*columns, "round(directiveness_mean, 9)", "satisfaction_mean").rows()
    )
    assert rows == [
        ("t1", "p1", 1, 1, 0, 0, None, 2.0, 5.0),
        ("t2", "p1", 3, 4, 3, 1, 0.5, round(17 / 3, 9), 7.0),
    ]
