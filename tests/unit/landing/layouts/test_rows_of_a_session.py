"""Several rows make one session: answers to items, and codes of utterances."""

import random

import pytest

from outcomes.contract import LeftOut, Refusal, Rule
from outcomes.errors import StudyError
from outcomes.landing import Landed, Refused

ITEMS = 'format = "items"\nitems = { item = "question", answer = "response" }'
PHQ = """
[scales.distress]
minimum = 0
maximum = 27
rater = "client"
[instruments.distress]
instrument = "PHQ-9"
items = "{item}"
"""
CODED = (
    'format = "coded"\ncoded = { code = "misc", coder = "rater", utterance = "turn", directive = ["ADW", "CO"], '
    'not_directive = ["OQ", "RE"], not_counted = ["FI"] }'
)


def answers(*rows: str) -> str:
    return "\n".join(["therapist_id,client_id,session_number,question,response", *rows]) + "\n"


def of_one(session: int, *responses: str) -> list[str]:
    return [f"t1,c1,{session},{item},{one}" for item, one in enumerate(responses, start=1)]


def codes(*rows: str) -> str:
    return "\n".join(["therapist_id,client_id,session_number,turn,rater,misc", *rows]) + "\n"


def coded(door, maximum: int = 1) -> None:
    """Give directiveness a scale for a share."""
    path, head = door.root / "study.toml", "[scales.directiveness]\nminimum = 0\nmaximum = "
    path.write_text(path.read_text().replace(f"{head}10", f"{head}{maximum}"))


def test_rows_of_answers_become_one_row_a_session_with_its_score(door):
    door.declare(sessions=ITEMS, scales=PHQ)
    rows = [*of_one(1, *"112201120"), *of_one(2, *"333333333"), "t1,c1,2,10,3"]
    random.Random(1).shuffle(rows)
    landed = door.land(answers(*rows))
    assert sorted(door.rows(landed, "session_number", "other_scores['distress']")) == [(1, 10), (2, 27)]
    manifest = door.manifest(landed)
    assert manifest["rows_left_out"] == {LeftOut.JOINED: 16, LeftOut.OTHER_ITEM: 1}
    assert manifest["rows_in_export"] == 19 == manifest["rows_read"] + sum(manifest["rows_left_out"].values())


def test_an_answer_that_stands_twice_or_contradicts_itself_is_quarantined(door):
    door.declare(sessions=ITEMS, scales=PHQ)
    landed = door.land(answers(*of_one(1, *"112201120"), "t1,c1,1,3,2", *of_one(2, *"112201120"), "t1,c1,2,4,0"))
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [
        ("11", Rule.DUPLICATE_ROW),
        ("15", Rule.CONFLICTING_ROWS),
        ("21", Rule.CONFLICTING_ROWS),
    ]
    # The score of the second session lacks an item, and the rule allows for none.
    assert sorted(door.rows(landed, "session_number", "other_scores['distress']")) == [(1, 10), (2, None)]


def test_items_of_several_questionnaires_are_told_apart_by_their_column(door):
    door.declare(
        sessions='format = "items"\nitems = { instrument = "form" }', scales=PHQ.replace('"{item}"', '"phq_{item}"')
    )
    rows = [f"t1,c1,1,{form},{item},1" for form, n in (("PHQ", 9), ("GAD", 7)) for item in range(1, n + 1)]
    landed = door.land("therapist_id,client_id,session_number,form,item,answer\n" + "\n".join(rows) + "\n")
    assert door.rows(landed, "other_scores['distress']") == [(9,)]
    assert door.manifest(landed)["rows_left_out"] == {LeftOut.JOINED: 8, LeftOut.OTHER_ITEM: 7}


def test_an_answer_out_of_range_puts_its_session_aside(door):
    door.declare(sessions=ITEMS, scales=PHQ)
    landed = door.land(answers(*of_one(1, *"112201120"), *of_one(2, *"112901120")))
    assert landed.rows_landed == 1
    assert [(row["rule"], row["column"]) for row in door.quarantined(landed)] == [(Rule.OUT_OF_RANGE, "4")]


def test_codes_become_the_share_of_directive_ones_as_the_mean_over_coders(door):
    door.declare(sessions=CODED)
    coded(door)
    landed = door.land(
        codes(
            "t1,c1,1,1,ann,ADW", "t1,c1,1,2,ann,co", "t1,c1,1,3,ann,OQ", "t1,c1,1,4,ann,RE", "t1,c1,1,5,ann,FI",
            "t1,c1,1,1,bob,ADW", "t1,c1,1,2,bob,RE", "t1,c1,1,3,bob,OQ", "t1,c1,1,4,bob,RE",
            "t1,c1,2,1,ann,FI",
        )
    )  # fmt: skip
    assert isinstance(landed, Landed), landed
    assert door.rows(landed, "session_number", "directiveness") == [(1, 0.375), (2, None)]
    manifest = door.manifest(landed)
    assert manifest["rows_left_out"] == {LeftOut.JOINED: 8}
    # Four utterances twice: agreed on three. Kappa (.75 - .5) / (1 - .5); alpha 1 - (8 - 1) * 2 / (2 * 3 * 5).
    agreement = manifest["agreement"]
    assert agreement["n_utterances_twice"] == 4
    assert agreement["cohens_kappa"] == pytest.approx(0.5)
    assert agreement["krippendorffs_alpha"] == pytest.approx(1 - 7 * 2 / (2 * 3 * 5))
    assert agreement["reliability"] is None  # one session was coded twice
    assert any("2 utterances have a code that does not count" in note for note in manifest["notes"])


