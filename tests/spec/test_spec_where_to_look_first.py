"""mart_sessions and mart_episodes: what a researcher looks at first, with what is known of the client."""

SESSIONS = """
    client_id|episode_id|therapist_id|session_number|session_date|attended|directiveness|satisfaction
    c1 | e1 | t1 | 1 | 2024-01-01 | T | 4 | 6
    c1 | e1 | t2 | 2 | 2024-01-08 | T | 6 |
    c1 | e1 | t2 | 3 | 2024-01-15 | F |   |
    c2 | e2 | t1 | 1 | 2024-01-01 | T |   | 9
    c3 | e3 | t1 | 1 | 2023-01-01 | T | 5 | 5
"""
EPISODES = """
    episode_id | client_id | ending       | data_cut
    e1         | c1        | agreed       | 2024-12-01
    e2         | c2        | client_ended | 2024-12-01
"""
CLIENTS = """
    client_id | age_band | gender | directiveness_preferred
    c1        | 25-34    | woman  | 7
"""


def given(warehouse):
    warehouse.study(first_session="2024-01-01")
    return warehouse.given("raw_sessions", SESSIONS).given("raw_episodes", EPISODES).given("raw_clients", CLIENTS)


def test_sessions_are_all_attended_ones_of_the_cohort_rated_or_not(warehouse):
    rows = given(warehouse).build("mart_sessions").select(
        "session_id", "directiveness_score", "directiveness_within", "directiveness_preferred_score", "age_band",
        "is_last",
    )  # fmt: skip
    assert rows.rows() == [
        ("e1-1", 4.0, -1.0, 7.0, "25-34", False),
        ("e1-2", 6.0, 1.0, 7.0, "25-34", True),
        ("e2-1", None, None, None, None, True),  # c3 came before the first day
    ]


def test_episodes_have_their_means_their_last_therapist_and_how_they_ended(warehouse):
    rows = given(warehouse).build("mart_episodes").select(
        "episode_id", "therapist_id", "n_therapists", "n_appointments", "directiveness_mean", "satisfaction_mean",
        "gender", "ending_state", "is_dropout",
    )  # fmt: skip
    assert rows.rows() == [
        ("e1", "t2", 2, 3, 5.0, 6.0, "woman", "planned", 0),
        ("e2", "t1", 1, 1, None, 9.0, None, "dropout", 1),
    ]


def test_what_is_withheld_of_a_client_is_withheld_in_both(warehouse):
    given(warehouse).build("mart_episodes")
    warehouse._con.execute("update mart_clients set age_band = null, gender = null")
    for table in ("mart_sessions", "mart_episodes"):
        assert set(warehouse.table(table).select("age_band", "gender").rows()) == {(None, None)}
