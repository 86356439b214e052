"""A study that is refreshed again and again, with new and corrected files and many faults, loses nothing."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections import Counter

import duckdb
import pytest
from processes import free_port, prefect_on
from wholeness import published_is_whole, rows_accounted

from outcomes.study import StudyFolder, create_study
from outcomes.trust.audit_trail import read_chain
from outcomes.trust.verify import verify

from .damage import flip_one_bit
from .deliveries import Deliveries

ORDINARY, SLOW = 6, int(os.environ.get("OUTCOMES_SOAK_REFRESHES", "200"))
FAULTS = {"none": 40, "kill": 25, "disk full": 15, "damaged batch": 7, "damaged release": 7, "server dies": 6}


class Soak:
    """One study, its deliveries, its disk and its Prefect server; `count` says what was done to it."""

    def __init__(self, study: StudyFolder, disk, start_command, home, seed: int) -> None:
        self.study, self.disk, self._start, self._home = study, disk, start_command, home
        self.generator = random.Random(seed)
        self.deliveries = Deliveries(study.inbox, self.generator)
        self.count: Counter[str] = Counter()
        self._server = None
        self._port = free_port()
        self.seconds = 5.0  # of an undisturbed refresh, about

    def run(self, refreshes: int, faults: list[str] | None = None) -> None:
        """Refresh so often; faults at random, or these in turn; then once more undisturbed."""
        kinds, weights = zip(*FAULTS.items(), strict=True)
        self.refresh("none")
        for number in range(refreshes):
            for _ in range(self.generator.choice((0, 1, 1, 2))):
                self.deliveries.drop()
            fault = faults[number % len(faults)] if faults else self.generator.choices(kinds, weights)[0]
            self.refresh(fault)
            assert published_is_whole(self.study)
        self.refresh("none")

    def refresh(self, fault: str) -> None:
        """One scheduled refresh under one fault, and the remedy that its message names."""
        self.count["refreshes"] += 1
        self.count[fault] += 1
        if fault == "server dies":
            return self._with_dying_server()
        if fault.startswith("damaged"):
            return self._with_damage(fault)
        if fault == "disk full":
            self.disk.leave_free(self.generator.choice((0, 2**12, 2**16, 2**18, 2**20)))
        started = time.monotonic()
        run = self._start("refresh", self.study.root)
        if fault == "kill" and run.wait(self.generator.uniform(0, self.seconds)) is None:
            run.kill()
            self.count["killed"] += 1
            return None
        exit_code = run.wait()
        if fault == "disk full":
            self.disk.give_back()
            self.count["stopped by the disk"] += exit_code == 5
            assert exit_code in (0, 1) or re.search("Try: check .*space", run.said), run.said
            return None
        assert exit_code in (0, 1), run.said
        self.seconds = (self.seconds + time.monotonic() - started) / 2
        return None

    def _with_damage(self, fault: str) -> None:
        """Flip a bit; the refresh must refuse and name it; do as it says; refresh again."""
        if fault == "damaged batch":
            folder = self.generator.choice(sorted(self.study.landed.glob("[!.]*")))
        else:
            folder = self.study.current.resolve()
        flip_one_bit(self.generator.choice(sorted(folder.iterdir())), self.generator)
        run = self._start("refresh", self.study.root)
        assert run.wait() == 5, run.said
        assert folder.name in run.said
        shutil.rmtree(folder)
        self.count["damage named"] += 1
        again = self._start("refresh", self.study.root)
        assert again.wait() in (0, 1), again.said

    def _with_dying_server(self) -> None:
        with prefect_on(self._home, self._port) as (environment, server):
            run = self._start("refresh", self.study.root, **environment, **{"PREFECT_CLIENT_MAX_RETRIES": "1"})
            run.wait(self.generator.uniform(0, self.seconds))
            server.kill()
            exit_code = run.wait()
        self.count["stopped by the server"] += exit_code == 5
        assert exit_code in (0, 1) or "Try: " in run.said, run.said

    def check(self) -> dict[str, int]:
        """Every row is where it belongs, with the value that was delivered last; the chain verifies."""
        account = rows_accounted(self.study)
        assert account["delivered"] == self.deliveries.n_delivered
        assert account["quarantined"] == self.deliveries.n_bad
        assert account["current"] == len(self.deliveries.rows)
        with duckdb.connect(str(self.study.database), read_only=True) as con:
            rows = con.execute("select client_id, session_number, satisfaction_score from core_sessions").fetchall()
        assert {(client, number): score for client, number, score in rows} == self.deliveries.rows
        refused = list(self.study.quarantine.glob("*.refused.json"))
        assert len(refused) == self.deliveries.n_refused
        assert read_chain(self.study).breaks == ()
        assert verify(self.study).altered == ()
        return account


@pytest.fixture
def soak(small_disk, start_command, ask_only, tmp_path) -> Soak:
    study = create_study(small_disk.root / "study")
    ask_only(study.root)
    text = study.settings_path.read_text().replace("keep_last = 0 ", "keep_last = 2 ")
    text = text.replace("one_a_month = true ", "one_a_month = false ").replace(
        "max_bad_share = 0.05", "max_bad_share = 1.0 "
    )
    study.settings_path.write_text(text)
    soak = Soak(StudyFolder.open(study.root), small_disk, start_command, tmp_path / "home", seed=20)
    for _ in range(3):
        soak.deliveries.drop()
    return soak


def test_a_few_refreshes_with_a_fault_each_lose_nothing(soak, record_property):
    soak.run(ORDINARY, ["kill", "disk full", "damaged batch"])
    record_property("soak", {**soak.count, **soak.check()})


@pytest.mark.slow
def test_hundreds_of_refreshes_with_random_faults_end_with_every_row_accounted_for(soak, record_property):
    soak.run(SLOW)
    record_property("soak", {**soak.count, **soak.check()})
