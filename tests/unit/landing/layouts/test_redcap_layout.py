"""REDCap's shapes: events, forms that repeat and do not, labels, checkboxes, records that feed several kinds."""

import pytest
from exports import REDCAP_STUDY, as_redcap, clean_rows, put
from exports_common import csv_text

from outcomes.contract import Kind, LeftOut
from outcomes.errors import StudyError, UsageError
from outcomes.landing import Landed, land_inbox

DICTIONARY = csv_text(
    [
        ["field_name", "form_name", "field_type", "select_choices_or_calculations",
         "text_validation_type_or_show_slider_number", "identifier"],
        ["id", "intake", "text", "", "", ""],
        ["site", "intake", "radio", "1, North, old house | 2, South", "", ""],
        ["ther", "intake", "text", "", "", ""],
        ["sat", "visit", "radio", "0, none | 5, some | 10, all", "", ""],
        ["dir", "visit", "text", "", "integer", ""],
        ["helped", "visit", "checkbox", "1, talking | -1, silence", "", ""],
        ["way", "contact", "text", "", "email", ""],
        ["diary", "contact", "notes", "", "", ""],
    ]
)  # fmt: skip
STUDY = """format = "redcap"
order = "{order}"
redcap = {{ dictionary = "dd.csv", instrument = "{instrument}"{options} }}
drop = [{drop}]
missing = [{missing}]
[sources.sessions.columns]
client_id = "id"
therapist_id = "ther"
practice_id = "site"
satisfaction = "sat"
directiveness = "dir"
{columns}
"""
EVENTS = ["id", "redcap_event_name", "site", "ther", "intake_complete", "sat", "dir", "visit_complete"]
REPEATS = [
    "id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "site", "ther", "intake_complete",
    "sat", "dir", "visit_complete",
]  # fmt: skip


@pytest.fixture
def land(door):
    """Land rows under a header with the small dictionary."""

    def landing(rows, *, order="row", options="", drop="", columns="", instrument="visit", missing='""'):
        door.declare(
            sessions=STUDY.format(
                order=order, options=options, drop=drop, columns=columns, instrument=instrument, missing=missing
            )
        )
        (door.root / "dd.csv").write_text(DICTIONARY)
        return door.land(csv_text(rows))

    return landing


def test_a_form_in_every_event_takes_what_the_enrolment_says(door, land):
    landed = land(
        [
            EVENTS,
            ["r1", "enrol", "1", "t1", "2", "", "", ""],
            ["r1", "week_1", "", "", "", "5", "3", "2"],
            ["r1", "week_2", "", "", "", "10", "4", "2"],
            ["r2", "enrol", "2", "t2", "2", "", "", ""],
            ["r2", "week_1", "", "", "", "", "", "0"],
        ]
    )
    assert door.rows(landed, "client_id", "practice_id", "therapist_id", "satisfaction", "session_number") == [
        ("r1", "1", "t1", 5.0, 1), ("r1", "1", "t1", 10.0, 2),
    ]  # fmt: skip
    assert landed.rows_left_out == {LeftOut.RECORD_ROW: 2, LeftOut.OTHER_FORM: 0, LeftOut.EMPTY_FORM: 1}
    assert "1 record has no row of the form visit" in landed.account()


def test_an_answer_that_was_left_out_is_not_filled_from_another_event(door, land):
    landed = land(
        [
            EVENTS,
            ["r1", "enrol", "1", "t1", "2", "", "", ""],
            ["r1", "week_1", "", "", "", "5", "3", "2"],
            ["r1", "week_2", "", "", "", "", "4", "2"],
        ]
    )
    assert door.rows(landed, "satisfaction", "directiveness") == [(5.0, 3.0), (None, 4.0)]


