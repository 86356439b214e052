"""A study with landed batches, and its candidate release."""

from pathlib import Path

import pytest
from release_inputs import episodes, finish, land, sessions

from outcomes.contract import Kind
from outcomes.release import build, candidate_id
from outcomes.study import StudyFolder, create_study


@pytest.fixture
def study(tmp_path) -> StudyFolder:
    """A study with 40 clients landed."""
    made = create_study(tmp_path / "study")
    land(made, Kind.SESSIONS, sessions(40), {"out_of_range": 2})
    land(made, Kind.EPISODES, episodes(40))
    return made


@pytest.fixture
def candidate(study) -> Path:
    """The study's candidate, with what audit, fits and report would add: empty tables and one-line files."""
    folder = build(study, candidate_id(study))
    finish(folder)
    return folder
