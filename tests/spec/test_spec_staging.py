"""From landed rows to current, turned ratings."""

import pytest


def test_a_later_file_that_repeats_a_session_replaces_it(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | satisfaction | batch_id | sequence
        c1        | t1           | 1              | 3            | b1       | 1
        c1        | t1           | 2              | 4            | b1       | 1
        c1        | t1           | 1              | 7            | b2       | 2
        c1        | t1           | 1              | 9            | b3       | 3
    """)  # fmt: skip
    rows = warehouse.build("core_sessions").select("session_number", "satisfaction_score", "batch_id").rows()
    assert rows == [(1, 9.0, "b3"), (2, 4.0, "b1")]


def test_every_row_of_every_batch_is_accounted_for(warehouse):
    warehouse.given("raw_sessions", """
        client_id | therapist_id | session_number | batch_id | sequence
        c1        | t1           | 1              | b1       | 1
        c1        | t1           | 2              | b1       | 1
        c1        | t1           | 1              | b2       | 2
    """).given("raw_clients", """
        client_id | batch_id | sequence
        c1        | b3       | 3
        c1        | b4       | 4
    """).given("raw_batches", """
        batch_id | kind     | sequence | n_read | n_quarantined
        b1       | sessions | 1        | 5      | 3
        b2       | sessions | 2        | 1      | 0
        b3       | clients  | 3        | 1      | 0
        b4       | clients  | 4        | 2      | 1
    """)  # fmt: skip
    columns = ("batch_id", "n_read", "n_quarantined", "n_superseded", "n_current")
    rows = warehouse.build("core_batches").select(*columns).rows()
    assert rows == [("b1", 5, 3, 1, 1), ("b2", 1, 0, 0, 1), ("b3", 1, 0, 1, 0), ("b4", 2, 1, 0, 1)]
    assert all(read == quarantined + superseded + now for _, read, quarantined, superseded, now in rows)


def test_sessions_that_two_practices_tell_differently_are_counted_in_both_files(warehouse):
    warehouse.given("raw_sessions", """
        practice_id | client_id | therapist_id | session_number | satisfaction | batch_id | sequence
        north       | c1        | t1           | 1              | 3            | b1       | 1
        north       | c2        | t1           | 1              | 4            | b1       | 1
        north       | c3        | t1           | 1              | 5            | b1       | 1
        north       | c4        | t1           | 1              |              | b1       | 1
        north       | c5        | t1           | 1              | 7            | b1       | 1
        south       | c1        | t1           | 1              | 8            | b2       | 2
        south       | c2        | t1           | 1              | 4            | b2       | 2
        north       | c3        | t1           | 1              | 6            | b2       | 2
        south       | c4        | t2           | 1              |              | b2       | 2
    """)  # fmt: skip
    # c1 has another rating, c4 another therapist; c2 has another practice only, c3 is corrected within its practice
    rows = warehouse.build("core_batches").select("batch_id", "n_superseded", "n_contested").rows()
    assert rows == [("b1", 4, 2), ("b2", 0, 2)]


def test_a_later_file_of_episodes_or_clients_replaces_what_it_repeats(warehouse):
    warehouse.given("raw_episodes", """
        episode_id | client_id | ending | batch_id | sequence
        e1         | c1        | open   | b1       | 1
        e1         | c1        | agreed | b2       | 2
        e2         | c2        | open   | b1       | 1
    """).given("raw_clients", """
        client_id | reactance | batch_id | sequence
        c1        | 1         | b3       | 3
        c1        | 2         | b4       | 4
    """)  # fmt: skip
    assert warehouse.build("core_clients").select("client_id", "reactance_score").rows() == [("c1", 2.0), ("c2", None)]
    assert warehouse.table("core_episodes").select("episode_id", "ending").rows() == [("e1", "agreed"), ("e2", "open")]


def test_a_scale_that_counts_downwards_is_turned_about_its_middle(warehouse):
    warehouse.given("study_scales", """
        scale                   | minimum | maximum | is_turned | turning_point
        satisfaction            | 1       | 5       | T         | 6
        directiveness           | 0       | 10      | F         | 10
        directiveness_preferred | 0       | 10      | T         | 10
        calm                    | 1       | 7       | T         | 8
        hope                    | 1       | 7       | F         | 8
    """).given("raw_sessions", """
        client_id | therapist_id | session_number | satisfaction | directiveness | other_scores
        c1        | t1           | 1              | 1            | 2             | {calm=1.0, hope=2.0}
        c1        | t1           | 2              |              |               |
    """).given("raw_clients", """
        client_id | directiveness_preferred
        c1        | 3
    """)  # fmt: skip
    columns = ("session_number", "satisfaction_score", "directiveness_score", "calm_score", "hope_score")
    rows = warehouse.build("core_clients").table("core_sessions").select(*columns).rows()
    assert rows == [(1, 5.0, 2.0, 7.0, 2.0), (2, None, None, None, None)]
    assert warehouse.table("core_clients").select("directiveness_preferred_score").rows() == [(7.0,)]


def test_dates_number_the_sessions_where_the_study_says_so(warehouse):
    warehouse.study(order_by="date").given("raw_sessions", """
        client_id | therapist_id | session_date | attended | batch_id | sequence
        c1        | t1           | 2024-03-01   | T        | b1       | 1
        c1        | t1           | 2024-01-01   | T        | b1       | 1
        c1        | t1           | 2024-02-01   | F        | b1       | 1
        c2        | t1           | 2024-02-01   | T        | b1       | 1
        c1        | t2           | 2024-03-01   | T        | b2       | 2
    """)  # fmt: skip
    columns = ("session_id", "session_number", "attended_number", "therapist_id")
    rows = warehouse.build("core_sessions").select(*columns).rows()
    assert rows == [("c1-1", 1, 1, "t1"), ("c1-2", 2, None, "t1"), ("c1-3", 3, 2, "t2"), ("c2-1", 1, 1, "t1")]


@pytest.mark.parametrize("order", ["number", "row"])
def test_the_sources_number_is_kept_even_where_one_is_missing(warehouse, order):
    warehouse.study(order_by=order).given("raw_sessions", """
        client_id | therapist_id | session_number | attended
        c1        | t1           | 5              | T
        c1        | t1           | 1              | T
        c1        | t1           | 3              | F
    """)  # fmt: skip
    rows = warehouse.build("core_sessions").select("session_number", "attended_number").rows()
    assert rows == [(1, 1), (3, None), (5, 2)]
