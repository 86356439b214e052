"""Reference data and fits that live beside the project, never in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference"


def _existing(name: str) -> Path:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"reference {name} is not beside the project (../shared/reference)")
    return path


@pytest.fixture
def reference_data() -> Callable[[str], pd.DataFrame]:
    """Read a reference data set by name, or skip."""
    return lambda name: pd.read_csv(_existing(f"{name}.csv"))


@pytest.fixture
def reference_fit() -> Callable[[str], dict]:
    """Read a reference fit by name, or skip."""
    return lambda name: json.loads(_existing(f"{name}.json").read_text(encoding="utf-8"))
