"""Bootstraps and imputations of the answers on workers: the tables of one machine, also when a worker is killed."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import distributed
import numpy as np
import polars as pl
import pytest
from clusters import two_workers

from outcomes import landing, release
from outcomes.answers.common.replicates import replicates
from outcomes.answers.dropout import incidence
from outcomes.answers.dropout import run as dropout
from outcomes.answers.missing import run as missing
from outcomes.answers.recovery import run as recovery
from outcomes.answers.run import ANSWER_TABLES, answer
from outcomes.answers.states import STATES
from outcomes.answers.therapists import run as therapists
from outcomes.errors import FitRefused
from outcomes.release.folders import DATABASE
from outcomes.simulate import simulate_study
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, create_study
from outcomes.workers import Cluster, cluster, on_cluster

DRAWN = (dropout, therapists, missing)
"""Answers that bootstrap or impute."""
HUNG_SECONDS = 300


@pytest.fixture(scope="module")
def scheduler() -> Iterator[distributed.LocalCluster]:
    with two_workers() as opened:
        yield opened


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A study with its candidate release built and not answered; recovery tries two cohorts."""
    root = create_study(tmp_path_factory.mktemp("built") / "study").root
    path = root / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("\ncohorts = 20 ", "\ncohorts = 2 "), encoding="utf-8")
    simulate_study(root, clients=240, therapists=15, seed=3)
    study = StudyFolder.open(root)
    landing.land_inbox(study)
    release.build(study, release.candidate_id(study))
    return root


def candidate(study: StudyFolder) -> Path:
    return release.candidate_folder(study, release.candidate_id(study))


def answered(root: Path, folder: Path, address: str = "") -> dict[str, pl.DataFrame]:
    """All tables of the answers, of a copy of the study."""
    study = StudyFolder.open(shutil.copytree(root, folder / "study", symlinks=True), address)
    answer(candidate(study), study)
    with connect(candidate(study) / DATABASE, read_only=True) as con:
        return {name: con.table(name).pl() for name in ANSWER_TABLES}


def assert_same(here: pl.DataFrame, there: pl.DataFrame) -> None:
    assert here.schema == there.schema
    assert here.height == there.height
    for name, kind in here.schema.items():
        if kind.is_float():
            ours, theirs = (frame[name].fill_null(np.nan).to_numpy() for frame in (here, there))
            np.testing.assert_allclose(theirs, ours, rtol=1e-8, atol=1e-8, equal_nan=True, err_msg=name)
        else:
            assert here[name].equals(there[name], null_equal=True), name


def test_all_tables_of_the_answers_are_those_of_one_machine(built, scheduler, monkeypatch, tmp_path):
    monkeypatch.setattr(recovery, "LARGE_CLIENTS", 60)
    here = answered(built, tmp_path / "here")
    run, connect_to, asked, connected = Cluster.run, cluster._connect, [], []

    def counted(self, function, jobs, priority=0):
        asked.append((function.__name__, len(jobs)))
        return run(self, function, jobs, priority)

    def connecting(address):
        connected.append(address)
        return connect_to(address)

    monkeypatch.setattr(Cluster, "run", counted)
    monkeypatch.setattr(cluster, "_connect", connecting)
    there = answered(built, tmp_path / "there", scheduler.scheduler_address)
    assert set(here) == set(there) == set(ANSWER_TABLES)
    for name, table in here.items():
        assert_same(table, there[name])
    assert here[STATES.name]["status"].unique().to_list() == ["answered"]
    # The risk of dropout, three spreads of therapists, the imputations: four batches each, two a worker.
    assert [n for name, n in asked if name == "_made"] == [4] * 5
    assert len(connected) == 1
    assert not cluster._opened


def one_answer(analysis, con, study: StudyFolder) -> dict[str, pl.DataFrame]:
    return analysis.ANALYSIS.answer(con, study)


