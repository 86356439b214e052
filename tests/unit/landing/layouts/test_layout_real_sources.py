"""Export files that nobody here wrote: every row is accounted for, or the file is refused for a reason to act on."""

import shutil
from pathlib import Path

import pytest

from outcomes.contract import LeftOut
from outcomes.landing import land_inbox
from outcomes.landing.layouts.registry import recognise

SOURCES = Path(__file__).parents[5] / "shared" / "sources"
REDCAP, QUALTRICS = SOURCES / "redcap", SOURCES / "qualtrics"

pytestmark = pytest.mark.skipif(not SOURCES.is_dir(), reason="../shared/sources is not there")

CONSTANTS = '[sources.sessions.constants]\ntherapist_id = "t1"\n'


def redcap(instrument: str, drop: str, columns: str, more: str = "") -> str:
    return (
        f'format = "redcap"\nredcap = {{ dictionary = "dictionary.csv", instrument = "{instrument}" }}\n'
        f"drop = {drop}\n{more}[sources.sessions.columns]\n{columns}{CONSTANTS}"
    )


FILES = {
    "redcap/multilevel-model-1/data.csv": (
        redcap(
            "appointment", '["*"]',
            'client_id = "patient_id"\nsession_number = "redcap_repeat_instance"\nsatisfaction = "cog_1"\n'
            'directiveness = "phys_2"\nsession_date = "date_at_visit"\npractice_id = "county_id"\n',
        ),
        200, {LeftOut.RECORD_ROW: 20},
    ),
    "redcap/repeating-instruments-sparse/data.csv": (
        redcap(
            "bp", '["*"]',
            'client_id = "record_id"\nsession_number = "redcap_repeat_instance"\nsatisfaction = "bp_systolic"\n'
            'directiveness = "bp_diastolic"\nsession_date = "date_bp"\n',
        ),
        4, {LeftOut.RECORD_ROW: 5},
    ),
    "redcap/longitudinal/data.csv": (
        redcap(
            "patient_morale_questionnaire", '["*"]',
            'client_id = "study_id"\nsatisfaction = "pmq1"\ndirectiveness = "pmq2"\npractice_id = "race"\n',
            'order = "row"\n',
        ),
        10, {LeftOut.RECORD_ROW: 8},
    ),
    "redcap/survey/data.csv": (
        redcap(
            "prescreening_survey", '["*"]',
            'client_id = "participant_id"\nsession_date = "prescreening_survey_timestamp"\n'
            'satisfaction = "has_diabetes"\ndirectiveness = "consent___1"\n',
            'order = "date"\n',
        ),
        2, {},
    ),
    "redcap/checkboxes-1/data.csv": (
        redcap(
            "form_2", '["*"]',
            'client_id = "record_id"\nsatisfaction = "check_one___1"\ndirectiveness = "check_two___a"\n',
            'order = "row"\n',
        ),
        3, {LeftOut.EMPTY_FORM: 1},
    ),
    "qualtrics/sample.csv": (
        'format = "qualtrics"\norder = "date"\ndrop = ["Q2*"]\n[sources.sessions.columns]\nclient_id = "ResponseId"\n'
        f'satisfaction = "Q1"\nsession_date = "StartDate"\n{CONSTANTS}directiveness = "3"\n',
        1, {},
    ),
    "qualtrics/sample_legacy.csv": (
        'format = "qualtrics"\norder = "date"\ndrop = ["Q2*"]\n[sources.sessions.columns]\nclient_id = "ResponseID"\n'
        f'satisfaction = "Q1"\nsession_date = "StartDate"\n{CONSTANTS}directiveness = "3"\n',
        1, {},
    ),
}  # fmt: skip


def dropped(door, file: str):
    """Land a file of the sources as it lies there."""
    dictionary = (SOURCES / file).with_name("dictionary.csv")
    if dictionary.is_file():
        shutil.copy(dictionary, door.root / "dictionary.csv")
    shutil.copy(SOURCES / file, door.root / "inbox" / "sessions.csv")
    return land_inbox(door.study)


@pytest.mark.parametrize("file", FILES)
def test_every_row_of_a_real_export_is_landed_quarantined_or_left_out_by_name(door, file):
    study, n_rows, left_out = FILES[file]
    door.declare(sessions=study)
    path = door.root / "study.toml"
    path.write_text(path.read_text().replace("maximum = 10\n", "maximum = 200\n"))  # some are blood pressures
    report = dropped(door, file)
    assert not report.refused
    (landed,) = report.landed
    assert (landed.rows_landed, landed.rows_quarantined) == (n_rows, 0)
    assert {reason: n for reason, n in landed.rows_left_out.items() if n} == left_out


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.startswith(("redcap/rep", "redcap/long", "redcap/surv"))]
)
def test_what_a_real_project_marks_as_identifying_is_refused_with_its_fields(door, file):
    door.declare(sessions=FILES[file][0].replace('["*"]', "[]"))
    (refused,) = dropped(door, file).refused
    assert refused.refusal == "identifier_column"
    assert "'first_name'" in refused.message
    assert "drop" in refused.hint
    assert not list((door.root / "landed").glob("*/batch.parquet"))


def test_free_text_of_a_real_survey_is_refused_as_unknown_until_it_is_dropped(door):
    door.declare(sessions=FILES["qualtrics/sample.csv"][0].replace('["Q2*"]', "[]"))
    (refused,) = dropped(door, "qualtrics/sample.csv").refused
    assert refused.refusal == "unknown_columns"
    assert "'Q2'" in refused.message


@pytest.mark.parametrize("file", FILES)
def test_a_real_export_is_recognised_first_for_what_it_is(file):
    assert recognise(SOURCES / file)[0].layout == file.partition("/")[0]


def test_the_items_of_a_real_phq_9_make_the_total_that_its_source_stored(door):
    folder = SOURCES / "fhir"
    shutil.copy(folder / "Questionnaire-mii-qst-pro-phq-9.json", door.root / "questionnaire.json")
    shutil.copy(folder / "QuestionnaireResponse-mii-exa-pro-phq-9-response.json", door.root / "inbox" / "sessions.json")
    door.declare(
        sessions='format = "fhir"\nfhir = { questionnaire = "questionnaire.json", '
        'points = { LA6568-5 = 0, LA6569-3 = 1, LA6570-1 = 2, LA6571-9 = 3 } }\norder = "date"\ndrop = ["*"]\n'
        '[sources.sessions.columns]\nclient_id = "subject"\nsession_date = "authored"\ndistress = "PHQ.Score"\n'
        + CONSTANTS,
        scales='[scales.distress]\nminimum = 0\nmaximum = 27\nrater = "client"\n'
        '[instruments.distress]\ninstrument = "PHQ-9"\nitems = "PHQ.{item}"\n',
    )
    (landed,) = land_inbox(door.study).landed
    fields = ("n_answered", "value", "stored")
    assert door.rows(landed, *(f"measured['distress'].{one}" for one in fields)) == [(9, 27, 27)]
