"""`outcomes check` as somebody meets it who has files and no study yet."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tomllib

import pytest

from outcomes.preview.text_files import WHOLE_BYTES
from outcomes.study import StudySettings

SECRET = "Zebedeus-Quarkbrot"
GERMAN = "Pat-Nr;Therapeut;Nachname;Sitzung Nr.;Datum;Anleitung;Zufriedenheit;Bemerkung;Raum;erschienen\n" + "".join(
    f"P{c:03d};T{c % 3};{SECRET};{s};{s:02d}.03.2024;{c % 7},5;{1 + c % 5};{SECRET}"
    " war heute sehr still und müde;2;ja\n"
    for c in range(20)
    for s in range(1, 5)
)
PLAIN = "client_id,therapist_id,session_number,directiveness,satisfaction\n"
ROWS = "c1,t1,1,3,4\nc1,t1,2,3,4\nc2,t1,1,3,5\nc2,t1,2,6,4\n"


def look(desk, *files):
    run = desk.run("check", "--json", *files)
    return run.exit_code, json.loads(run.output)


def becomes(found, place=0):
    return {column["name"]: column["becomes"] for column in found["files"][place]["columns"] if column["becomes"]}


def lines(found) -> StudySettings:
    return StudySettings.model_validate(tomllib.loads(found["study_toml"]))


def test_a_foreign_file_is_told_mapped_and_its_lines_can_be_pasted(desk):
    code, found = look(desk, desk.file("Visiten.csv", GERMAN.encode("cp1252")))
    assert code == 0
    (file,) = found["files"]
    assert (file["delimiter"], file["rows"], file["is_sample"], file["kind"]) == ("semicolon", 80, False, "sessions")
    assert file["encoding"].startswith("Windows-1252")
    assert becomes(found) == {
        "Pat-Nr": "client_id", "Therapeut": "therapist_id", "Sitzung Nr.": "session_number", "Datum": "session_date",
        "Anleitung": "directiveness", "Zufriedenheit": "satisfaction", "erschienen": "attended",
    }  # fmt: skip
    source = lines(found).sources["sessions"]
    assert (source.date_format, source.decimal_mark, source.encoding) == ("%d.%m.%Y", ",", "windows-1252")
    assert "ja" in source.yes
    assert set(source.drop) == {"Nachname", "Bemerkung", "Raum"}


def test_what_identifies_is_named_by_column_and_kind_and_no_value_is_shown(desk):
    path = desk.file("visits.csv", GERMAN)
    _, found = look(desk, path)
    kinds = {column["name"]: column["identifying"] for column in found["files"][0]["columns"] if column["identifying"]}
    assert kinds.keys() == {"Nachname", "Bemerkung"}
    assert "free text" in kinds["Bemerkung"]
    assert SECRET not in desk.run("check", path).output


def test_every_guess_in_the_lines_says_so(desk):
    text = desk.run("check", desk.file("visits.csv", GERMAN)).output.partition("Lines for study.toml")[2]
    chosen = [line for line in text.splitlines() if " = " in line and not line.startswith(("name", "drop", "#"))]
    assert chosen
    assert [line for line in chosen if "# guess" not in line] == []


def test_rows_are_tried_by_landings_own_rules(desk):
    _, found = look(desk, desk.file("s.csv", PLAIN + ROWS + "c3,t1,x,3,4\nc3,t1,2\n,t1,1,3,4\n"))
    assert found["files"][0]["rows_by_rule"] == {"ragged_row": 1, "missing_key": 1, "not_an_integer": 1}


def test_a_number_that_stands_for_a_missing_one_is_told_and_declared(desk):
    rows = "".join(f"c{i},t{i % 3},1,{i % 10},{999 if i % 5 == 0 else i % 10}\n" for i in range(40))
    _, found = look(desk, desk.file("sessions.csv", PLAIN + rows))
    settings = lines(found)
    assert "999" in settings.sources["sessions"].missing
    assert settings.scales["satisfaction"].maximum == 10
    assert found["files"][0]["rows_by_rule"] == {}


def test_an_unknown_column_has_the_nearest_names(desk):
    rows = ROWS.replace(",4\n", ",high\n").replace(",5\n", ",low\n")
    _, found = look(desk, desk.file("sessions.csv", PLAIN.replace("satisfaction", "satisfaction_level") + rows))
    nearest = {column["name"]: column["nearest"] for column in found["files"][0]["columns"]}
    assert "satisfaction" in nearest["satisfaction_level"]


def test_questions_are_answered_fully_partly_or_not_by_what_is_there(desk):
    _, both = look(desk, desk.file("sessions.csv", PLAIN + ROWS))
    said = {one["question"]: (one["answerable"], one["lacking"]) for one in both["questions"]}
    assert said["guidance"] == ("fully", [])
    assert said["balance"] == ("partly", ["directiveness_preferred", "reactance"])
    assert said["connection"][0] == "not"
    header = PLAIN.replace("satisfaction", "alliance").replace("session_number", "session_date")
    _, without = look(desk, desk.file("other.csv", header + ROWS.replace(",1,", ",2024-01-01,")))
    said = {one["question"]: (one["answerable"], one["lacking"]) for one in without["questions"]}
    assert said["guidance"] == ("not", ["satisfaction"])
    assert said["connection"][0] == "partly"


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "cp1252"), (";", "latin-1")]
)
def test_delimiters_and_encodings_are_told(desk, delimiter, encoding):
    text = (PLAIN + ROWS.replace("t1", "tä1")).replace(",", delimiter)
    code, found = look(desk, desk.file("sessions.txt", text.encode(encoding)))
    assert code == 0
    assert len(becomes(found)) == 5
    assert found["files"][0]["rows"] == 4


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.csv", b"", "empty"),
        ("header.csv", PLAIN.encode(), "no rows"),
        ("binary.csv", bytes(range(256)) * 50, "not text"),
        ("nul.csv", b"a,b\n1,\x002\n", "NUL"),
        ("program.csv", b"\x7fELF" + bytes(500), "program"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:40], "unpacked"),
        ("damaged.parquet", b"PAR1" + bytes(50), "Parquet"),
        ("quote.csv", (PLAIN + 'c1,"t1,1,3,4\nc1,t1,2,3,4\nc2,t1,1,3,4\n').encode(), "quotation mark"),
        ("list.json", b'[{"a": 1}]', "NDJSON"),
        ("response.json", b'{"resourceType": "QuestionnaireResponse"}', "FHIR"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason_and_what_to_try(desk, name, content, word):
    run = desk.run("check", desk.file(name, content))
    assert run.exit_code == 1
    assert "cannot be read" in run.output
    assert word in run.output
    assert "Try:" in run.output


def test_one_unreadable_file_does_not_hide_the_others(desk):
    run = desk.run("check", desk.file("empty.csv", ""), desk.file("sessions.csv", PLAIN + ROWS))
    assert run.exit_code == 1
    assert "It looks like sessions" in run.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(desk):
    path = desk.file("sessions.csv", PLAIN + ROWS)
    path.chmod(0)
    run = desk.run("check", path)
    assert run.exit_code == 1
    assert "Permission denied" in run.output


def test_a_folder_stands_for_its_files_those_of_inner_folders_too(desk):
    desk.file("in/deep/clients.csv", "client_id,gender\nc1,f\nc2,m\nc3,f\nc4,m\n")
    desk.file("in/sessions.csv", PLAIN + ROWS)
    desk.file("in/.hidden.csv", "x")
    _, found = look(desk, desk.root / "in")
    assert [(file["file"], file["kind"]) for file in found["files"]] == [
        ("clients.csv", "clients"), ("sessions.csv", "sessions"),
    ]  # fmt: skip
    assert lines(found).sources["clients"].codes["gender"] == {"f": "woman", "m": "man"}
    empty = desk.root / "nothing"
    empty.mkdir()
    assert desk.run("check", empty).exit_code == 2


def test_a_first_line_of_values_is_not_shown(desk):
    run = desk.run("check", desk.file("rows.csv", "Anna Smith,T1,5,4\nJohn Brown,T2,3,4\nMary Jones,T1,3,4\n"))
    assert "Anna" not in run.output
    assert "does not look like column names; if it is a title above the header, remove it" in run.output


def test_three_hundred_columns_are_looked_at(desk):
    names = ",".join(["client_id", *(f"q{i}_text" for i in range(299))])
    rows = "".join(f"c{row}," + ",".join(["1"] * 299) + "\n" for row in range(5))
    code, found = look(desk, desk.file("items.csv", f"{names}\n{rows}"))
    assert code == 0
    assert len(found["files"][0]["columns"]) == 300


def test_a_large_file_is_looked_at_by_a_sample_that_says_so(desk):
    row = "".join(f"c{i},t{i % 9},{i % 5 + 1},{i % 11},{i % 11}\n" for i in range(20_000))
    times = WHOLE_BYTES // len(row) + 2
    path = desk.file("sessions.csv", PLAIN + row * times)
    _, found = look(desk, path)
    (file,) = found["files"]
    assert file["is_sample"]
    assert file["rows_read"] < file["rows"]
    assert abs(file["rows"] / (20_000 * times) - 1) < 0.05
    assert "a sample" in desk.run("check", path).output


def test_nothing_is_written(desk):
    path = desk.file("in/sessions.csv", PLAIN + ROWS)
    before = sorted(desk.root.rglob("*"))
    desk.run("check", path)
    assert sorted(desk.root.rglob("*")) == before


def test_neither_prefect_nor_table_libraries_are_imported_for_an_ordinary_file(desk):
    path = desk.file("visits.csv", GERMAN)
    code = (
        "import sys; from outcomes.cli import main\n"
        f"main(['check', {str(path)!r}], standalone_mode=False)\n"
        "print([one for one in ('prefect', 'polars', 'pandas', 'scipy', 'great_expectations') if one in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_names_of_columns_that_hide_something_are_shown_and_named(desk):
    run = desk.run("check", desk.file("s.csv", (PLAIN + ROWS).replace("therapist_id", '"thera\npist\x1b[31m"')))
    assert run.exit_code == 0
    assert "\x1b" not in run.output
    assert "a sign that cannot be seen" in run.output


def test_a_wrong_ending_is_told(desk):
    assert "but it is text" in desk.run("check", desk.file("sessions.xls", PLAIN + ROWS)).output


def test_doubles_blank_names_and_marks_at_the_start_are_read(desk):
    _, found = look(desk, desk.file("s.csv", b"\xef\xbb\xbf\r\n\r\nclient_id,sat,sat,\r\nc1,1,2,3\r\nc2,1,2,3\r\n"))
    assert [column["name"] for column in found["files"][0]["columns"]] == ["client_id", "sat", "sat (2)", "column 4"]
    assert any("more than once" in note for note in found["files"][0]["notes"])
