"""The suites as data: complete, stable, independent of the study, and listed in the docs."""

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path

from outcomes.audit import Severity
from outcomes.audit.catalogue import catalogue
from outcomes.audit.runner import DATABASE
from outcomes.audit.suites import TABLES, read_suites
from outcomes.release.codebook.tables import TABLES as DESCRIBED
from outcomes.store.warehouse import connect

CHECKS = [check for checks in read_suites().values() for check in checks]


def test_every_suite_file_is_read_and_every_table_of_the_release_has_one():
    written = {Path(str(item)).stem for item in files("outcomes.expectations").iterdir() if item.name.endswith(".json")}
    assert written == set(TABLES)
    published = {table for table in DESCRIBED if table.startswith(("core_", "mart_"))}
    views = {"mart_sessions", "mart_episodes"}  # they show rows of checked tables and hold none of their own
    assert published - written == views


def test_ids_are_unique_and_start_with_their_table():
    assert [name for name, n in Counter(check.id for check in CHECKS).items() if n > 1] == []
    assert all(check.id.startswith(f"{check.table}.") for check in CHECKS)


def test_every_check_speaks_to_a_reader_and_says_what_to_do():
    speechless = [c.id for c in CHECKS if not (c.sentence.endswith(".") and c.remedy.endswith(".") and c.counted)]
    assert speechless == []
    assert [check.id for check in CHECKS if "_" in check.sentence] == [], "a stakeholder reads no column names"


def test_every_check_names_a_column_that_its_table_has(release):
    with connect(release / DATABASE, read_only=True) as con:
        there = set(con.execute("select table_name, column_name from duckdb_columns()").fetchall())
    assert [check.id for check in CHECKS if check.column and (check.table, check.column) not in there] == []


def test_ranges_are_the_studys_own(study):
    (check,) = (check for check in CHECKS if check.id == "core_episodes.intake_severity_score.range")
    kwargs = check.expectation(study.settings)["kwargs"]
    scale = study.settings.scales["intake_severity"]
    assert (kwargs["min_value"], kwargs["max_value"]) == (scale.minimum, scale.maximum)


def test_a_scale_that_the_study_does_not_declare_leaves_its_check_out(study):
    scales = {name: scale for name, scale in study.settings.scales.items() if name != "reactance"}
    settings = study.settings.model_copy(update={"scales": scales})
    (check,) = (check for check in CHECKS if check.id == "core_clients.reactance_score.range")
    assert check.expectation(study.settings) is not None
    assert check.expectation(settings) is None


def test_our_severities_are_the_librarys_under_another_name(study):
    names = {check.severity: check.expectation(study.settings)["severity"] for check in CHECKS}
    assert names == {Severity.FATAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


def test_the_suites_are_valid_great_expectations_suites_once_filled_in(study):
    from outcomes.audit.gx_duckdb import gx

    for table, checks in read_suites().items():
        expectations = [check.expectation(study.settings) for check in checks]
        assert len(gx.ExpectationSuite(name=table, expectations=expectations).expectations) == len(checks)


def test_the_suite_files_are_written_in_one_way():
    for table in TABLES:
        text = (files("outcomes.expectations") / f"{table}.json").read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_the_docs_list_every_check_as_it_is():
    written = Path(__file__).parents[3] / "docs/checks.md"
    assert written.read_text(encoding="utf-8") == catalogue(), (
        "run: python -m outcomes.audit.catalogue > docs/checks.md"
    )
