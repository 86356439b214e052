"""Earlier releases go by the study's rule; the published one never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trust_inputs import publish_release

from outcomes.errors import StorageError
from outcomes.release import published_id
from outcomes.store.files import read_json, write_json
from outcomes.study import StudyFolder
from outcomes.study.settings import Retention
from outcomes.trust.audit_trail import Event, read_chain
from outcomes.trust.retention import prune, superfluous
from outcomes.trust.verify import verify

RELEASES = [
    ("2026-01-05T01:00:00+00:00", "a"),
    ("2026-01-20T01:00:00+00:00", "b"),
    ("2026-02-03T01:00:00+00:00", "c"),
    ("2026-02-28T01:00:00+00:00", "d"),
    ("2026-03-01T01:00:00+00:00", "e"),
]


@pytest.mark.parametrize(
    ("keep_last", "one_a_month", "published", "gone"),
    [
        (0, False, "e", ""),
        (1, False, "e", "abcd"),
        (2, False, "e", "abc"),
        (1, True, "e", "ac"),
        (1, True, "a", "c"),
        (1, False, "c", "abd"),
        (9, False, "e", ""),
    ],
)
def test_the_last_ones_the_last_of_each_month_and_the_published_one_stay(keep_last, one_a_month, published, gone):
    rule = Retention(keep_last=keep_last, one_a_month=one_a_month)
    assert "".join(superfluous(RELEASES, rule, published)) == gone


@given(
    st.lists(st.datetimes(), max_size=20, unique=True), st.integers(0, 5), st.booleans(), st.integers(0, 19)
)  # fmt: skip
def test_whatever_the_rule_the_published_release_and_the_last_ones_stay(times, keep_last, one_a_month, place):
    releases = sorted((time.isoformat(), f"r{number}") for number, time in enumerate(times))
    published = releases[place % len(releases)][1] if releases else None
    gone = superfluous(releases, Retention(keep_last=keep_last, one_a_month=one_a_month), published)
    assert published not in gone
    if keep_last:
        assert not {release_id for _, release_id in releases[-keep_last:]} & set(gone)
    else:
        assert gone == ()


def test_pruning_removes_keeps_and_writes_down(study):
    first = published_id(study)
    manifest = read_json(study.current / "manifest.json")
    write_json(study.current / "manifest.json", manifest | {"published_at": "2025-12-31T23:59:59+00:00"})
    text = study.settings_path.read_text().replace("keep_last = 0", "keep_last = 1")
    study.settings_path.write_text(text)
    study = StudyFolder.open(study.root)
    second = publish_release(study)
    assert prune(study) == ()  # the first one is the last of its month
    study.settings_path.write_text(text.replace("one_a_month = true", "one_a_month = false"))
    study = StudyFolder.open(study.root)
    assert prune(study) == (first,)
    assert prune(study) == ()
    assert [folder.name for folder in study.releases.iterdir()] == [second]
    assert published_id(study) == second
    assert read_chain(study).latest(Event.RETENTION).facts == {"removed": [first], "kept": 1}
    assert verify(study).altered == ()


def test_a_release_without_a_manifest_has_no_age_and_nothing_is_removed(study):
    (study.current / "manifest.json").unlink()
    with pytest.raises(StorageError, match="its age is not known"):
        prune(study)
    assert study.current.exists()
