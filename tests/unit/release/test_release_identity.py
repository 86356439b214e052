"""A release's id follows from its inputs and from nothing else."""

import re
import shutil

from release_inputs import episodes, land

from outcomes.contract import Kind
from outcomes.release import candidate_id, code_version, identity
from outcomes.study import StudyFolder


def test_the_id_is_twelve_hex_digits_and_stays(study):
    assert re.fullmatch(r"[0-9a-f]{12}", candidate_id(study))
    assert candidate_id(study) == candidate_id(StudyFolder.open(study.root))


def test_the_id_does_not_depend_on_where_the_study_lies(study, tmp_path):
    shutil.copytree(study.root, tmp_path / "elsewhere")
    assert candidate_id(StudyFolder.open(tmp_path / "elsewhere")) == candidate_id(study)


def test_a_new_batch_makes_another_id(study):
    before = candidate_id(study)
    land(study, Kind.EPISODES, episodes(3))
    assert candidate_id(study) != before


def test_an_edit_of_the_study_file_makes_another_id_and_editing_back_the_first(study):
    before, text = candidate_id(study), study.settings_path.read_text(encoding="utf-8")
    study.settings_path.write_text(text.replace("silent_days = 90", "silent_days = 60"), encoding="utf-8")
    assert candidate_id(StudyFolder.open(study.root)) != before
    study.settings_path.write_text(text, encoding="utf-8")
    assert candidate_id(StudyFolder.open(study.root)) == before


def test_sql_suites_and_code_all_count(study, monkeypatch):
    def others(changed):
        return lambda package, *endings: "changed" if package == changed else package

    ids = set()
    for changed in ("nothing", "outcomes", "outcomes.sql", "outcomes.expectations"):
        code_version.cache_clear()
        monkeypatch.setattr(identity, "_resources_sha256", others(changed))
        ids.add(candidate_id(study))
    code_version.cache_clear()
    assert len(ids) == 4


def test_the_code_version_starts_with_the_packages_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{8}", code_version())