@pytest.mark.parametrize("analysis", DRAWN, ids=lambda one: str(one.ANALYSIS.name))
def test_a_worker_killed_in_mid_bootstrap_costs_time_and_not_the_result(built, analysis, monkeypatch):
    run, killed = Cluster.run, []

    def killing(self, function, jobs, priority=0):
        """Kill the first worker that is seen at work."""
        pids = self.client.run(os.getpid)

        def watch() -> None:
            until = time.monotonic() + HUNG_SECONDS
            while time.monotonic() < until:
                for address, tasks in self.client.processing().items():
                    if tasks and address in pids:
                        os.kill(pids[address], signal.SIGKILL)
                        killed.append(pids[address])
                        return
                time.sleep(0.01)

        if not killed:
            threading.Thread(target=watch, daemon=True).start()
        return run(self, function, jobs, priority)

    study = StudyFolder.open(built)
    with connect(candidate(study) / DATABASE, read_only=True) as con:
        here = one_answer(analysis, con, study)
        monkeypatch.setattr(Cluster, "run", killing)
        with two_workers() as own, on_cluster(own.scheduler_address) as places:
            there = one_answer(analysis, con, StudyFolder.open(built, own.scheduler_address))
            assert not set(killed) & set(places.client.run(os.getpid).values())
    assert len(killed) == 1
    for name, table in here.items():
        assert_same(table, there[name])


def test_no_id_crosses_and_no_ending_of_a_hazard(built, monkeypatch):
    crossed, packed = {}, {}

    def kept(make, prepared, n, what, cluster=""):
        crossed[what], packed[what] = prepared, pickle.dumps(prepared)
        return replicates(make, prepared, n, what, cluster)

    for module in (incidence, therapists, missing):
        monkeypatch.setattr(module, "replicates", kept)
    study = StudyFolder.open(built)
    with connect(candidate(study) / DATABASE, read_only=True) as con:
        for analysis in DRAWN:
            one_answer(analysis, con, study)
        ids = con.sql("select distinct unnest([session_id, client_id, therapist_id, practice_id]) from core_sessions")
        known = [str(one).encode() for (one,) in ids.fetchall() if one is not None]
    assert len(crossed) == 5
    assert len(known) > 2_000
    assert not [what for what, crossing in packed.items() for one in known if one in crossing]
    hazards = [crossed["Bootstrap of dropout"], *crossed["Bootstrap of the risk of dropout"].hazards]
    assert not any(chunk.events.any() for one in hazards for chunk in one.model.rows.chunks)
    assert max(map(len, packed.values())) < 300_000


def test_batches_come_back_in_order_and_a_refusal_is_the_same(scheduler):
    address = scheduler.scheduler_address
    made = replicates(_numbers, 3, 7, "Numbers", address)
    assert made == replicates(_numbers, 3, 7, "Numbers") == [0, 3, 6, 9, 12, 15, 18]
    for one in (address, ""):
        with pytest.raises(FitRefused, match="None"):
            replicates(_refused, None, 4, "Refusals", one)


def test_while_the_only_worker_is_away_the_work_waits_as_one_batch(scheduler, monkeypatch):
    monkeypatch.setattr(Cluster, "n_workers", 0)
    assert replicates(_numbers, 3, 3, "Numbers", scheduler.scheduler_address) == [0, 3, 6]


def _numbers(prepared: int, numbers: range) -> list[int]:
    return [prepared * number for number in numbers]


def _refused(prepared: None, numbers: range) -> list[int]:
    raise FitRefused("None.")


def test_who_opens_what_is_open_joins_and_the_last_to_leave_closes(scheduler):
    address = scheduler.scheduler_address
    with on_cluster(address) as outer:
        with on_cluster(address) as inner:
            assert inner is outer
        assert outer.client.status == "running"
    assert outer.client.status == "closed"
    with on_cluster(address) as anew:
        assert anew is not outer


def test_answers_without_a_cluster_load_nothing_of_dask(built, tmp_path):
    study = StudyFolder.open(built)
    lines = [
        "import sys",
        "from outcomes.answers.run import ANALYSES",
        "from outcomes.store.warehouse import connect",
        "from outcomes.study import StudyFolder",
        f"study = StudyFolder.open({str(built)!r})",
        f"with connect({str(candidate(study) / DATABASE)!r}, read_only=True) as con:",
        "    for analysis in ANALYSES:",
        "        if analysis.name in ('dropout', 'therapists', 'missing'):",
        "            analysis.answer(con, study)",
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'dask', 'distributed'}))",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
