"""A study with source files of several formats, landed and published; this folder is on the path for its tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from trust_inputs import fill_inbox, publish_release

from outcomes.landing import land_inbox
from outcomes.study import StudyFolder, create_study
from outcomes.trust.recording import record_state


@pytest.fixture(scope="session")
def _landed(tmp_path_factory) -> Path:
    study = create_study(tmp_path_factory.mktemp("trust") / "study")
    text = study.settings_path.read_text()
    study.settings_path.write_text(text.replace("max_bad_share = 0.05", "max_bad_share = 0.5"))
    study = StudyFolder.open(study.root)
    fill_inbox(study.inbox)
    land_inbox(study)
    record_state(study)
    publish_release(study)
    return study.root


@pytest.fixture
def study(_landed, tmp_path) -> StudyFolder:
    """A study with six landed batches, a refused file and a release, all in the trail."""
    shutil.copytree(_landed, tmp_path / "study", symlinks=True)
    return StudyFolder.open(tmp_path / "study")