def test_values_of_the_record_that_differ_between_events_are_refused_until_one_event_is_named(door, land):
    rows = [
        EVENTS,
        ["r1", "enrol", "1", "t1", "2", "", "", ""],
        ["r1", "move", "2", "t1", "2", "", "", ""],
        ["r1", "week_1", "", "", "", "5", "3", "2"],
    ]
    refused = land(rows)
    assert refused.refusal == "unreadable"
    assert "'site'" in refused.message
    assert "record_event" in refused.hint
    landed = land(rows, options=', record_event = "move"')
    assert door.rows(landed, "practice_id", "therapist_id") == [("2", "t1")]


def test_repeating_events_and_a_form_that_repeats_in_one_event_only_are_both_taken(door, land):
    landed = land(
        [
            REPEATS,
            ["r1", "enrol", "", "", "1", "t1", "2", "", "", ""],
            ["r1", "visits", "", "1", "", "", "", "5", "1", "2"],
            ["r1", "visits", "", "2", "", "", "", "5", "2", "2"],
            ["r1", "crisis", "visit", "1", "", "", "", "10", "3", "2"],
            ["r1", "final", "", "", "", "", "", "0", "4", "2"],
        ]
    )
    assert door.rows(landed, "directiveness", "therapist_id", "source_line") == [
        (1.0, "t1", 3), (2.0, "t1", 4), (3.0, "t1", 5), (4.0, "t1", 6),
    ]  # fmt: skip


def test_events_can_be_chosen(door, land):
    rows = [
        EVENTS,
        ["r1", "enrol", "1", "t1", "2", "", "", ""],
        ["r1", "week_1", "", "", "", "5", "3", "2"],
        ["r1", "follow_up", "", "", "", "10", "4", "2"],
    ]
    landed = land(rows, options=', events = ["week_1"]')
    assert door.rows(landed, "directiveness") == [(3.0,)]
    assert landed.rows_read + sum(landed.rows_left_out.values()) == 3


def test_an_export_with_labels_is_told_by_all_fields_together_and_read_as_codes(door, land):
    landed = land(
        [
            ["id", "redcap_repeat_instrument", "redcap_repeat_instance", *EVENTS[2:]],
            ["r1", "", "", "North, old house", "t1", "Complete", "", "", ""],
            ["r1", "Visit", "1", "", "", "", "some", "3", "Complete"],
            ["r1", "Visit", "2", "", "", "", "all", "3", "Complete"],
        ]
    )
    assert door.rows(landed, "practice_id", "satisfaction") == [("1", 5.0), ("1", 10.0)]


def test_an_export_of_codes_and_labels_is_refused(land):
    refused = land(
        [
            ["id", "redcap_repeat_instrument", "redcap_repeat_instance", *EVENTS[2:]],
            ["r1", "", "", "North, old house", "t1", "2", "", "", ""],
            ["r1", "visit", "1", "", "", "", "5", "3", "2"],
        ]
    )
    assert refused.refusal == "unreadable"
    assert "codes in 1 field ('sat') and labels in 1 field ('site')" in refused.message


def test_a_checkbox_is_a_column_a_choice_and_a_negative_code_is_written_with_a_fourth_bar(door, land):
    rows = [
        [*EVENTS, "helped___1", "helped____1"],
        ["r1", "enrol", "1", "t1", "2", "", "", "", "", ""],
        ["r1", "week_1", "", "", "", "5", "3", "2", "1", "0"],
    ]
    assert land(rows).refusal == "unknown_columns"
    landed = land(rows, drop='"helped___1"', columns='asked_about_guidance = "helped____1"')
    assert door.rows(landed, "asked_about_guidance") == [(False,)]


def test_codes_for_missing_data_are_the_studys_own(door, land):
    rows = [
        EVENTS,
        ["r1", "enrol", "1", "t1", "2", "", "", ""],
        ["r1", "week_1", "", "", "", "UNK", "3", "2"],
    ]
    assert land(rows).rows_quarantined == 1
    landed = land([*rows, ["r1", "week_2", "", "", "", "5", "3", "2"]], missing='"", "UNK"')
    assert landed.rows_quarantined == 0


