"""An inbox of many small files is landed file by file, each once, and every row is there."""

from __future__ import annotations

import pytest

from outcomes.landing import land_inbox
from outcomes.release import build, candidate_id
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.trust.recording import record_state
from outcomes.trust.verify import verify

from .deliveries import HEADER

ORDINARY, SLOW, ROWS = 300, 10_000, 3


def land_many(study: StudyFolder, n_files: int) -> None:
    for number in range(n_files):
        rows = "".join(f"t{number % 40},c{number}x,{row},5,6\n" for row in range(1, ROWS + 1))
        (study.inbox / f"sessions-{number:06d}.csv").write_text(f"{HEADER}\n{rows}")
    report = land_inbox(study)
    assert [landed.sequence for landed in report.landed] == list(range(1, n_files + 1))
    assert len(land_inbox(study).skipped) == n_files
    record_state(study)
    folder = build(study, candidate_id(study))
    with connect(folder / "outcomes.duckdb", read_only=True) as con:
        (counts,) = con.execute("select count(*), sum(n_read), sum(n_current) from core_batches").fetchall()
    assert counts == (n_files, n_files * ROWS, n_files * ROWS)
    assert verify(study).altered == ()


def test_300_small_files_are_landed_and_built(empty_study):
    land_many(empty_study, ORDINARY)


@pytest.mark.slow
def test_10000_small_files_are_landed_and_built(empty_study):
    land_many(empty_study, SLOW)
