"""Nothing of the data is left in temporary folders, logs or Prefect's files, whatever goes wrong on the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from processes import HANGS_SECONDS, private_environment

from outcomes.store.files import file_sha256
from outcomes.study import StudyFolder

from .deliveries import HEADER

CLIENT, NAME, SCORE, SECRET = "c7h3marker9", "Wilhelmina Marker", "6.283185", "a quoted row of zebra99marker"
MARKERS = (CLIENT, NAME, SCORE, SECRET, "zebra99marker")
# A refresh in which a step fails with an error that quotes the data, then one that ends well.
RUN = """
import sys
from outcomes import models
from outcomes.errors import OutcomesError
from outcomes.flows.refresh import refresh
fit_models = models.fit_models
def broken(folder, study):
    raise ValueError(sys.argv[2])
models.fit_models = broken
try:
    refresh(sys.argv[1])
except OutcomesError as failed:
    print(failed)
models.fit_models = fit_models
print(refresh(sys.argv[1]))
"""


def holds_marker(path: Path) -> list[str]:
    """Which markers a file has, as bytes or in a table of SQLite."""
    content = path.read_bytes()
    found = [marker for marker in MARKERS if marker.encode() in content or marker.encode("utf-16-le") in content]
    if content.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as con:
            dumped = "\n".join(con.iterdump())
        found += [marker for marker in MARKERS if marker in dumped]
    return found


@pytest.mark.slow  # a Prefect server of its own starts twice
def test_no_planted_value_is_found_outside_the_study(empty_study: StudyFolder, tmp_path, record_property):
    text = empty_study.settings_path.read_text().replace("max_bad_share = 0.05", "max_bad_share = 1.0 ")
    empty_study.settings_path.write_text(text.replace("drop = [] ", 'drop = ["full_name"] '))
    rows = [f"t1,{CLIENT},{number},5,{SCORE},{NAME}" for number in range(1, 6)]
    rows.append(f"t1,{CLIENT},6,99,{SCORE},{NAME}")  # to be quarantined
    (empty_study.inbox / "sessions.csv").write_text("\n".join([f"{HEADER},full_name", *rows, ""]))
    (empty_study.inbox / "sessions-refused.csv").write_text(f"{HEADER},comment\nt1,{CLIENT},9,5,{SCORE},{SECRET}\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = private_environment(tmp_path / "home", TMPDIR=str(temporary))
    command = [sys.executable, "-c", RUN, str(empty_study.root), SECRET]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANGS_SECONDS)
    (tmp_path / "said").write_text(done.stdout + done.stderr)
    assert "The step fit failed unexpectedly: ValueError" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr
    outside = [path for folder in ("temporary", "home") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    outside = [path for path in outside if not path.is_relative_to(empty_study.root)]
    databases = [path for path in outside if path.suffix == ".db"]
    assert databases, "Prefect's database was not looked at"
    found = {str(path): markers for path in [*outside, tmp_path / "said"] if (markers := holds_marker(path))}
    assert found == {}
    record_property("searched", f"{len(outside)} files, {len(databases)} databases, {len(MARKERS)} markers")
    kept = empty_study.quarantine / f"{file_sha256(empty_study.inbox / 'sessions.csv')[:12]}.csv"
    assert holds_marker(kept) == [CLIENT, SCORE], "the search does not find what is there"
    inside = [path for path in empty_study.root.rglob("*") if path.is_file() and path.parent != empty_study.inbox]
    assert not [path for path in inside if {NAME, SECRET, "zebra99marker"} & set(holds_marker(path))]
