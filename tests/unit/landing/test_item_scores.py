"""Items of a questionnaire become scores at the door: by the registry's rule, with every bad answer told."""

import numpy as np
import polars as pl
import pytest

from outcomes.contract import Refusal, Rule
from outcomes.errors import StudyError
from outcomes.landing import Landed, Refused
from outcomes.scoring.instruments import INSTRUMENTS
from outcomes.scoring.scores import score

PHQ = """
[scales.distress]
minimum = 0
maximum = 27
rater = "client"
[instruments.distress]
instrument = "PHQ-9"
items = "phq9_{item}"
"""
HEAD = "therapist_id,client_id,session_number," + ",".join(f"phq9_{item}" for item in range(1, 10))
ROW = "t1,c1,{number},{answers}"


def lines(*answers: str, head: str = HEAD) -> str:
    return "\n".join([head, *(ROW.format(number=n, answers=one) for n, one in enumerate(answers, start=1))]) + "\n"


def measured(door, landed: Landed, scale: str = "distress") -> list[tuple]:
    fields = ("instrument", "version", "n_answered", "value", "stored")
    return door.rows(landed, *(f"measured['{scale}'].{field}" for field in fields))


def test_item_columns_become_a_score_with_its_instrument_version_and_number_of_answers(door):
    door.declare(scales=PHQ)
    landed = door.land(lines("1,1,2,2,0,1,1,2,0", "3,3,3,3,3,3,3,3,3"))
    assert isinstance(landed, Landed)
    assert door.rows(landed, "other_scores['distress']") == [(10,), (27,)]
    assert measured(door, landed) == [("PHQ-9", "1", 9, 10, None), ("PHQ-9", "1", 9, 27, None)]


def test_an_answer_out_of_range_is_quarantined_with_its_item_and_no_score_is_made_of_it(door):
    door.declare(scales=PHQ)
    outcome = door.land(lines("1,1,2,2,0,1,1,2,0", "1,1,2,4,0,1,1,2,0", "1,1,2,1.5,0,1,1,2,0", "1,1,2,x,0,1,1,2,0"))
    assert outcome.rows_landed == 1
    assert [(row["line"], row["rule"], row["column"]) for row in door.quarantined(outcome)] == [
        ("3", Rule.OUT_OF_RANGE, "phq9_4"),
        ("4", Rule.NOT_AN_INTEGER, "phq9_4"),
        ("5", Rule.NOT_AN_INTEGER, "phq9_4"),
    ]


def test_too_few_answers_give_no_score_and_none_at_all_give_none(door):
    door.declare(scales=PHQ)
    landed = door.land(lines("1,1,2,2,0,1,1,2,", ",,,,,,,,"))
    assert [(n, value) for _, _, n, value, _ in measured(door, landed)] == [(8, None), (0, None)]


def test_a_stored_total_is_held_against_the_items_and_the_rules_score_counts(door):
    door.declare(scales=PHQ)
    head = f"{HEAD},distress"
    landed = door.land(lines("1,1,2,2,0,1,1,2,0,13", "1,1,2,2,0,1,1,2,0,10", ",,,,,,,,,7", "1,,,,,,,,,7", head=head))
    assert door.rows(landed, "other_scores['distress']") == [(10,), (10,), (7,), (None,)]
    assert [(n, value, stored) for _, _, n, value, stored in measured(door, landed)] == [
        (9, 10, 13),
        (9, 10, 10),
        (0, 7, 7),  # no item was entered: the total is all there is
        (1, None, 7),
    ]


def test_a_stored_total_out_of_range_is_quarantined(door):
    door.declare(scales=PHQ)
    assert door.broken(lines("1,1,2,2,0,1,1,2,0,28", head=f"{HEAD},distress")) == [(2, Rule.OUT_OF_RANGE)]


def test_a_file_without_items_has_its_totals_as_before(door):
    door.declare(scales=PHQ)
    landed = door.land("therapist_id,client_id,session_number,distress\nt1,c1,1,12\n")
    assert door.rows(landed, "other_scores['distress']") == [(12,)]


def test_a_file_that_lacks_an_item_is_refused_with_its_name(door):
    door.declare(scales=PHQ)
    refused = door.land(lines("1,1,2,2,0,1,1,2", head=HEAD.replace(",phq9_9", "")))
    assert isinstance(refused, Refused)
    assert refused.refusal == Refusal.MISSING_COLUMNS
    assert "phq9_9" in refused.message
    assert "PHQ-9" in refused.message


def test_numbers_of_items_may_have_a_leading_nought_and_names_any_letter_case(door):
    door.declare(scales=PHQ)
    landed = door.land(lines("1,1,2,2,0,1,1,2,0", head=HEAD.replace("phq9_", "PHQ9_0")))
    assert door.rows(landed, "other_scores['distress']") == [(10,)]


