"""kill -9 in the middle of a withdrawal: nothing is landed or published until it is finished, and it ends the same."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path

import duckdb
import pytest
from processes import SLOW_IMPORTS

from outcomes.errors import UsageError
from outcomes.landing import land_inbox
from outcomes.release import build, candidate_id
from outcomes.simulate import simulate_study
from outcomes.study import StudyFolder, create_study, writer_lock
from outcomes.trust.pending import refuse_unfinished
from outcomes.trust.recording import record_state
from outcomes.trust.verify import verify
from outcomes.trust.withdrawal import withdraw

pytestmark = pytest.mark.xdist_group("trust")

N_GONE, ORDINARY_KILLS, SLOW_KILLS = 12, 10, 150


def _withdraw(root: str, clients: frozenset[str]) -> None:
    study = StudyFolder.open(root)
    with writer_lock(study, 60):
        withdraw(study, clients)


@pytest.fixture(scope="module")
def landed(tmp_path_factory) -> tuple[Path, frozenset[str]]:
    """A landed study of 80 clients with a candidate release, and some clients who will go."""
    study = create_study(tmp_path_factory.mktemp("landed") / "study")
    simulate_study(study.root, clients=80, therapists=6, seed=11)
    for path in study.inbox.glob("*sessions*"):  # rows to be quarantined
        header, first, *rest = path.read_text().splitlines()
        cells = first.split(",")
        cells[7] = "99"
        path.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    land_inbox(study)
    record_state(study)
    build(study, candidate_id(study))
    with duckdb.connect() as con:
        clients = [one for (one,) in con.execute(f"select client_id from '{study.inbox / 'clients.csv'}'").fetchall()]
    first = {path.read_text().splitlines()[1].split(",")[2] for path in study.inbox.glob("*sessions*")}
    return study.root, frozenset([*clients[:N_GONE], *first])


def state(study: StudyFolder) -> dict[str, object]:
    """What the withdrawal should leave: rows of batches, bytes of inbox and quarantine, counts of manifests."""
    found: dict[str, object] = {}
    for path in sorted(study.root.rglob("*")):
        if not path.is_file() or path.name in ("trail.jsonl", ".lock"):
            continue
        name = path.relative_to(study.root).as_posix()
        if path.suffix == ".parquet":
            with duckdb.connect() as con:
                found[name] = con.execute(f"select * from '{path}' order by source_line").fetchall()
        elif path.name == "manifest.json":
            manifest = json.loads(path.read_text())
            for changing in ("withdrawal", "parquet_sha256"):
                manifest.pop(changing, None)
            found[name] = manifest
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def wait_until_begun(study: StudyFolder, process: multiprocessing.Process) -> float:
    """Wait for the note of the withdrawal, so that the kills hit its own work; return the moment."""
    while process.exitcode is None and not (study.root / ".withdrawal.json").exists():
        time.sleep(0.005)
    return time.monotonic()


def kill_at_random(landed, tmp_path, kills: int, seed: int) -> dict[str, int]:
    root, clients = landed
    generator = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(SLOW_IMPORTS)  # a worker has one server of forks, for all its tests

    def start(study: StudyFolder) -> multiprocessing.Process:
        process = context.Process(target=_withdraw, args=(str(study.root), clients))
        process.start()
        return process

    whole = StudyFolder.open(shutil.copytree(root, tmp_path / "whole", symlinks=True))
    process = start(whole)
    started = wait_until_begun(whole, process)
    process.join()
    duration = time.monotonic() - started
    assert process.exitcode == 0
    expected = state(whole)
    count = {"killed": 0, "killed half way": 0, "ended before the kill": 0}
    while count["killed"] < kills:
        study = StudyFolder.open(shutil.copytree(root, tmp_path / f"run{sum(count.values())}", symlinks=True))
        process = start(study)
        wait_until_begun(study, process)
        process.join(generator.uniform(0, duration))
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            count["killed"] += 1
            if (study.root / ".withdrawal.json").exists():
                count["killed half way"] += 1
                with pytest.raises(UsageError, match="not finished"):
                    refuse_unfinished(study)
        else:
            assert process.exitcode == 0
            count["ended before the kill"] += 1
        _withdraw(str(study.root), clients)
        assert state(study) == expected
        assert verify(study).altered == ()
        assert land_inbox(study).landed == ()
        shutil.rmtree(study.root)
    return count


def test_10_kills_end_in_the_state_of_a_withdrawal_that_nobody_killed(landed, tmp_path, record_property):
    count = kill_at_random(landed, tmp_path, ORDINARY_KILLS, seed=1)
    record_property("kills", count)
    assert count["killed half way"] > 0


@pytest.mark.slow
def test_150_kills_end_in_the_state_of_a_withdrawal_that_nobody_killed(landed, tmp_path, record_property):
    record_property("kills", kill_at_random(landed, tmp_path, SLOW_KILLS, seed=2))
