"""One table for several kinds: what belongs to the client stands on each of the client's sessions."""

import pytest

from outcomes.contract import LeftOut, Rule
from outcomes.landing import Landed, land_inbox
from outcomes.trust.recording import record_state
from outcomes.trust.withdrawal import withdraw

FLAT = """
[study]
name = "flat"
[landing]
max_bad_share = 1
[sources.sessions]
pattern = "*all*"
format = "flat"
drop = ["note"]
[sources.episodes]
pattern = "*all*"
format = "flat"
[sources.episodes.columns]
episode_id = "client_id"
[sources.clients]
pattern = "*all*"
format = "flat"
missing = ["", "999"]
[scales.satisfaction]
minimum = 0
maximum = 10
rater = "client"
[scales.reactance]
minimum = 0
maximum = 5
rater = "client"
"""
HEADER = "client_id,therapist_id,session_number,satisfaction,gender,reactance,ending,note"


@pytest.fixture
def flat(door):
    (door.root / "study.toml").write_text(FLAT, encoding="utf-8")
    return door


def landed_from(flat, *rows: str, header: str = HEADER) -> dict[str, Landed]:
    (flat.root / "inbox" / "all.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    report = land_inbox(flat.study)
    assert not report.refused, report.refused
    return {landed.kind: landed for landed in report.landed}


def test_a_client_is_one_row_however_many_sessions_repeat_it(flat):
    landed = landed_from(
        flat,
        "c1,t1,1,5,woman,2,agreed,x", "c1,t1,2,6,woman,2,agreed,y", "c2,t1,1,7,man,3,,", "c1,t1,3,7,woman,2,agreed,",
    )  # fmt: skip
    assert sorted(flat.rows(landed["clients"], "client_id", "gender", "reactance")) == [
        ("c1", "woman", 2), ("c2", "man", 3),
    ]  # fmt: skip
    assert sorted(flat.rows(landed["episodes"], "episode_id", "client_id", "ending")) == [
        ("c1", "c1", "agreed"), ("c2", "c2", None),
    ]  # fmt: skip
    assert len(flat.rows(landed["sessions"], "client_id")) == 4
    for kind, n_repeated in (("clients", 2), ("episodes", 2)):
        manifest = flat.manifest(landed[kind])
        assert manifest["rows_left_out"] == {LeftOut.REPEATED: n_repeated}
        assert manifest["rows_in_export"] == 4


def test_what_stands_on_the_first_row_only_is_the_clients_all_the_same(flat):
    landed = landed_from(flat, "c1,t1,1,5,,999,,", "c1,t1,2,6,woman,,,", "c1,t1,3,6, ,4,agreed,")
    assert flat.rows(landed["clients"], "gender", "reactance") == [("woman", 4)]
    assert flat.rows(landed["episodes"], "ending") == [("agreed",)]


def test_a_client_of_whom_rows_say_different_things_is_quarantined_and_the_sessions_stay(flat):
    landed = landed_from(
        flat, "c1,t1,1,5,woman,2,agreed,", "c1,t1,2,6,man,2,agreed,", "c1,t1,3,6,man,2,agreed,", "c2,t1,1,7,man,3,,"
    )
    assert flat.rows(landed["clients"], "client_id") == [("c2",)]
    assert [(row["line"], row["rule"]) for row in flat.quarantined(landed["clients"])] == [
        ("2", Rule.CONFLICTING_ROWS), ("3", Rule.CONFLICTING_ROWS),
    ]  # fmt: skip
    assert len(flat.rows(landed["sessions"], "client_id")) == 4
    assert sorted(flat.rows(landed["episodes"], "client_id", "ending")) == [("c1", "agreed"), ("c2", None)]


def test_a_client_without_sessions_has_a_row_that_is_no_session(flat):
    landed = landed_from(flat, "c1,t1,1,5,woman,2,agreed,", "c2,,,,man,3,client_ended,")
    assert flat.rows(landed["sessions"], "client_id") == [("c1",)]
    assert flat.manifest(landed["sessions"])["rows_left_out"] == {LeftOut.EMPTY_SESSION: 1}
    assert len(flat.rows(landed["clients"], "client_id")) == 2


def test_a_row_of_nobody_is_quarantined_for_every_kind(flat):
    landed = landed_from(flat, "c1,t1,1,5,woman,2,agreed,", ",t1,2,5,woman,2,agreed,", ",t1,3,5,man,1,,")
    assert {kind: one.rows_quarantined for kind, one in landed.items()} == dict.fromkeys(landed, 2)


def test_a_withdrawn_client_leaves_the_file_and_every_kind(flat):
    rows = [f"c{place:02}k7m3,t1,{number},5,woman,2,agreed," for place in range(3) for number in (1, 2)]
    landed_from(flat, *rows)
    record_state(flat.study)
    done = withdraw(flat.study, frozenset({"c01k7m3"}))
    assert done.source_rows == 2
    text = (flat.root / "inbox" / "all.csv").read_text(encoding="utf-8")
    assert text.splitlines() == [HEADER, *(row for row in rows if "c01k7m3" not in row)]