def test_items_may_be_named_one_by_one_and_feed_a_scale_of_the_contract(door):
    door.declare(
        scales="""
[scales.alliance]
minimum = 0
maximum = 40
rater = "client"
[instruments.alliance]
instrument = "SRS"
columns = ["heard", "aims", "ways", "all_in_all"]
"""
    )
    head = "therapist_id,client_id,session_number,heard,aims,ways,all_in_all"
    landed = door.land(lines("9.2,8.8,9,9", head=head))
    assert door.rows(landed, "alliance") == [(36,)]


def test_two_scales_may_be_made_of_the_same_items(door):
    part = '[scales.{0}]\nminimum = 1\nmaximum = 5\nrater = "client"\n'
    scored = '[instruments.{0}]\ninstrument = "WAI-SR"\nscale = "{0}"\nitems = "wai{{item}}"\n'
    door.declare(scales="".join((part + scored).format(name) for name in ("task", "goal", "bond", "alliance")))
    head = "therapist_id,client_id,session_number," + ",".join(f"wai{item}" for item in range(1, 13))
    landed = door.land(lines("1,1,1,5,1,4,1,3,1,1,2,1", "1,1,1,5,1,4,1,3,,1,2,1", head=head))
    assert door.rows(landed, "other_scores['goal']", "other_scores['bond']") == [(3.5, 1), (3.5, None)]


def test_answers_of_a_missed_session_are_told(door):
    door.declare(scales=PHQ)
    head = f"{HEAD},attended"
    assert door.broken(lines("1,1,2,2,0,1,1,2,0,no", ",,,,,,,,,no", head=head)) == [(2, Rule.RATED_BUT_ABSENT)]


def test_items_are_read_from_parquet_and_ndjson_too(door, tmp_path):
    door.declare(scales=PHQ)
    answers = [1, 1, 2, 2, 0, 1, 1, 2, 0]
    items = {f"phq9_{item}": [answer] for item, answer in enumerate(answers, start=1)}
    frame = pl.DataFrame({"therapist_id": ["t1"], "client_id": ["c1"], "session_number": [1], **items})
    frame.write_parquet(tmp_path / "one.parquet")
    for name, content in (
        ("sessions.parquet", (tmp_path / "one.parquet").read_bytes()),
        ("sessions.ndjson", frame.write_ndjson()),
    ):
        assert door.rows(door.land(content, name), "other_scores['distress']") == [(10,)]


@pytest.mark.parametrize("entry", [one for one in INSTRUMENTS if one.scales], ids=lambda entry: entry.instrument_id)
def test_what_the_door_makes_of_random_answers_is_what_the_scoring_functions_make(door, entry):
    rng = np.random.default_rng(7)
    answers = rng.integers(entry.item_min, entry.item_max + 1, (40, entry.n_items)).astype(float)
    answers[rng.random(answers.shape) < 0.02] = np.nan
    texts = [",".join("" if np.isnan(one) else str(int(one)) for one in row) for row in answers]
    head = "therapist_id,client_id,session_number," + ",".join(f"q{item}" for item in range(1, entry.n_items + 1))
    part = ""
    for rule in entry.scales:
        low, high = entry.range_of(rule)
        part += f'[scales.own_{rule.name}]\nminimum = {low:g}\nmaximum = {high:g}\nrater = "client"\n'
        part += f'[instruments.own_{rule.name}]\ninstrument = "{entry.instrument_id}"\nscale = "{rule.name}"\n'
        part += 'items = "q{item}"\n'
    door.declare(scales=part)
    landed = door.land(lines(*texts, head=head))
    for rule in entry.scales:
        ours = door.rows(landed, f"other_scores['own_{rule.name}']", f"measured['own_{rule.name}'].n_answered")
        ours = [(value, int(n)) for value, n in ours]
        theirs = score(entry, answers, rule.name).value
        n_answered = (~np.isnan(answers[:, np.array(rule.items) - 1])).sum(axis=1)
        assert [n for _, n in ours] == n_answered.tolist()
        assert np.array([value for value, _ in ours], float) == pytest.approx(theirs, nan_ok=True)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (PHQ.replace("PHQ-9", "PHQ-10"), "PHQ-9"),
        (PHQ.replace("maximum = 27", "maximum = 10"), "must have minimum = 0 and maximum = 27"),
        (PHQ.replace("[scales.distress]", "[scales.hope]"), r"add \[scales.distress\] with minimum = 0, maximum = 27"),
        (PHQ.replace("phq9_{item}", "phq9"), "items must have {item}"),
        (PHQ.replace('items = "phq9_{item}"', 'columns = ["a", "b"]'), "has 9 items, but columns names 2"),
        (PHQ.replace('items = "phq9_{item}"', ""), "either items with a pattern, or columns"),
        (PHQ.replace("PHQ-9", "MULTI-30"), "not part of this package"),
        (PHQ.replace("PHQ-9", "WAI-SR"), "one of: task, goal, bond, alliance"),
        (PHQ + "reliability = 0.8\n", "needed both, or neither"),
    ],
)
def test_a_mistake_in_the_study_file_is_told_with_what_to_do(door, declared, said):
    door.declare(scales=declared)
    with pytest.raises(StudyError, match=said):
        door.study  # noqa: B018
