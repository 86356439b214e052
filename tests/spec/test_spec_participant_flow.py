"""Who is in, who is not, and why."""

SESSIONS = """
    client_id|therapist_id|session_number|session_date|attended|directiveness|satisfaction|batch_id|sequence
    c1 | t1 | 1 | 2024-01-01 | T | 5 | 5 | b1 | 1
    c1 | t1 | 1 | 2024-01-01 | T | 6 | 5 | b2 | 2
    c1 | t1 | 2 | 2024-01-08 | T |  | 5 | b1 | 1
    c1 | t1 | 3 | 2024-01-15 | T | 5 |  | b1 | 1
    c2 | t2 | 1 | 2023-01-01 | T | 5 | 5 | b1 | 1
    c3 | t2 | 1 | 2024-01-01 | T | 5 | 5 | b1 | 1
    c3 | t2 | 2 | 2024-01-08 | F |  |  | b1 | 1
    c4 | t3 | 1 | 2024-01-01 | T | 5 | 5 | b1 | 1
    c4 | t3 | 2 | 2024-01-08 | T | 5 | 5 | b1 | 1
    c5 | t3 | 1 | 2024-11-01 | T | 5 | 5 | b1 | 1
    c5 | t3 | 2 | 2024-11-08 | T | 5 | 5 | b1 | 1
"""
BATCHES = """
    batch_id | kind     | sequence | n_read | n_quarantined
    b1       | sessions | 1        | 14     | 4
    b2       | sessions | 2        | 1      | 0
    b3       | episodes | 3        | 3      | 0
"""
EPISODES = """
    episode_id | client_id | ending | data_cut   | batch_id | sequence
    c1         | c1        | agreed | 2024-12-01 | b3       | 3
    c4         | c4        |        | 2024-12-01 | b3       | 3
    c5         | c5        | open   | 2024-12-01 | b3       | 3
"""
COUNTS = ("n_sessions", "n_episodes", "n_clients", "n_therapists", "n_sessions_excluded", "n_clients_excluded")


def flow(warehouse):
    warehouse.study(first_session="2024-01-01", min_attended_sessions=2)
    warehouse.given("raw_sessions", SESSIONS).given("raw_batches", BATCHES).given("raw_episodes", EPISODES)
    return warehouse.build("mart_participant_flow")


def test_every_exclusion_is_counted_once(warehouse):
    assert flow(warehouse).select("step_number", *COUNTS).rows() == [
        (1, 15, None, None, None, None, None),  # rows read
        (2, 11, None, None, None, 4, None),  # four quarantined
        (3, 10, 5, 5, 3, 1, None),  # one replaced by a later file
        (4, 9, 4, 4, 3, 1, 1),  # c2 came before the first day
        (5, 8, 4, 4, 3, 1, 0),  # c3 missed one
        (6, 7, 3, 3, 2, 1, 1),  # c3 came once only
        (7, 6, 3, 3, 2, 1, 0),  # c1 did not rate directiveness once
        (8, 5, 3, 3, 2, 1, 0),  # c1 did not rate satisfaction once
        (9, 7, 3, 3, 2, None, None),  # the risk set starts from step 6
        (10, 6, 3, 3, 2, 1, 0),  # c4 is silent
        (11, 5, 3, 3, 2, 1, 0),  # c5 is open
    ]


def test_the_steps_end_at_the_tables_that_models_read(warehouse):
    sizes = dict(flow(warehouse).select("step_number", "n_sessions").rows())
    assert sizes[3] == len(warehouse.table("core_sessions").rows())
    assert sizes[7] == len(warehouse.table("mart_session_directiveness").rows())
    rated = warehouse.select("count(satisfaction_score)").rows()
    assert [(sizes[8],)] == rated
    assert sizes[9] == len(warehouse.table("mart_person_session").rows())
    assert [(sizes[11],)] == warehouse.select("count(is_dropout)").rows()


def test_the_reasons_name_the_studys_own_thresholds(warehouse):
    reasons = dict(flow(warehouse).select("step_number", "reason").rows())
    assert "fewer than 2 attended" in reasons[6]
    assert "silent for 90 days" in reasons[10]


def test_quarantine_rules_stand_beside_the_flow(warehouse):
    warehouse.given("raw_quarantine", """
        batch_id | kind     | rule         | reason             | n_rows
        b1       | sessions | out_of_range | a value is too far | 4
    """)  # fmt: skip
    rows = warehouse.build("core_quarantine").rows()
    assert rows == [("b1", "sessions", "out_of_range", "a value is too far", 4)]
