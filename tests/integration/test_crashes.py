"""kill -9 at random moments of a real refresh leaves the old release or the new one, never a part of one."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

import pytest
from wholeness import check_nothing_is_lost, published_is_whole

from outcomes.study import StudyFolder

ORDINARY_KILLS, SLOW_KILLS = 30, 200


def kill_at_random(study: StudyFolder, start_refresh, kills: int, seed: int) -> dict[str, int]:
    """Kill `kills` refreshes; whenever one survived, give the next one something new to do."""
    generator, spare = random.Random(seed), sorted(study.inbox.glob("*sessions*"))[1:]
    held = study.root / "held_back"
    held.mkdir()
    for path in spare:
        path.rename(held / path.name)
    start_refresh(study).join()  # the first one waits for the slow imports
    change = 0

    def something_new() -> None:
        nonlocal change
        change += 1
        with study.settings_path.open("a") as settings:
            settings.write(f"# change {change}\n")

    something_new()
    started = time.monotonic()
    whole = start_refresh(study)
    whole.join()
    duration = time.monotonic() - started
    assert whole.exitcode == 0
    published, count = (
        published_is_whole(study),
        {"killed": 0, "ended before the kill": 0, "published by a killed run": 0},
    )
    while count["killed"] < kills:
        if generator.random() < 0.5:
            something_new()
        process = start_refresh(study)
        process.join(generator.uniform(0, duration))
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            count["killed"] += 1
        else:
            assert process.exitcode == 0
            count["ended before the kill"] += 1
        now = published_is_whole(study)
        assert now, "the published release is gone"
        count["published by a killed run"] += int(now != published and process.exitcode != 0)
        published = now
    for path in spare:
        shutil.move(held / path.name, study.inbox / path.name)
    last = start_refresh(study)
    last.join()
    assert last.exitcode == 0
    return count


def test_30_kills_leave_a_whole_release_and_lose_nothing(tiny_study, start_refresh, record_property):
    record_property("kills", kill_at_random(tiny_study, start_refresh, ORDINARY_KILLS, seed=1))
    check_nothing_is_lost(tiny_study)


@pytest.mark.slow
@pytest.mark.xdist_group("prefect_server")
def test_200_kills_leave_a_whole_release_and_lose_nothing(small_study, start_on_server, record_property):
    def start_refresh(study: StudyFolder):
        return start_on_server("refresh", study.root).process

    record_property("kills", kill_at_random(small_study, start_refresh, SLOW_KILLS, seed=2))
    check_nothing_is_lost(small_study)
