"""Each recipe is followed to the letter: raw files into the inbox, the study file as shown, a refresh, a release."""

from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from national_files import NATIONAL
from raw_files import WRITERS as RAW
from raw_files import blocks

from outcomes.cli import main
from outcomes.landing import land_inbox
from outcomes.operate import read_status
from outcomes.preview.look import look_at
from outcomes.simulate import CohortParameters, simulate_cohort
from outcomes.store.files import read_json
from outcomes.study import StudyFolder
from outcomes.study.folder import template_text
from outcomes.study.settings import AnalysisName

WRITERS = RAW | NATIONAL
PAGES = Path(__file__).parents[2] / "docs" / "recipes"
# What a recipe leaves to the defaults takes minutes to answer, and has its own tests.
SHORT = f"\n[answers]\nleave_out = {[one.value for one in AnalysisName]}\n[recovery]\ncohorts = 0\n".replace("'", '"')
KINDS = {
    "redcap": {"sessions", "clients", "episodes"},
    "qualtrics": {"sessions"},
    "excel": {"sessions", "clients", "episodes"},
    "spss": {"sessions", "clients"},
    "wide": {"sessions", "clients"},
    "flat": {"sessions", "clients", "episodes"},
    "fhir": {"sessions"},
    "pmhc": {"sessions", "episodes"},
    "iapt": {"sessions", "episodes"},
}


@pytest.fixture(scope="session")
def cohort():
    """A small cohort that every recipe exports."""
    return simulate_cohort(CohortParameters(clients=60, therapists=6), seed=11)


def made(name: str, root: Path, cohort) -> StudyFolder:
    """Make the study that a recipe shows, with its raw files."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    (study,) = [block for block in blocks(page, "toml") if block.startswith("# study.toml")]
    (root / "inbox").mkdir(parents=True)
    (root / "study.toml").write_text(study + SHORT, encoding="utf-8")
    WRITERS[name](cohort, root)
    return StudyFolder.open(root)


@pytest.mark.parametrize("name", WRITERS)
def test_a_recipe_leads_from_the_raw_file_to_a_published_release(name, tmp_path, cohort, start_command):
    study = made(name, tmp_path / "study", cohort)
    refreshed = start_command("refresh", study.root)
    assert refreshed.wait() == 0, refreshed.said
    status = read_status(study)
    assert status.release_id
    assert set(status.batches) == KINDS[name]
    assert (status.rows_quarantined, status.refused, status.waiting) == (0, {}, ())
    manifests = [read_json(path) for path in study.landed.glob("*/manifest.json")]
    with duckdb.connect(str(study.database), read_only=True) as con:
        ((n_sessions, n_rated),) = con.execute(
            "select count(*), count(satisfaction_score) from core_sessions"
        ).fetchall()
    assert n_sessions == sum(one["rows_landed"] for one in manifests if one["kind"] == "sessions")
    assert n_rated == 0 if name in NATIONAL else n_rated > 100
    for manifest in manifests:
        assert manifest["rows_in_export"] == manifest["rows_read"] + sum(manifest["rows_left_out"].values())
        assert "rows of the export" in refreshed.said


@pytest.mark.parametrize("name", ["redcap", "qualtrics", "wide", "flat"])
def test_the_raw_lines_that_a_recipe_shows_are_those_of_its_file(name, tmp_path, cohort):
    study = made(name, tmp_path / "study", cohort)
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    (shown,) = blocks(page, "csv")
    (path,) = study.inbox.iterdir()
    content = path.read_bytes()
    text = content.decode("utf-16" if content[:2] == b"\xff\xfe" else "utf-8-sig")
    for line in shown.splitlines():
        assert not line.strip() or line.removesuffix("...") in text


def test_every_recipe_is_followed_here():
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} >= set(WRITERS)


@pytest.mark.parametrize("name", ["fhir", "pmhc", "iapt"])
def test_the_study_file_to_start_from_reads_the_recipes_files(name, tmp_path, cohort):
    root = tmp_path / "study"
    (root / "inbox").mkdir(parents=True)
    text = template_text(name).replace('"guidance"', '"dir"').replace('= "satisfaction"', '= "sat"')
    (root / "study.toml").write_text(text, encoding="utf-8")
    WRITERS[name](cohort, root)
    for form in root.glob("session-rating.json"):
        form.rename(root / "questionnaire.json")
    report = land_inbox(StudyFolder.open(root))
    assert not report.refused
    assert {landed.kind for landed in report.landed} == KINDS[name]
    assert not any(landed.rows_quarantined for landed in report.landed)


@pytest.mark.parametrize("name", ["fhir", "pmhc", "iapt"])
def test_a_first_look_recognises_the_recipes_files_and_says_what_they_can_answer(name, tmp_path, cohort):
    (tmp_path / "inbox").mkdir()
    WRITERS[name](cohort, tmp_path)
    (path,) = (tmp_path / "inbox").iterdir()
    look = look_at([path])
    (one,) = look.files
    assert one.refused == ""
    assert any(note.startswith("What it can answer: ") for note in one.table.notes)
    assert f'format = "{name}"' in "\n".join(look.study_lines)
    assert "Marker" not in str(look)


@pytest.mark.parametrize("name", ["flat", "wide", "redcap", "excel", "pmhc", "iapt"])
def test_a_drafted_study_file_feeds_every_kind_that_the_recipes_file_holds(name, tmp_path, cohort):
    (tmp_path / "raw" / "inbox").mkdir(parents=True)
    WRITERS[name](cohort, tmp_path / "raw")
    given = sorted((tmp_path / "raw" / "inbox").iterdir())
    for one in (tmp_path / "raw").glob("dictionary.csv"):
        given.append(one.rename(tmp_path / "raw" / "TheDictionary.csv"))
    drafted = CliRunner().invoke(main, ["init", str(tmp_path / "study"), "--from", *map(str, given)])
    assert drafted.exit_code == 0, drafted.output
    study = StudyFolder.open(tmp_path / "study")
    for one in (tmp_path / "raw" / "inbox").iterdir():
        one.rename(study.inbox / one.name)
    report = land_inbox(study)
    assert not report.refused, report.refused
    assert {landed.kind for landed in report.landed} >= KINDS[name]
    assert sum(landed.rows_quarantined for landed in report.landed) == 0
    ids = {kind: source.columns.get("episode_id") for kind, source in study.settings.sources.items()}
    if name in NATIONAL:
        assert ids["sessions"] == ids["episodes"] is not None
