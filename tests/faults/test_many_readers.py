"""Many readers ask while release after release is published: none waits for a writer, none sees a mixture."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from processes import HANGS_SECONDS
from wholeness import published_is_whole

from outcomes.study import StudyFolder

PAUSE_SECONDS = 0.04
"""Pause of a reader, for each reader that there is: as many questions a second whether few ask or many."""
TABLES = ("core_sessions", "core_batches", "mart_clients", "dq_results", "codebook")


def read_until(root: str, stop: str, results, pause: float) -> None:
    """Ask again and again in one process; send how often each release was seen, and whatever was wrong."""
    study, seen, wrong = StudyFolder(Path(root)), Counter(), []
    while not Path(stop).exists():
        try:
            with duckdb.connect(str(study.database), read_only=True) as con:
                (release_id,) = con.execute("select release_id from release").fetchone()
                counts = {table: con.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES}
                (again,) = con.execute("select release_id from release").fetchone()
            manifest = json.loads((study.releases / release_id / "manifest.json").read_text())
            if again != release_id or counts != {table: manifest["row_counts"][table] for table in TABLES}:
                wrong.append("a mixture of two releases")
            seen[release_id] += 1
        except duckdb.Error as refused:
            wrong.append(f"{type(refused).__name__}: {refused}")
        time.sleep(pause)
    results.put((dict(seen), wrong))


def read_while_refreshing(study: StudyFolder, start_command, tmp_path, readers: int, refreshes: int) -> dict[str, int]:
    context, stop = multiprocessing.get_context("forkserver"), tmp_path / "stop"
    results = context.Queue()
    arguments = (str(study.root), str(stop), results, readers * PAUSE_SECONDS)
    asking = [context.Process(target=read_until, args=arguments) for _ in range(readers)]
    for process in asking:
        process.start()
    for number in range(refreshes):
        with study.settings_path.open("a") as settings:
            settings.write(f"# change {number}\n")
        refresh = start_command("refresh", study.root)
        assert refresh.wait() == 0, refresh.said
        assert published_is_whole(study)
    stop.touch()
    found = [results.get(timeout=HANGS_SECONDS) for _ in asking]
    for process in asking:
        process.join()
    seen = sum((Counter(releases) for releases, _ in found), Counter())
    assert [wrong for _, all_wrong in found for wrong in all_wrong] == []
    assert all(sum(releases.values()) for releases, _ in found)
    assert len(seen) >= min(refreshes, 2)
    return {"readers": readers, "refreshes": refreshes, "answered": sum(seen.values()), "releases seen": len(seen)}


def test_8_readers_during_2_refreshes(published_study, start_command, tmp_path, record_property):
    record_property("readers", read_while_refreshing(published_study, start_command, tmp_path, 8, 2))


@pytest.mark.slow
def test_50_readers_during_20_refreshes(published_study, start_command, tmp_path, record_property):
    record_property("readers", read_while_refreshing(published_study, start_command, tmp_path, 50, 20))
