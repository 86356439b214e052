"""What is taken along: the marts as they are published, with what their columns mean."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pyreadstat
import pytest
from operations_page import ROOT
from polars.testing import assert_frame_equal

import outcomes as door
from outcomes.errors import UsageError
from outcomes.operate.exporting import ExportFormat, export_release
from outcomes.release.places import find_release
from outcomes.store.files import read_json

IN_R = re.findall(r"^```r run\n(.*?)^```", (ROOT / "docs/clients.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def exported(my_study, tmp_path):
    def export(form: ExportFormat, *tables: str) -> Path:
        return export_release(my_study, find_release(my_study), tmp_path / "taken", form, tables).folder

    return export


def published(my_study, table: str) -> pl.DataFrame:
    with door.open(my_study.root) as study:
        return study.sql(f'select * from "{table}" order by all').pl()


def test_parquet_holds_the_published_rows(exported, my_study):
    folder = exported(ExportFormat.PARQUET)
    names = {path.stem for path in folder.glob("*.parquet")}
    assert {"mart_sessions", "mart_episodes", "mart_session_directiveness", "codebook"} <= names
    assert not [name for name in names if not name.startswith("mart_") and name != "codebook"]
    for name in names:
        assert_frame_equal(pl.read_parquet(folder / f"{name}.parquet"), published(my_study, name))


def test_a_datapackage_says_of_each_csv_what_its_columns_are(exported):
    folder = exported(ExportFormat.CSV)
    package = read_json(folder / "datapackage.json")
    assert {one["path"] for one in package["resources"]} == {path.name for path in folder.glob("*.csv")}
    for resource in package["resources"]:
        with (folder / resource["path"]).open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == header
        assert all(field["description"] for field in fields)
        for place, field in enumerate(fields):
            values = {row[place] for row in rows} - {""}
            assert_allowed(field, values)


def assert_allowed(field: dict, values: set[str]) -> None:
    """Frictionless' own reading of a field, in a few lines."""
    said = field.get("constraints", {})
    if field["type"] in ("number", "integer"):
        numbers = [float(value) if field["type"] == "number" else int(value) for value in values]
        assert all(number >= said.get("minimum", number) for number in numbers), field
        assert all(number <= said.get("maximum", number) for number in numbers), field
    if field["type"] == "boolean":
        assert values <= {*field["trueValues"], *field["falseValues"]}
    assert values <= set(said.get("enum", values)), field


def test_spss_shows_labels_units_and_the_words_of_codes(exported, my_study):
    folder = exported(ExportFormat.SAV)
    frame, meta = pyreadstat.read_sav(str(folder / "mart_sessions.sav"))
    kept = published(my_study, "mart_sessions")
    assert meta.column_names_to_labels["directiveness_within"].startswith("This session's directiveness less")
    assert "points" in meta.column_names_to_labels["directiveness_score"]
    words = meta.variable_value_labels["age_band"]
    assert [words.get(code) for code in frame["age_band"]] == kept["age_band"].to_list()
    assert frame["satisfaction_score"].to_list() == pytest.approx(
        kept["satisfaction_score"].fill_null(float("nan")).to_list(), nan_ok=True
    )
    assert meta.variable_measure["client_id"] == "nominal"


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed here")
def test_r_reads_the_files_and_lme4_agrees_with_our_engine(exported, my_study):
    folder = exported(ExportFormat.RDS_READY)
    has_lme4 = subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True)
    if has_lme4.returncode:
        pytest.skip("R has no lme4 here")
    (script,) = IN_R
    labels = 'cat(attr(mart_sessions$directiveness_within, "label"), levels(mart_sessions$age_band)[1], sep = "|")'
    run = subprocess.run(["Rscript", "-e", f"{script}\n{labels}"], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with door.open(my_study.root) as study:
        own = study.fit(
            "satisfaction ~ directiveness_within + directiveness_client + (1 | client_id) + (1 | therapist_id)"
        )
        label = study.codebook("mart_sessions.directiveness_within")["description"][0]
    told = [float(number) for number in re.findall(r"-?\d+\.\d{4,}", run.stdout)]
    assert told == pytest.approx(own.fit.beta.tolist(), rel=1e-5)
    assert f"{label}|under 18" in run.stdout
    assert (folder / "mart_sessions.rds").is_file()


def test_nothing_leaves_that_the_published_database_does_not_hold(exported, my_study):
    folder = exported(ExportFormat.CSV)
    sessions = pl.read_csv(folder / "mart_sessions.csv", infer_schema=False)
    kept = published(my_study, "mart_sessions")
    assert set(sessions["client_id"]) == set(kept["client_id"])
    assert sessions["age_band"].null_count() == kept["age_band"].null_count() > 0


@pytest.mark.parametrize("place", ["inbox/taken", "taken", "."])
def test_an_export_never_lies_in_the_study(my_study, place):
    with pytest.raises(UsageError, match="own folder"):
        export_release(my_study, find_release(my_study), my_study.root / place, ExportFormat.CSV)


def test_what_is_there_already_stays(my_study, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="already"):
        export_release(my_study, find_release(my_study), tmp_path / "full", ExportFormat.CSV)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_another_table_is_taken_by_name_and_an_unknown_one_refused(exported, my_study, tmp_path):
    folder = exported(ExportFormat.PARQUET, "model_estimates")
    assert {path.stem for path in folder.glob("*.parquet")} == {"model_estimates", "codebook"}
    with pytest.raises(UsageError, match="model_estimates"):
        export_release(my_study, find_release(my_study), tmp_path / "b", ExportFormat.CSV, ("model_estimate",))
    assert not (tmp_path / "b").exists()


def test_a_failed_export_leaves_nothing(my_study, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("outcomes.operate.exporting.export.sync_tree", fail)
    with pytest.raises(Exception, match="No space left"):
        export_release(my_study, find_release(my_study), tmp_path / "b", ExportFormat.CSV)
    assert [path.name for path in tmp_path.iterdir()] == ["my-study"]


def test_the_command_exports_an_earlier_release(my_study, tmp_path, outcomes):
    first = min(door.open(my_study.root).releases, key=lambda one: one.published_at).release_id
    run = outcomes("export", my_study.root, "--to", tmp_path / "out", "--format", "csv", "--release", first)
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "out" / "datapackage.json").read_text())["version"] == first
