"""One flipped bit is named by `outcomes verify`, stops a refresh, and never becomes a wrong answer."""

from __future__ import annotations

import random
import shutil

import duckdb
import pytest
from wholeness import check_nothing_is_lost, published_is_whole

from outcomes.errors import OutcomesError, StorageError
from outcomes.operate.query import ask
from outcomes.study import StudyFolder
from outcomes.trust.verify import refuse_altered, verify

from .conftest import deliver
from .damage import flip_one_bit

ORDINARY, SLOW = 60, 1500  # bits
QUESTIONS = (
    "select * from core_sessions order by session_id", "select * from core_clients order by client_id",
    "select * from core_episodes order by episode_id", "select * from core_batches order by batch_id",
    "select * from dq_results order by check_id", "select * from mart_participant_flow order by step_number",
)  # fmt: skip


def flip_and_verify(study: StudyFolder, flips: int, seed: int) -> dict[str, int]:
    """Flip one bit of a random file, look who notices, put the file back."""
    generator = random.Random(seed)
    files = [path for folder in (study.landed, study.releases) for path in sorted(folder.glob("[!.]*/*"))]
    count = {"flipped": 0, "named": 0, "refresh refused": 0}
    for _ in range(flips):
        path = generator.choice(files)
        before = path.read_bytes()
        flip_one_bit(path, generator)
        name = path.relative_to(study.root).as_posix()
        found = {alteration.file for alteration in verify(study).altered}
        count["flipped"] += 1
        count["named"] += name in found
        try:
            refuse_altered(study)
        except StorageError as refused:
            count["refresh refused"] += name in str(refused)
        path.write_bytes(before)
    assert verify(study).altered == ()
    return count


def test_every_flipped_bit_is_named_and_stops_a_refresh(published_study, record_property):
    count = flip_and_verify(published_study, ORDINARY, seed=1)
    record_property("bits", count)
    assert count == {"flipped": ORDINARY, "named": ORDINARY, "refresh refused": ORDINARY}


@pytest.mark.slow
def test_every_one_of_many_flipped_bits_is_named_and_stops_a_refresh(published_study, record_property):
    count = flip_and_verify(published_study, SLOW, seed=2)
    record_property("bits", count)
    assert count == {"flipped": SLOW, "named": SLOW, "refresh refused": SLOW}


def answers(study: StudyFolder) -> list[str]:
    """The answers to some questions; an error of ours stands for itself."""
    found = []
    for question in QUESTIONS:
        try:
            found.append(ask(study, question, "json"))
        except OutcomesError:
            found.append("refused")
    return found


def flip_and_ask(study: StudyFolder, flips: int, seed: int) -> dict[str, int]:
    generator, truth, content = random.Random(seed), answers(study), study.database.read_bytes()
    count = {"flipped": 0, "answers refused": 0, "wrong answers": 0}
    for _ in range(flips):
        flip_one_bit(study.database.resolve(), generator)
        count["flipped"] += 1
        for asked, true in zip(answers(study), truth, strict=True):
            count["answers refused"] += asked == "refused"
            count["wrong answers"] += asked not in ("refused", true)
        study.database.resolve().write_bytes(content)
    return count


def test_a_question_to_a_damaged_database_is_refused_or_answered_rightly(published_study, record_property):
    count = flip_and_ask(published_study, ORDINARY, seed=3)
    record_property("bits", count)
    assert count["wrong answers"] == 0
    assert count["answers refused"]


@pytest.mark.slow
def test_many_questions_to_a_damaged_database_are_refused_or_answered_rightly(published_study, record_property):
    count = flip_and_ask(published_study, SLOW, seed=4)
    record_property("bits", count)
    assert count["wrong answers"] == 0


def test_a_damaged_batch_that_is_removed_comes_back_in_its_place(published_study, start_command):
    """What came later still supersedes it: the order of landing is the order of delivery."""
    study = published_study
    deliver(study)
    corrected = (study.inbox / "sessions-to-2024-07-01.csv").read_text().splitlines()
    cells = corrected[1].split(",")
    cells[corrected[0].split(",").index("satisfaction")] = "7.5"
    (study.inbox / "sessions-z-corrected.csv").write_text("\n".join([corrected[0], ",".join(cells), ""]))
    first = start_command("refresh", study.root)
    assert first.wait() == 0, first.said
    before = rows(study)
    batch = next(path for path in study.landed.glob("*/manifest.json") if "2024-07-01" in path.read_text()).parent
    flip_one_bit(batch / "batch.parquet", random.Random(5))
    damaged = start_command("refresh", study.root)
    assert damaged.wait() == 5
    assert batch.name in damaged.said
    shutil.rmtree(batch)
    mended = start_command("refresh", study.root)
    assert mended.wait() == 0, mended.said
    assert batch.is_dir()
    assert rows(study) == before
    check_nothing_is_lost(study)
    assert verify(study).altered == ()


def rows(study: StudyFolder) -> list[tuple]:
    with duckdb.connect(str(study.database), read_only=True) as con:
        return con.execute(
            "select client_id, session_number, satisfaction_score, batch_id from core_sessions order by all"
        ).fetchall()


def test_a_damaged_release_is_not_taken_for_the_published_one(published_study, start_command):
    released = published_study.current.resolve()
    flip_one_bit(released / "report.html", random.Random(6))
    damaged = start_command("refresh", published_study.root)
    assert damaged.wait() == 5
    assert f"releases/{released.name}/report.html" in damaged.said
    shutil.rmtree(released)
    mended = start_command("refresh", published_study.root)
    assert mended.wait() == 0, mended.said
    assert published_is_whole(published_study) == released.name
    assert verify(published_study).altered == ()
