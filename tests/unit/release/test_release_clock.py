"""A machine's clock that was set back: the study's own history goes on forwards."""

from datetime import UTC, date, datetime, timedelta

import pytest
from release_inputs import episodes, finish, land

from outcomes.contract import Kind
from outcomes.landing import land_inbox
from outcomes.operate import read_status
from outcomes.release import build, candidate_id, publish
from outcomes.store.files import read_json, write_json
from outcomes.study import StudyFolder, create_study
from outcomes.study.clock import present, today
from outcomes.trust.retention import prune

AHEAD = timedelta(days=10)


def published_ahead(study) -> datetime:
    """Date the published release ten days ahead: what a clock that was set back by ten days makes of it."""
    path = study.current / "manifest.json"
    later = datetime.now(UTC).replace(microsecond=0) + AHEAD
    write_json(path, read_json(path) | {"published_at": later.isoformat()})
    return later


@pytest.fixture
def set_back(study, candidate):
    publish(study, candidate_id(study))
    return published_ahead(study)


def test_the_next_release_is_not_dated_before_the_last_and_retention_removes_the_older(study, set_back):
    first = study.current.resolve().name
    land(study, Kind.EPISODES, episodes(41))
    second = candidate_id(study)
    finish(build(study, second))
    publish(study, second)
    assert datetime.fromisoformat(read_json(study.current / "manifest.json")["published_at"]) > set_back
    text = study.settings_path.read_text(encoding="utf-8")
    study.settings_path.write_text(
        text.replace("keep_last = 0", "keep_last = 1").replace("one_a_month = true", "one_a_month = false"),
        encoding="utf-8",
    )
    assert prune(StudyFolder.open(study.root)) == (first,)


def test_the_status_says_that_the_clock_is_behind_and_a_monitor_hears_it(study, set_back):
    text = study.settings_path.read_text(encoding="utf-8")
    study.settings_path.write_text(text.replace("expected_hours = 0", "expected_hours = 24"), encoding="utf-8")
    write_json(study.current / "checks.json", {"checks": []})
    status = read_status(StudyFolder.open(study.root))
    assert status.is_stale
    assert "mend the clock" in status.as_text()


def test_sessions_before_the_last_publication_are_not_taken_for_future_ones(tmp_path):
    study = create_study(tmp_path / "study")
    held = date.today() + timedelta(days=5)

    def landed() -> tuple[int, int]:
        for old in study.inbox.glob("*"):
            old.unlink()
        others = range(40 + len(list(study.landed.glob("*"))))  # so that no file has the content of an earlier one
        (study.inbox / "sessions.csv").write_text(
            "client_id,therapist_id,session_number,session_date,directiveness,satisfaction\n"
            f"c1,t1,1,{date.today() - timedelta(days=9)},4,6\nc2,t1,1,{held},5,7\n"
            + "".join(f"d{n},t2,1,{date.today() - timedelta(days=8)},5,6\n" for n in others)
        )
        (batch,) = land_inbox(study).landed
        return batch.rows_landed, batch.rows_quarantined

    assert landed() == (41, 1)
    study.current.mkdir()
    (study.current / "manifest.json").write_text("{}", encoding="utf-8")
    published_ahead(study)
    assert today(study) >= held
    assert landed() == (43, 0)


def test_where_nothing_is_published_the_machine_is_believed(tmp_path):
    study = create_study(tmp_path / "study")
    assert abs(present(study) - datetime.now(UTC)) < timedelta(minutes=1)
    assert today(study) == date.today()
