"""FHIR: nested and coded answers, versions, damage, and what a response must not bring in."""

import copy
import json
from pathlib import Path

import pytest
from exports import CLIENTS, SESSIONS, clean_rows, put
from exports_nested import FHIR_FORM, FHIR_STUDY, as_fhir, fhir_entries

from outcomes.contract import LeftOut, Rule
from outcomes.landing import Landed, Refused, Skipped, land_file
from outcomes.landing.layouts.registry import LAYOUTS, recognise
from outcomes.trust.recording import record_state
from outcomes.trust.withdrawal import withdraw

SOURCES = Path(__file__).parents[5] / "shared" / "sources" / "fhir"
ALL = CLIENTS * SESSIONS


WEIGHT = {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 6}


def bundle(*entries: dict, **more) -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": FHIR_FORM}, *entries], **more}).encode()


def response(entries: list[dict], place: int = 0) -> dict:
    return entries[2 * place + 1]["resource"]


def answers(one: dict) -> dict[str, dict]:
    return {item["linkId"]: item for item in one["item"][0]["item"]}


@pytest.fixture
def entries():
    return fhir_entries(clean_rows())


def land(door, entries: list[dict], name: str = "sessions.json", study: str = FHIR_STUDY, **more):
    door.declare(sessions=study)
    return door.land(bundle(*entries, **more), name)


def test_every_resource_is_accounted_for(door, entries):
    landed = land(door, entries)
    account = door.manifest(landed)
    assert account["rows_in_export"] == 2 * ALL + 1
    assert account["rows_left_out"] == {LeftOut.OTHER_RESOURCE: ALL + 1}
    assert "subject.display" in landed.columns_dropped
    assert "item.text" in landed.columns_dropped
    assert any(note == f"{ALL} responses name their subject (display): not read" for note in account["notes"])
    assert "Marker" not in door.everything_kept()
    assert "Wording" not in door.everything_kept()


@pytest.mark.parametrize(
    ("status", "reason"),
    [("entered-in-error", LeftOut.ENTERED_IN_ERROR), ("in-progress", LeftOut.UNFINISHED),
     ("stopped", LeftOut.UNFINISHED), ("amended", None)],
)  # fmt: skip
def test_only_completed_and_amended_answers_are_taken(door, entries, status, reason):
    response(entries)["status"] = status
    landed = land(door, entries)
    assert landed.rows_landed == ALL - (reason is not None)
    assert reason is None or landed.rows_left_out[reason] == 1


@pytest.mark.parametrize("status", ["done", None, {"x": 1}])
def test_an_unknown_status_is_refused(door, entries, status):
    response(entries)["status"] = status
    assert "status is missing or unknown" in land(door, entries).message


def test_of_two_versions_the_later_is_taken_whatever_their_order(door, entries):
    later = copy.deepcopy(entries[1])
    later["resource"] |= {"status": "amended", "meta": {"lastUpdated": "2024-03-02T00:30:00+01:00"}}
    answers(later["resource"])["dir"]["answer"] = [{"valueInteger": 9}]
    response(entries)["meta"] = {"lastUpdated": "2024-03-01T23:00:00Z"}
    landed = land(door, [later, *entries])
    assert landed.rows_landed == ALL
    assert landed.rows_left_out[LeftOut.SUPERSEDED] == 1
    assert door.rows(landed, "directiveness", "source_line")[0] == (9.0, 2)


def test_a_later_version_that_was_taken_back_takes_the_earlier_along(door, entries):
    later = copy.deepcopy(entries[1])
    later["resource"] |= {"status": "entered-in-error", "meta": {"lastUpdated": "2024-03-02T00:00:00Z"}}
    response(entries)["meta"] = {"lastUpdated": "2024-03-01T00:00:00Z"}
    landed = land(door, [*entries, later])
    assert landed.rows_landed == ALL - 1
    assert (landed.rows_left_out[LeftOut.SUPERSEDED], landed.rows_left_out[LeftOut.ENTERED_IN_ERROR]) == (1, 1)


