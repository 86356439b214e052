"""Settings of all tests."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["processes", "studies"]

# Set before NumPy loads: each worker of a parallel run would start threads of its own, and waiting threads cost
# more than they bring at these sizes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def ask_only() -> Callable[..., None]:
    """Have a study leave out all analyses but those named: tests of the pipeline need not wait for every answer."""
    from outcomes.study.settings import Analysis

    def ask(root: Path, *kept: str) -> None:
        path = root / "study.toml"
        declared = path.read_text(encoding="utf-8")
        assert "leave_out = []" in declared
        left_out = json.dumps([analysis for analysis in Analysis if analysis not in kept])
        path.write_text(declared.replace("leave_out = []", f"leave_out = {left_out}"), encoding="utf-8")

    return ask
