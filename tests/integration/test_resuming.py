"""A failed refresh goes on where it stopped, and only what may pass by itself is tried again."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from processes import HANGS_SECONDS

from outcomes.operate.runs import read_runs

pytestmark = pytest.mark.xdist_group("prefect_server")

# A disk error in the first attempt at landing, which passes; then a fault of our own in the fit, which does not.
FAULTS = """
import errno, sys
from outcomes import landing, models
from outcomes.errors import StepFailed
from outcomes.flows.refresh import refresh
land_inbox, calls = landing.land_inbox, {"land": 0, "fit": 0}
def failing_once(*inputs):
    calls["land"] += 1
    if calls["land"] == 1:
        raise OSError(errno.EIO, "Input/output error")
    return land_inbox(*inputs)
def broken(folder, study):
    calls["fit"] += 1
    raise ZeroDivisionError("a value of the data")
landing.land_inbox, models.fit_models = failing_once, broken
try:
    refresh(sys.argv[1])
except StepFailed as failed:
    print(calls, failed)
"""


def test_a_disk_error_is_tried_again_a_fault_is_not_and_the_next_refresh_goes_on_there(
    outcomes, prefect_server, small_study
):
    command = [sys.executable, "-c", FAULTS, str(small_study.root)]
    faulty = subprocess.run(command, env=prefect_server, capture_output=True, text=True, timeout=HANGS_SECONDS)
    assert "{'land': 2, 'fit': 1} The step fit failed unexpectedly: ZeroDivisionError" in faulty.stdout, faulty.stderr
    assert "a value of the data" not in faulty.stdout
    (candidate,) = small_study.releases.glob(".candidate-*")
    made = (candidate / "checks.json").stat().st_mtime_ns

    resumed = outcomes("refresh", small_study.root)
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(r"^  audit +done before", resumed.stderr, re.MULTILINE)
    assert not re.search(r"^  fit +done before", resumed.stderr, re.MULTILINE)
    assert (small_study.current / "checks.json").stat().st_mtime_ns == made
    assert [run.end for run in read_runs(small_study)] == ["failed: StepFailed", "published"]
