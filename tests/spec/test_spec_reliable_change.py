"""From scores made of items to each client's reliable change."""

import random

import numpy as np

from outcomes.scoring.classes import ChangeClass
from outcomes.scoring.reliable_change import classify_change, reliable_change_index, reliable_change_threshold

INSTRUMENTS = """
    scale    | instrument | is_higher_better | cutoff | std_error | smallest_reliable_change
    distress | PHQ-9      | F                | 10     | 3.0       | 6
    hope     | ORS        | T                | 25     |           | 5
    climate  | HCCQ       | T                |        |           |
    guidance | C-NIP      |                  |        | 2.0       | 4
"""


def test_a_change_runs_from_the_first_to_the_last_measured_session_of_the_cohort(warehouse):
    warehouse.given("study_instruments", INSTRUMENTS)
    warehouse.given(
        "core_cohort_sessions",
        """
        client_id | episode_id | session_id | session_number | session_date
        c1        | e1         | e1-1       | 1              | 2024-01-01
        c1        | e1         | e1-2       | 2              | 2024-01-08
        c1        | e2         | e2-1       | 1              | 2025-01-01
        c2        | e3         | e3-1       | 1              |
        c2        | e3         | e3-10      | 10             |
        c2        | e3         | e3-9       | 9              |
        """,
    )
    warehouse.given(
        "core_measures",
        """
        client_id | session_id | scale    | instrument | rule_version | n_answered | score
        c1        | e2-1       | distress | PHQ-9      | 1            | 9          | 9
        c1        | e1-1       | distress | PHQ-9      | 1            | 9          | 20
        c1        | e1-2       | distress | PHQ-9      | 1            | 8          |
        c2        | e3-9       | distress | PHQ-9      | 1            | 9          | 20
        c2        | e3-10      | distress | PHQ-9      | 1            | 9          | 11
        c2        | e3-1       | distress | PHQ-9      | 1            | 9          | 12
        c3        | e9-1       | distress | PHQ-9      | 1            | 9          | 12
        """,
    )
    rows = warehouse.build("mart_reliable_change").select(
        "client_id", "n_measured", "score_first", "score_last", "score_change", "reliable_change_index",
        "is_clinical_first", "is_clinical_last", "change_class",
    ).rows()  # fmt: skip
    assert rows == [
        ("c1", 2, 20, 9, -11, -11 / 3, True, False, "recovered"),
        ("c2", 3, 12, 11, -1, -1 / 3, True, True, "unchanged"),
    ]


def test_nothing_is_said_of_a_change_that_cannot_be_judged(warehouse):
    warehouse.given("study_instruments", INSTRUMENTS)
    warehouse.given(
        "core_cohort_sessions",
        """
        client_id | episode_id | session_id | session_number
        c1        | e1         | e1-1       | 1
        c1        | e1         | e1-2       | 2
        """,
    )
    warehouse.given(
        "core_measures",
        """
        client_id | session_id | scale    | instrument | rule_version | n_answered | score
        c1        | e1-1       | climate  | HCCQ       | 1            | 15         | 2
        c1        | e1-2       | climate  | HCCQ       | 1            | 15         | 6
        c1        | e1-1       | guidance | C-NIP      | 1            | 5          | -5
        c1        | e1-2       | guidance | C-NIP      | 1            | 5          | 5
        c1        | e1-1       | hope     | ORS        | 1            | 4          | 10
        c1        | e1-1       | distress | PHQ-9      | 1            | 9          | 20
        c1        | e1-2       | distress | PHQ-9      | 2            | 9          | 2
        """,
    )
    rows = warehouse.build("mart_reliable_change").select(
        "scale", "score_change", "reliable_change_index", "is_clinical_last", "change_class"
    )
    assert rows.rows() == [
        ("climate", 4, None, None, None),  # neither an error nor a cutoff is known
        ("distress", None, None, False, None),  # two versions of the rule
        ("guidance", 10, 5, None, None),  # neither end is better
        ("hope", None, None, True, None),  # measured once
    ]


def test_the_table_says_what_the_scoring_functions_say(warehouse):
    chance = random.Random(5)
    sd, reliability = 7.5, 0.8
    threshold = reliable_change_threshold(sd, reliability)
    first, last = ([chance.randint(0, 40) for _ in range(300)] for _ in range(2))
    for is_higher_better, cutoff in ((True, 25), (False, 11)):
        warehouse.given(
            "study_instruments",
            f"""scale | instrument | is_higher_better | cutoff | std_error | smallest_reliable_change
            s     | X          | {is_higher_better} | {cutoff} | {sd * np.sqrt(2 * (1 - reliability))!r} | {threshold!r}
            """.replace("np.float64(", "").replace(")", ""),
        )
        sessions = "client_id | episode_id | session_id | session_number\n"
        measures = "client_id | session_id | scale | instrument | rule_version | n_answered | score\n"
        for client, scores in enumerate(zip(first, last, strict=True)):
            for number, value in enumerate(scores, start=1):
                sessions += f"c{client:03} | e{client} | e{client}-{number} | {number}\n"
                measures += f"c{client:03} | e{client}-{number} | s | X | 1 | 4 | {value}\n"
        warehouse.given("core_cohort_sessions", sessions).given("core_measures", measures)
        rows = (
            warehouse.build("mart_reliable_change").select("client_id", "reliable_change_index", "change_class").rows()
        )
        theirs = classify_change(first, last, threshold, cutoff, is_higher_better=is_higher_better)
        assert [said for _, _, said in rows] == theirs.tolist()
        assert set(theirs) == set(ChangeClass) - {ChangeClass.MISSING}
        index = reliable_change_index(first, last, sd, reliability)
        assert np.allclose([index for _, index, _ in rows], index)
