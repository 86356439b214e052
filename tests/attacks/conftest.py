"""This folder is on the path for its tests; the studies that are attacked."""

from __future__ import annotations

import itertools

import pytest
from studies_in_turn import Publisher

from outcomes.study import create_study


@pytest.fixture
def publisher(tmp_path):
    """Give a new study's publisher at each call."""
    numbers = itertools.count()

    def new() -> Publisher:
        root = tmp_path / f"study-{next(numbers)}"
        study = create_study(root)
        (root / "candidates").mkdir()
        return Publisher(root / "candidates", study)

    return new
