"""A file that grows while it is read is landed as it was at one moment, or left for the next time; never a mixture."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb

from outcomes.landing import land_inbox
from outcomes.study import StudyFolder

from .deliveries import HEADER

N_WRITES = 150
# Appends rows; after each write it notes how many rows the file, as it then is, has.
WRITER = """
import hashlib, json, random, sys, time
from pathlib import Path
path, states, header, n_writes = Path(sys.argv[1]), {}, sys.argv[3], int(sys.argv[4])
generator, number, whole = random.Random(7), 0, hashlib.sha256()
def write(text):
    with path.open("ab") as stream:
        stream.write(text)
    whole.update(text)
    states[whole.hexdigest()] = number
write(header.encode() + b"\\n")
for _ in range(n_writes):
    rows = generator.randrange(1, 400)
    text = "".join(f"t{row % 7},c{number + row}x,1,5,{row % 11}\\n" for row in range(1, rows + 1))
    number += rows
    write(text.encode())
    time.sleep(generator.choice((0, 0.001, 0.02, 0.2)))
Path(sys.argv[2]).write_text(json.dumps(states))
"""


def test_a_growing_file_is_landed_as_it_was_at_one_moment_or_left_for_later(empty_study: StudyFolder, record_property):
    text = empty_study.settings_path.read_text()
    empty_study.settings_path.write_text(text.replace("max_bad_share = 0.05", "max_bad_share = 1.0 "))
    path, noted = empty_study.inbox / "sessions.csv", empty_study.root / "states.json"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(noted), HEADER, str(N_WRITES)])
    reports = []
    while writer.poll() is None:
        reports.append(land_inbox(StudyFolder.open(empty_study.root)))
    assert writer.returncode == 0
    reports.append(land_inbox(StudyFolder.open(empty_study.root)))
    states: dict[str, int] = json.loads(noted.read_text())
    landed = [one for report in reports for one in report.landed]
    refused = [one for report in reports for one in report.refused]
    record_property("growing", {"looks": len(reports), "landed": len(landed), "left": len(refused)})
    assert len(landed) + len(refused) >= 3, "the file did not grow while it was read"
    for batch in landed:
        assert batch.rows_read == states[batch.sha256], "a batch is no state that the file ever had"
        assert rows_of(empty_study.landed / batch.batch_id) == batch.rows_landed
    assert all("changes while it is read" in one.message or "no rows" in one.message for one in refused)
    assert landed[-1].rows_landed == max(states.values())


def rows_of(folder: Path) -> int:
    with duckdb.connect() as con:
        return con.execute(f"select count(*) from read_parquet('{folder / 'batch.parquet'}')").fetchone()[0]
