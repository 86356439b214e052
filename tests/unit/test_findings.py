"""Findings are followed from release to release, in the order of publication."""

import pytest

from outcomes.errors import StorageError
from outcomes.operate import read_trend
from outcomes.store.files import write_json
from outcomes.study import create_study


@pytest.fixture
def study(tmp_path):
    return create_study(tmp_path / "study")


def publish(study, release_id: str, day: int, **statuses: str) -> None:
    folder = study.releases / release_id
    folder.mkdir(parents=True)
    checks = [{"check_id": name, "status": status} for name, status in statuses.items()]
    write_json(folder / "checks.json", {"checks": checks})
    write_json(folder / "manifest.json", {"published_at": f"2026-01-{day:02}T00:00:00+00:00"})


def test_findings_are_new_persisting_or_resolved_against_the_release_before(study):
    publish(study, "bb", 1, range="failed", keys="passed", dates="error")
    publish(study, "aa", 2, range="failed", keys="failed", dates="not_applicable")
    publish(study, "cc", 3, range="passed", keys="failed", dates="passed")
    (study.releases / ".candidate-dd").mkdir()
    trend = [(f.release_id, f.new, f.persisting, f.resolved, f.n_open) for f in read_trend(study)]
    assert trend == [
        ("bb", ("dates", "range"), (), (), 2),
        ("aa", ("keys",), ("range",), ("dates",), 2),
        ("cc", (), ("keys",), ("range",), 1),
    ]


def test_a_study_without_releases_has_no_trend(study):
    assert read_trend(study) == ()


def test_a_release_whose_checks_are_gone_is_named(study):
    publish(study, "aa", 1)
    (study.releases / "aa" / "checks.json").unlink()
    with pytest.raises(StorageError, match="release aa"):
        read_trend(study)
