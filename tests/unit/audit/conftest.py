"""A clean release, built once by the real SQL, and copies of it to plant faults in."""

import shutil
from pathlib import Path

import pytest
from clean_release import build_clean_release

from outcomes.study import StudyFolder

TEMPLATE = Path(__file__).parents[3] / "src/outcomes/study/template.toml"


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> StudyFolder:
    root = tmp_path_factory.mktemp("audited") / "study"
    root.mkdir()
    shutil.copy(TEMPLATE, root / "study.toml")
    return StudyFolder.open(root)


@pytest.fixture(scope="session")
def _clean_database(study, built_once) -> Path:
    def make(folder: Path) -> None:
        build_clean_release(folder / "outcomes.duckdb", study.settings)

    return built_once("clean-release", make) / "outcomes.duckdb"


@pytest.fixture
def release(_clean_database, tmp_path) -> Path:
    """A release folder of its own with a clean database."""
    shutil.copy(_clean_database, tmp_path / "outcomes.duckdb")
    return tmp_path
