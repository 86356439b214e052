"""What points at a person stays out whatever the layout: planted markers are nowhere in what landing writes."""

import pandas as pd
import pyreadstat
import pytest
from exports import WRITERS, as_qualtrics, as_redcap, clean_rows, put
from exports_common import csv_text

from outcomes.landing import Landed

MARKERS = ("ann.marker@example.org", "203.0.113.7", "47.115097")


def test_what_identifies_in_a_qualtrics_export_is_not_read_and_this_is_said(door, tmp_path):
    written = as_qualtrics(clean_rows(), tmp_path)
    put(door, written)
    landed = door.land(written.content)
    assert isinstance(landed, Landed)
    assert {"IPAddress", "RecipientEmail", "LocationLatitude"} <= set(landed.columns_dropped)
    assert "3 columns that can identify persons not read" in landed.account()
    kept = door.everything_kept()
    assert not any(marker in kept for marker in MARKERS)


@pytest.mark.parametrize("column", ["IPAddress", "RecipientEmail", "LocationLatitude"])
def test_a_study_that_maps_what_identifies_is_refused(door, tmp_path, column):
    written = as_qualtrics(clean_rows(), tmp_path)
    put(door, written)
    path = door.root / "study.toml"
    path.write_text(path.read_text().replace('client_id = "client"', f'client_id = "{column}"'))
    refused = door.land(written.content)
    assert refused.refusal in ("identifier_column", "identifier_values", "unknown_columns")
    kept = door.everything_kept()
    assert not any(marker in kept for marker in MARKERS)


def redcap_with_names(tmp_path) -> bytes:
    """A REDCap export with a field that the dictionary marks as identifying."""
    text = as_redcap(clean_rows(), tmp_path).content.decode().splitlines()
    return "\n".join(
        f"{line},{'full_name' if place == 0 else 'Ann Marker'}" for place, line in enumerate(text)
    ).encode()


def test_a_redcap_field_that_is_marked_as_identifying_is_refused_by_the_dictionary(door, tmp_path):
    put(door, as_redcap(clean_rows(), tmp_path))
    refused = door.land(redcap_with_names(tmp_path))
    assert refused.refusal == "identifier_column"
    assert "'full_name'" in refused.message
    assert "Marker" not in refused.message + door.everything_kept()


def test_a_redcap_field_that_is_declared_away_is_not_read(door, tmp_path):
    put(door, as_redcap(clean_rows(), tmp_path))
    path = door.root / "study.toml"
    path.write_text(path.read_text().replace('drop = ["gender"]', 'drop = ["gender", "full_*"]'))
    landed = door.land(redcap_with_names(tmp_path))
    assert isinstance(landed, Landed)
    assert "full_name" in landed.columns_dropped
    assert "Marker" not in door.everything_kept()


def test_the_survey_identifier_of_redcap_is_never_read(door, tmp_path):
    put(door, as_redcap(clean_rows(), tmp_path))
    content = redcap_with_names(tmp_path).replace(b"full_name", b"redcap_survey_identifier")
    landed = door.land(content)
    assert "redcap_survey_identifier" in landed.columns_dropped
    assert "Marker" not in door.everything_kept()


@pytest.mark.parametrize(
    ("column", "refusal"), [("remarks", "free_text"), ("surname", "free_text"), ("x1", "free_text")]
)
def test_a_string_variable_of_spss_that_nobody_declared_is_refused(door, tmp_path, column, refusal):
    frame = pd.DataFrame(clean_rows()).assign(**{column: "Ann Marker was late"})
    pyreadstat.write_sav(frame, str(tmp_path / "made.sav"))
    door.declare()
    refused = door.land((tmp_path / "made.sav").read_bytes(), "sessions.sav")
    assert refused.refusal == refusal
    assert "Marker" not in refused.message + door.everything_kept()


GIVEN = ("Anna", "Peter", "Mary", "John", "Sophie", "David", "Laura", "Thomas", "Julia", "Martin", "Emma", "Paul")
PERSONS = {
    "addresses": [f"ann.marker{place}@example.org" for place in range(12)],
    "telephones": [f"+44 20 7946 09{place:02}" for place in range(12)],
    "names": [f"{name} Smith" for name in GIVEN],
}


@pytest.mark.parametrize("layout", WRITERS)
@pytest.mark.parametrize("persons", PERSONS)
def test_ids_that_point_at_persons_refuse_the_file_in_every_layout(door, tmp_path, layout, persons):
    rows = [row | {"client_id": PERSONS[persons][int(row["client_id"][1:])]} for row in clean_rows()]
    written = WRITERS[layout](rows, tmp_path)
    put(door, written)
    refused = door.land(written.content, written.name)
    assert refused.refusal == "identifier_values"
    kept = refused.message + door.everything_kept()
    assert not any(person in kept for person in PERSONS[persons])


def test_a_wide_file_with_names_side_by_side_is_refused(door):
    header = ["client_id", "therapist_id", "sat_1", "dir_1", "therapist_name_1"]
    door.declare(
        sessions='format = "wide"\n[sources.sessions.columns]\nsatisfaction = "sat_{session_number}"\n'
        'directiveness = "dir_{session_number}"\n'
    )
    refused = door.land(csv_text([header, ["c1", "t1", "5", "5", "Ann Marker"]]))
    assert refused.refusal == "identifier_column"
    assert "Marker" not in refused.message + door.everything_kept()
