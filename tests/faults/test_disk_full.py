"""A full disk stops a step with a remedy; nothing is half-written, and with space given back the refresh goes on."""

from __future__ import annotations

import random
import shutil

import pytest
from wholeness import check_nothing_is_lost, published_is_whole

from outcomes.trust.verify import verify

from .conftest import deliver

STEPS = ("land", "build", "audit", "fit", "answer", "report", "publish")
SLOW_TRIES = 5  # a step, each with another amount of free space


def fails_and_recovers(study, small_disk, start_command, step: str, free: int) -> bool:
    """Fill the disk before a step; return whether it failed for that, after checking what it said and left."""
    before = published_is_whole(study)
    deliver(study)
    for done in STEPS[: STEPS.index(step)]:
        assert start_command(done, study.root).wait() == 0, done
    small_disk.leave_free(free)
    full = start_command(step, study.root)
    exit_code = full.wait()
    assert exit_code in (0, 5), full.said
    if exit_code:
        assert "Try: check space" in full.said, full.said
        assert published_is_whole(study) == before
    small_disk.give_back()
    again = start_command("refresh", study.root)
    assert again.wait() == 0, again.said
    assert published_is_whole(study) != before
    check_nothing_is_lost(study)
    assert verify(study).altered == ()
    return exit_code != 0


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_stops_a_step_in_words_and_the_next_refresh_goes_on(step, study_on_disk, small_disk, start_command):
    assert fails_and_recovers(study_on_disk, small_disk, start_command, step, free=0)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_fills_up_anywhere_in_a_step(step, study_on_disk, small_disk, start_command, record_property):
    generator, failures, spare = random.Random(step), 0, small_disk.root.with_name("spare")
    shutil.copytree(study_on_disk.root, spare, symlinks=True)
    for _ in range(SLOW_TRIES):
        free = generator.choice([2**10, 2**14, 2**16, 2**18, 2**20]) + generator.randrange(2**14)
        failures += fails_and_recovers(study_on_disk, small_disk, start_command, step, free)
        shutil.rmtree(study_on_disk.root)
        shutil.copytree(spare, study_on_disk.root, symlinks=True)
    record_property("faults", {"disks filled": SLOW_TRIES, "steps that failed": failures})
    assert failures
