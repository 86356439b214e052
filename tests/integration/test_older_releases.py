"""Releases of an older version of the code stay readable, and can be compared with those of this one."""

from __future__ import annotations

import json

import duckdb
import pytest
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.release.places import kept_releases
from outcomes.ui.history import read_history
from outcomes.ui.reading import document_files, read_codebook, read_release

YOUNG_TABLES = ("verdicts", "model_flow", "certainties", "surface_grid", "surface_terms", "surface_covariances")
YOUNG_VIEWS = ("mart_sessions", "mart_episodes")
YOUNG_FILES = (
    "brief.html",
    "brief.pdf",
    "brief-easy.html",
    "brief-easy.pdf",
    "annex.html",
    "annex.pdf",
    "timings.json",
)


@pytest.fixture
def study(my_study):
    """The elder of two releases is what a version made that knew fewer tables, files and facts of a release."""
    elder = kept_releases(my_study)[0]
    with duckdb.connect(str(elder.database)) as con:
        for view in YOUNG_VIEWS:
            con.execute(f"drop view {view}")
        for table in YOUNG_TABLES:
            con.execute(f"drop table {table}")
        con.execute(f"delete from codebook where table_name in {(*YOUNG_VIEWS, *YOUNG_TABLES)}")
    for name in YOUNG_FILES:
        (elder.folder / name).unlink()
    manifest = json.loads((elder.folder / "manifest.json").read_text())
    for name in ("timings_seconds", "packages", "trail"):
        del manifest[name]
    for name in YOUNG_TABLES:
        manifest["row_counts"].pop(name)
    (elder.folder / "manifest.json").write_text(json.dumps(manifest | {"code_version": "0.0.9+00000000"}))
    checks = json.loads((elder.folder / "checks.json").read_text())
    for check in checks["checks"]:
        del check["remedy"]
    (elder.folder / "checks.json").write_text(json.dumps(checks))
    return my_study


def run(*arguments: object) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_is_listed_asked_compared_and_exported(study, tmp_path):
    elder, younger = kept_releases(study)
    assert elder.release_id in run("status", study.root)
    n = run("query", study.root, "select count(*) as n from core_sessions", "--release", elder.release_id)
    assert "(1 row)" in n
    found = json.loads(run("diff", study.root, elder.release_id, younger.release_id, "--json"))
    assert {one["cause"] for one in found["causes"]} >= {"code", "study file"}
    new = {one["table_name"] for one in found["rows"] if one["before"] is None}
    assert new == set(YOUNG_TABLES)
    run("export", study.root, "--to", tmp_path / "taken", "--format", "csv", "--release", elder.release_id)
    assert list((tmp_path / "taken").glob("*.csv"))


def test_its_page_shows_what_it_has_and_the_history_goes_on(study):
    elder, _ = kept_releases(study)
    view = read_release(study, elder, ())
    assert (view.verdicts, view.timings) == ((), {})
    assert view.fits
    assert all(one.remedy == "" for one in view.findings)
    assert [document for document, _ in document_files(elder)] == ["report", "checks"]
    tables, columns = read_codebook(study, elder, "directiveness")
    assert tables
    assert columns
    history = read_history(study)
    panels = {panel.title: panel for group in history.groups for panel in group.panels}
    assert len(panels["Sessions"].points) == 2
    assert [point.place for point in panels["Step audit"].points] == [2]