def test_versions_in_no_known_order_are_quarantined_both(door, entries):
    other = copy.deepcopy(entries[1])
    other["resource"]["authored"] = "2024-02-27"  # another key: no later rule could find it
    landed = land(door, [*entries, other])
    assert landed.rows_landed == ALL - 1
    found = {(int(row["line"]), row["rule"]) for row in door.quarantined(landed)}
    assert found == {(3, Rule.CONFLICTING_ROWS), (2 * ALL + 2, Rule.CONFLICTING_ROWS)}
    account = door.manifest(landed)
    assert account["rows_in_export"] == account["rows_read"] + sum(account["rows_left_out"].values())


def test_several_answers_to_one_item_are_no_number(door, entries):
    answers(response(entries))["dir"]["answer"] += [{"valueInteger": 4}]
    landed = land(door, entries)
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [("3", Rule.NOT_A_NUMBER)]
    assert any("several answers to one item" in note for note in door.manifest(landed)["notes"])


def test_items_nested_under_an_answer_are_found(door, entries):
    inner = answers(response(entries))
    inner["came"]["answer"][0]["item"] = [inner["dir"]]
    response(entries)["item"] = [
        inner["came"],
        inner["n"],
        {"linkId": "g", "item": [{"linkId": "h", "item": [inner["sat"]]}]},
    ]
    assert land(door, entries).rows_landed == ALL


@pytest.mark.parametrize(
    ("coding", "n_landed"),
    [
        ({"code": "at4"}, ALL),
        ({"code": "at4", "system": "urn:made"}, ALL),
        ({"code": "at4", "system": "urn:other"}, None),
        ({"code": "4"}, None),
        ({"display": "often"}, None),
        ({"code": "x", "extension": [WEIGHT]}, ALL),
        ({"code": "at4", "extension": [WEIGHT | {"valueDecimal": 6.0}]}, ALL),
    ],
)  # fmt: skip
def test_points_are_those_of_the_questionnaire_or_the_answer_and_never_the_code_itself(door, entries, coding, n_landed):
    answers(response(entries))["sat"]["answer"] = [{"valueCoding": coding}]
    outcome = land(door, entries)
    if n_landed is None:
        assert "nobody gives points for 1 code that 'sat' answer with" in outcome.message
        assert "points" in outcome.hint
    else:
        assert outcome.rows_landed == n_landed
        assert door.rows(outcome, "satisfaction")[0] == (6.0,)


def test_points_that_contradict_each_other_are_no_number(door, entries):
    weight = {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 1}
    answers(response(entries))["sat"]["answer"] = [{"valueCoding": {"code": "at4", "extension": [weight]}}]
    assert [row["rule"] for row in door.quarantined(land(door, entries))] == [Rule.NOT_A_NUMBER]


def test_declared_points_fill_what_no_questionnaire_says_and_never_contradict_it(door, entries):
    answers(response(entries))["sat"]["answer"] = [{"valueCoding": {"code": "LA6568-5"}}]
    more = 'fhir = { form = "after-session", points = { LA6568-5 = 3, at4 = 6 } }'
    plain = 'fhir = { form = "after-session" }'
    refused = land(door, entries, study=FHIR_STUDY.replace(plain, more.replace("at4 = 6", "at4 = 2")))
    assert "other points than the Questionnaire for 'at4'" in refused.message
    landed = land(door, entries, study=FHIR_STUDY.replace(plain, more))
    assert door.rows(landed, "satisfaction")[0] == (3.0,)


def test_the_questionnaire_may_lie_beside_the_study(door, entries):
    study = FHIR_STUDY.replace("fhir = {", 'fhir = { questionnaire = "form.json", ')
    door.declare(sessions=study)
    content = json.dumps({"resourceType": "Bundle", "entry": entries})
    assert "is not there" in door.land(content, "sessions.json").message
    (door.root / "form.json").write_text(json.dumps(FHIR_FORM))
    assert door.land(content, "sessions.json").rows_landed == ALL


def test_answers_to_several_questionnaires_need_the_one_that_is_meant(door, entries):
    response(entries)["questionnaire"] = "Questionnaire/intake"
    refused = land(door, entries, study=FHIR_STUDY.replace('fhir = { form = "after-session" }\n', ""))
    assert "answers to 2 questionnaires: 'after-session', 'intake'" in refused.message
    landed = land(door, entries, "sessions2.json")
    assert landed.rows_left_out[LeftOut.OTHER_FORM] == 1