@pytest.mark.parametrize(("column", "refusal"), [("way", "identifier_column"), ("diary", "free_text")])
def test_fields_for_addresses_and_notes_are_refused_unless_dropped(land, column, refusal):
    rows = [
        [*EVENTS, column],
        ["r1", "enrol", "1", "t1", "2", "", "", "", ""],
        ["r1", "week_1", "", "", "", "5", "3", "2", ""],
    ]
    assert land(rows).refusal == refusal
    assert isinstance(land(rows, drop=f'"{column}"'), Landed)


def test_a_form_that_the_project_has_not_is_told_with_those_that_it_has(land):
    with pytest.raises(UsageError, match="visits") as caught:
        land([EVENTS, ["r1", "enrol", "1", "t1", "2", "", "", ""]], instrument="visits")
    assert "intake" in caught.value.hint


def test_an_export_of_another_project_is_refused(land):
    refused = land([["record", "a", "b"], ["1", "2", "3"]])
    assert refused.refusal == "missing_columns"
    assert "data dictionary" in refused.hint


def test_a_dictionary_that_is_none_or_not_there_stops_with_what_to_do(door, land):
    rows = [EVENTS, ["r1", "enrol", "1", "t1", "2", "", "", ""]]
    land(rows)
    for damage in (
        lambda path: path.write_text("a,b\n1,2\n"),
        lambda path: path.write_bytes(b"\xff\xfe\0"),
        lambda path: path.unlink(),
    ):
        damage(door.root / "dd.csv")
        with pytest.raises(StudyError, match=r"dd\.csv"):
            door.land(csv_text([*rows, ["r9", "enrol", "1", "t1", "2", "", "", ""]]))


def test_a_mended_dictionary_is_read_again_although_the_study_file_did_not_change(door, land):
    rows = [
        [*EVENTS, "way"],
        ["r1", "enrol", "1", "t1", "2", "", "", "", ""],
        ["r1", "week_1", "", "", "", "5", "3", "2", ""],
    ]
    assert land(rows, drop='"x"').refusal == "identifier_column"
    (door.root / "dd.csv").write_text(DICTIONARY.replace(",email,", ",,"))
    assert door.land(csv_text(rows)).refusal == "unknown_columns"


def test_one_export_feeds_sessions_and_clients_each_with_its_own_batch_and_account(door, tmp_path):
    written = as_redcap(clean_rows(), tmp_path)
    put(door, written)
    path = door.root / "study.toml"
    study = path.read_text().replace(
        'pattern = "*clients*"',
        'pattern = "*sessions*"\nformat = "redcap"\nredcap = { dictionary = "dictionary.csv" }\n'
        '[sources.clients.columns]\nclient_id = "record_id"\n[sources.clients.codes.gender]\n1 = "woman"',
    )
    path.write_text(study.replace('drop = ["gender"]', "drop = []"))
    (door.root / "inbox" / "sessions.csv").write_bytes(written.content)
    report = land_inbox(door.study)
    assert [one.kind for one in report.landed] == [Kind.SESSIONS, Kind.CLIENTS]
    sessions, clients = report.landed
    assert (sessions.rows_landed, clients.rows_landed) == (48, 12)
    assert clients.rows_left_out[LeftOut.OTHER_FORM] == 48
    assert sessions.rows_left_out[LeftOut.RECORD_ROW] == 12
    assert door.rows(clients, "client_id", "gender")[:2] == [("c00", "woman"), ("c01", "woman")]
    again = land_inbox(door.study)
    assert (len(again.landed), len(again.skipped), len(again.refused)) == (0, 2, 0)


def test_a_dictionary_in_the_inbox_is_refused_by_the_study_file(door):
    door.declare(sessions=REDCAP_STUDY.replace("dictionary.csv", "inbox/dictionary.csv"))
    with pytest.raises(StudyError, match="outside inbox/"):
        door.study  # noqa: B018


def test_a_redcap_source_without_a_dictionary_is_refused_by_the_study_file(door):
    door.declare(sessions='format = "redcap"')
    with pytest.raises(StudyError, match="data dictionary"):
        door.study  # noqa: B018
