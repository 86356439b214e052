"""A mistake in study.toml is told with its line, its key and what was probably meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outcomes.errors import StudyError
from outcomes.landing import Landed, land_file
from outcomes.study import StudyFolder, StudySettings, create_study, handbook, read_settings
from outcomes.study.reading import lines_of
from outcomes.study.retired import RETIRED

GOOD = """[study]
name = "s"
[sources.sessions]
pattern = "*sessions*"
missing = [
    "", "a = b",   # text that looks like a key
]
[sources.sessions.columns]
client_id = "pat"
[[models]]
name = "one"
kind = "linear"
question = "?"
population = "mart_person_session"
outcome = "is_dropout"
fixed = ["log_session"]
random = ["1 | therapist_id"]
"""


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('pattern = "*sessions*"', 'patern = "*"', ["line 4, sources.sessions.patern", "did you mean 'pattern'"]),
        ("missing = [", 'decimal_mark = ";"\nmissing = [', ["line 5, sources.sessions.decimal_mark"]),
        ('client_id = "pat"', 'clint = "pat"', ["line 9, sources.sessions.columns.clint"]),
        ('kind = "linear"', 'kind = "curved"', ["line 12, models.0.kind"]),
        ('outcome = "is_dropout"\n', "", ["line 10, models.0.outcome: it is needed and missing"]),
        ('name = "s"', "name = ", ["line 2"]),
        ("[[models]]", "[lading]\nmax_bad_share = 1\n[[models]]", ["line 10, lading", "did you mean 'landing'"]),
    ],
)
def test_a_mistake_has_its_line_and_key(tmp_path, good, bad, said):
    path = tmp_path / "study.toml"
    path.write_text(GOOD)
    read_settings(path)
    path.write_text(GOOD.replace(good, bad))
    with pytest.raises(StudyError) as refusal:
        read_settings(path)
    for words in said:
        assert words in str(refusal.value)


def test_a_study_file_of_before_is_read_without_the_keys_that_do_nothing_any_more(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(GOOD)
    today = read_settings(path)
    path.write_text(GOOD + "[disclosure]\ndominance_n = 2\ndominance_share = 0.9\np_ratio = 0.1\n")
    assert read_settings(path) == today
    for table, key in RETIRED:
        assert key not in type(today).model_fields[table].annotation.model_fields


def test_a_default_scale_that_is_left_as_it_was_blocks_nothing(tmp_path):
    study = create_study(tmp_path / "study")
    text = study.settings_path.read_text()
    seven = text.replace(
        "[scales.directiveness]\nminimum = 0\nmaximum = 10", "[scales.directiveness]\nminimum = 1\nmaximum = 7"
    )
    assert seven != text
    study.settings_path.write_text(seven)
    study = StudyFolder.open(study.root)
    sessions, clients = study.inbox / "sessions.csv", study.inbox / "clients.csv"
    sessions.write_text("client_id,therapist_id,session_number,directiveness,satisfaction\nc1,t1,1,3,4\n")
    assert isinstance(land_file(study, sessions), Landed)
    clients.write_text("client_id,directiveness_preferred\nc1,9\n")
    with pytest.raises(StudyError, match="must share one metric"):
        land_file(study, clients)


def test_lines_are_found_in_long_texts_and_nested_tables():
    text = 'a = """\nb = 1\n"""\nc.d = 2\n[x."y z"]\ne = {f = [\n1]}\n[[l]]\ng = 1\n[[l]]\ng = 2\n'
    assert lines_of(text) == {
        ("a",): 1, ("c", "d"): 4, ("x", "y z"): 5, ("x", "y z", "e"): 6, ("l", 0): 8, ("l", 0, "g"): 9, ("l", 1): 10,
        ("l", 1, "g"): 11,
    }  # fmt: skip


def test_the_reference_of_the_study_file_is_the_settings():
    page = Path(__file__).parents[2] / "docs" / "study-file.md"
    assert page.read_text() == handbook.reference_page() + "\n", (
        "python -m outcomes.study.handbook > docs/study-file.md"
    )


def test_every_key_is_described_and_has_an_example_that_is_one():
    schema = json.loads(handbook.json_schema())
    parts = {name: part for name, part in schema["$defs"].items() if "properties" in part}
    assert "Source" in parts
    for name, part in parts.items():
        for key, content in part["properties"].items():
            assert content.get("description"), f"{name}.{key}"
            assert content.get("examples"), f"{name}.{key}"
    assert StudySettings.model_fields.keys() == schema["properties"].keys()


def test_examples_of_sources_and_scales_are_valid():
    schema = json.loads(handbook.json_schema())["$defs"]
    for part, place in (("Source", "sources"), ("Scale", "scales")):
        for key, content in schema[part]["properties"].items():
            if key in (
                "redcap",
                "qualtrics",
                "fhir",
                "iapt",
                "items",
                "coded",
                "format",
                "role",
            ):  # these need others beside them
                continue
            whole = {"study": {"name": "s"}, "sources": {"sessions": {"pattern": "*"}}, "scales": {}}
            base = {"pattern": "*"} if part == "Source" else {"minimum": -1, "maximum": 99, "rater": "client"}
            name = "sessions" if part == "Source" else "hope"
            more = {"pattern": "*", "decimal_mark": ","} if key == "thousands_mark" else {}
            kind = "episodes" if key == "codes" else name
            whole[place][kind] = base | more | {key: content["examples"][0]}
            StudySettings.model_validate(whole)