PHQ = """format = "fhir"
order = "date"
fhir = { totals = { total = ["a", "b", "c"] } }
drop = ["a", "b", "c"]
[sources.sessions.columns]
client_id = "subject"
session_date = "authored"
satisfaction = "total"
[sources.sessions.constants]
therapist_id = "t1"
directiveness = "5"
"""


def scored(place: int, **values) -> dict:
    return {
        "resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "Questionnaire/q",
        "subject": {"reference": f"Patient/c{place}"}, "authored": "2024-01-08",
        "item": [{"linkId": link, "answer": [{"valueInteger": value}]} for link, value in values.items()],
    }  # fmt: skip


def test_a_stored_total_that_its_items_contradict_is_replaced_and_said(door):
    # HL7's own example of the PHQ-9 stores 13 where its answers add up to 10.
    door.declare(sessions=PHQ)
    lines = [scored(1, a=3, b=4, c=3, total=13), scored(2, a=1, b=1, c=1, total=3), scored(3, a=1, b=1, total=2),
             scored(4, a=1, b=1, c=0)]  # fmt: skip
    landed = door.land("\n".join(map(json.dumps, lines)), "sessions.ndjson")
    assert door.rows(landed, "satisfaction") == [(10.0,), (3.0,), (2.0,), (2.0,)]
    assert door.manifest(landed)["notes"] == [
        "1 response stored another 'total' than its items add up to: the sum was taken",
        "1 response stored a 'total' that could not be checked, since an item is missing or has no points: it was kept",
        "1 response stored no 'total': the sum of its items was taken",
    ]


def test_a_mapped_total_whose_items_are_not_named_is_pointed_out(door):
    door.declare(sessions=PHQ.replace('fhir = { totals = { total = ["a", "b", "c"] } }\n', ""))
    landed = door.land(json.dumps(scored(1, a=1, b=1, c=1, total=9)), "sessions.json")
    assert "'total' may be stored totals" in door.manifest(landed)["notes"][0]


def test_a_line_that_is_cut_off_is_quarantined_and_a_document_that_is_cut_off_refused(door):
    door.declare(sessions=PHQ)
    lines = [json.dumps(scored(n, a=1, b=1, c=1, total=3)) for n in range(5)]
    lines[2] = lines[2][:100]
    lines[3] = lines[3].replace('"status": "completed"', '"status": "completed", "status": "amended"')
    landed = door.land("\n".join(lines), "sessions.ndjson")
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [
        ("3", "ragged_row"),
        ("4", "ragged_row"),
    ]
    assert landed.rows_landed == 3
    whole = as_fhir(clean_rows(), door.root).content
    refused = door.land(whole[: len(whole) // 2], "sessions.json")
    assert "cut off" in refused.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "not whole JSON"),
        (b'{"resourceType": "Patient", "id": "c1"}', "no completed answers"),
        (b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle"}}]}', "1 Bundle among"),
        (b'{"resourceType": "Bundle"}', "no FHIR resource"),
        (b'{"resourceType": "QuestionnaireResponse", "status": "completed", "x": NaN}', "not whole JSON"),
        ('{"resourceType": "é"}'.encode("latin-1"), "not UTF-8"),
        ('{"resourceType": "Patient"}'.encode("utf-16"), "UTF-16"),
    ],
)  # fmt: skip
def test_what_is_no_answered_questionnaire_is_refused_with_its_reason(door, content, said):
    door.declare(sessions=PHQ)
    refused = door.land(content, "sessions.json")
    assert isinstance(refused, Refused)
    assert said in refused.message


@pytest.mark.parametrize(
    "odd", [{"item": "x"}, {"item": [1, None]}, {"subject": []}, {"authored": 5}, {"encounter": "e"},
            {"questionnaire": None}, {"meta": 1}, {"item": [{"linkId": 7, "answer": {"valueInteger": 1}}]},
            {"subject": {"reference": "#p"}, "contained": [{"resourceType": "Patient", "id": "p"}]},
            {"subject": {"reference": "Group/g1"}}, {"subject": {"identifier": {"value": "943 476 5919"}}},
            {"id": "\ud800"}]
)  # fmt: skip
def test_a_response_of_another_shape_is_accounted_for_and_never_an_error(door, entries, odd):
    response(entries).update(odd)
    outcome = land(door, entries)
    if isinstance(outcome, Landed):
        account = door.manifest(outcome)
        assert account["rows_in_export"] == 2 * ALL + 1
        assert account["rows_read"] == outcome.rows_landed + outcome.rows_quarantined
    assert "943 476" not in door.everything_kept()