def test_the_error_of_the_coders_is_carried_as_a_reliability(door):
    door.declare(sessions=CODED)
    coded(door, maximum=100)
    chance, rows = random.Random(3), []
    for session in range(1, 31):
        level = chance.random()
        for turn in range(40):
            truth = chance.random() < level
            for coder in ("ann", "bob"):
                seen = truth if chance.random() < 0.9 else not truth
                rows.append(f"t1,c1,{session},{turn},{coder},{'ADW' if seen else 'RE'}")
    landed = door.land(codes(*rows))
    agreement = door.manifest(landed)["agreement"]
    assert agreement["n_sessions_twice"] == 30
    assert (
        0.5 < agreement["krippendorffs_alpha"] < 0.75
    )  # nine of ten right by each: .64 where both codes are as frequent
    assert 0.9 < agreement["reliability"] < 1
    assert max(value for (value,) in door.rows(landed, "directiveness")) > 50


def test_an_unknown_code_and_an_utterance_coded_twice_by_one_coder_are_quarantined(door):
    door.declare(sessions=CODED)
    coded(door)
    landed = door.land(
        codes("t1,c1,1,1,ann,ADW", "t1,c1,1,2,ann,ZZ", "t1,c1,1,3,ann,RE", "t1,c1,1,4,ann,OQ", "t1,c1,1,4,ann,CO")
    )
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [
        ("3", Rule.UNKNOWN_CODE),
        ("5", Rule.CONFLICTING_ROWS),
        ("6", Rule.CONFLICTING_ROWS),
    ]
    assert door.rows(landed, "directiveness") == [(0.5,)]


@pytest.mark.parametrize("drop", ["", 'drop = ["said"]\n'])
def test_a_transcript_is_refused_dropped_or_not(door, drop):
    door.declare(sessions=drop + CODED)
    coded(door)
    said = "I have been thinking about what you told me last week marker"
    head = "therapist_id,client_id,session_number,turn,rater,misc,said"
    refused = door.land(f"{head}\nt1,c1,1,1,ann,ADW,{said}\nt1,c1,1,2,ann,RE,yes\n")
    assert isinstance(refused, Refused)
    assert refused.refusal == Refusal.FREE_TEXT
    assert "said" in refused.message
    assert "marker" not in str(refused) + door.everything_kept()


def test_a_share_needs_a_scale_for_a_share(door):
    door.declare(sessions=CODED)
    with pytest.raises(StudyError, match="minimum = 0, maximum = 1"):
        door.land(codes("t1,c1,1,1,ann,ADW"))


@pytest.mark.parametrize(
    ("sessions", "said"),
    [
        (CODED.replace('not_directive = ["OQ", "RE"], ', ""), "both directive and not_directive"),
        (CODED.replace('"FI"', '"CO"'), "these have two: CO"),
        (CODED.replace('format = "coded"\n', ""), 'need format = "coded"'),
        (ITEMS.replace('format = "items"\n', ""), 'need format = "items"'),
    ],
)
def test_a_mistake_in_the_options_is_told(door, sessions, said):
    door.declare(sessions=sessions)
    with pytest.raises(StudyError, match=said):
        door.study  # noqa: B018


def test_a_file_without_the_columns_of_its_layout_is_refused_with_those_it_has(door):
    door.declare(sessions=ITEMS, scales=PHQ)
    refused = door.land("therapist_id,client_id,session_number,item,answer\nt1,c1,1,1,2\n")
    assert refused.refusal == Refusal.MISSING_COLUMNS
    assert "question" in refused.message
    assert "items.item" in refused.hint


def test_items_of_a_score_are_kept_where_all_that_is_not_mapped_is_dropped(door):
    door.declare(
        sessions='format = "wide"\ndrop = ["*"]\n[sources.sessions.columns]\ntherapist_id = "therapist"\n'
        'client_id = "client"\nsession_number = "nr"\n',
        scales=PHQ.replace('"{item}"', '"phq{item}"'),
    )
    head = "therapist,client,nr,remark," + ",".join(f"phq{item}" for item in range(1, 10))
    landed = door.land(f"{head}\nt1,c1,1,x,1,1,2,2,0,1,1,2,0\n")
    assert door.rows(landed, "other_scores['distress']") == [(10,)]
    assert door.manifest(landed)["columns_dropped"] == ["remark"]
