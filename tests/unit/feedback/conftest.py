"""A study with feedback switched on; readers of the report's pages are on the path too."""

import sys
from pathlib import Path

import pytest
from feedback_worlds import World, all_rows

from outcomes.study import create_study

sys.path.append(str(Path(__file__).parents[1] / "report"))


@pytest.fixture(scope="session")
def rows():
    """Sessions of twelve therapists; two of them have enough clients for a page."""
    return all_rows()


@pytest.fixture
def world(tmp_path, rows) -> World:
    """The study, published."""
    return World(create_study(tmp_path / "study"), rows).declared().publish(rows)