def test_free_text_is_not_read_and_named_only_by_its_item(door, entries):
    answers(response(entries))["n"]["item"] = [{"linkId": "remarks", "answer": [{"valueString": "Ann Marker cried"}]}]
    landed = land(door, entries)
    assert "remarks" in landed.columns_dropped
    assert "Marker" not in door.everything_kept()


def test_of_several_practitioners_the_only_leading_one_is_the_therapist(door, entries):
    people = entries[0]["resource"]["participant"]
    lead = {"type": [{"coding": [{"code": "PPRF"}]}], "individual": {"reference": "Practitioner/lead"}}
    people.append({"actor": {"reference": "Practitioner/other"}})
    unclear = land(door, entries)
    assert [row["rule"] for row in door.quarantined(unclear)] == [Rule.MISSING_KEY]
    people.append(lead)
    assert door.rows(land(door, entries, "sessions2.json"), "therapist_id")[0] == ("lead",)


def test_one_page_of_several_says_so(door, entries):
    landed = land(door, entries, link=[{"relation": "next", "url": "https://clinic.example/fhir?page=2"}])
    assert any("one page of several" in note for note in door.manifest(landed)["notes"])


@pytest.mark.parametrize("form", ["bundle", "ndjson"])
def test_a_withdrawn_client_leaves_the_file_with_every_resource_about_them(door, form):
    gone = "c03k7m3"
    rows = [row | {"client_id": f"{row['client_id']}k7m3"} for row in clean_rows()]
    written = as_fhir(rows, door.root)
    put(door, written)
    every = [entry["resource"] for entry in json.loads(written.content)["entry"]]
    for one in every:
        if "encounter" in one:
            one["encounter"] = {"reference": f"Encounter/e{one['id'][1:]}"}
    content = written.content if form == "bundle" else "\n".join(map(json.dumps, every))
    name = "sessions.json" if form == "bundle" else "sessions.ndjson"
    landed = door.land(content, name)
    assert landed.rows_landed == ALL
    record_state(door.study)
    done = withdraw(door.study, frozenset({gone}))
    path = door.root / "inbox" / name
    assert (done.source_rows, done.rows_withdrawn) == (2 * SESSIONS, SESSIONS)
    assert gone not in path.read_text()
    assert isinstance(land_file(door.study, path), Skipped)
    assert len(door.rows(landed, "client_id")) == ALL - SESSIONS


def test_what_such_a_source_can_answer_is_said():
    assert "not how clients ended" in LAYOUTS["fhir"].answers


REAL = """format = "fhir"
order = "date"
fhir = { points = { LA6571-9 = 3, LA6574-3 = 3 }, totals = { "PHQ.Score" = [ITEMS] }, questionnaire = "form.json" }
drop = ["PHQ.[0-9]*"]
[sources.sessions.columns]
client_id = "subject"
session_date = "authored"
satisfaction = "PHQ.Score"
[sources.sessions.constants]
therapist_id = "t1"
directiveness = "5"
""".replace("ITEMS", ", ".join(f'"PHQ.{n}"' for n in range(1, 10)))


@pytest.mark.skipif(not SOURCES.is_dir(), reason="../shared/sources is not there")
@pytest.mark.parametrize("stored", [27, 13])
def test_a_real_response_is_read_and_its_total_held_against_its_items(door, stored):
    path = SOURCES / "QuestionnaireResponse-mii-exa-pro-phq-9-response.json"
    assert recognise(path)[0].layout == "fhir"
    door.declare(sessions=REAL)
    study = door.root / "study.toml"
    study.write_text(study.read_text().replace("maximum = 10\n", "maximum = 27\n"))
    (door.root / "form.json").write_bytes((SOURCES / "Questionnaire-mii-qst-pro-phq-9.json").read_bytes())
    landed = door.land(path.read_text().replace('"value": 27', f'"value": {stored}'), "sessions.json")
    assert door.rows(landed, "client_id", "session_date::varchar", "satisfaction") == [("example", "2023-10-01", 27.0)]
    said = ["1 response stored another 'PHQ.Score' than its items add up to: the sum was taken"]
    assert door.manifest(landed)["notes"] == ([] if stored == 27 else said)
