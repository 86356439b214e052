"""The audit trail: what is written stays, and whatever is changed shows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.errors import StorageError
from outcomes.study import create_study
from outcomes.trust.audit_trail import Event, append, append_once, read_chain, trail_path


@pytest.fixture
def trail(tmp_path):
    study = create_study(tmp_path / "study")
    for number in range(5):
        append(study, Event.BUILT, release_id=f"r{number}")
    return study


def test_lines_follow_one_another_from_the_first(trail):
    chain = read_chain(trail)
    assert [entry.number for entry in chain.entries] == [1, 2, 3, 4, 5]
    assert chain.breaks == ()
    assert chain.entries[0].previous == "0" * 64
    assert chain.head == chain.entries[-1].hash


def test_a_changed_fact_is_found(trail):
    path = trail_path(trail)
    path.write_text(path.read_text().replace("r2", "r9"))
    assert read_chain(trail).breaks == ("line 3 was altered",)


def test_a_changed_fact_with_a_hash_made_to_fit_breaks_the_next_link(trail):
    path = trail_path(trail)
    lines = path.read_text().splitlines()
    forged = create_study(trail.root / "forger")
    for line in lines[:2]:
        append(forged, Event.BUILT, **json.loads(line)["facts"])
    append(forged, Event.BUILT, release_id="forged")
    lines[2] = trail_path(forged).read_text().splitlines()[2]
    path.write_text("\n".join(lines) + "\n")
    assert any("line 4 does not follow" in found for found in read_chain(trail).breaks)


@pytest.mark.parametrize("kept", [(0, 1, 3, 4), (1, 2, 3, 4), (0, 2, 1, 3, 4), (0, 1, 1, 2, 3, 4)])
def test_removed_exchanged_and_repeated_lines_are_found(trail, kept):
    path = trail_path(trail)
    lines = path.read_text().splitlines()
    path.write_text("".join(lines[place] + "\n" for place in kept))
    assert read_chain(trail).breaks


def test_every_flipped_bit_is_found(trail):
    path = trail_path(trail)
    content = path.read_bytes()
    before = read_chain(trail).entries

    @settings(max_examples=300, deadline=None)
    @given(place=st.integers(0, len(content) - 1), bit=st.integers(0, 7))
    def check(place, bit):
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        path.write_bytes(bytes(changed))
        chain = read_chain(trail)
        assert chain.breaks or chain.is_torn or chain.entries == before

    check()


def test_a_torn_last_line_is_cut_off_recorded_and_nothing_else_is_lost(trail):
    path = trail_path(trail)
    whole = path.read_bytes()
    torn = b'{"at":"2026-01-01T00:00:00+00:00","eve'
    path.write_bytes(whole + torn)
    assert read_chain(trail).is_torn
    append(trail, Event.BUILT, release_id="next")
    chain = read_chain(trail)
    assert path.read_bytes().startswith(whole)
    assert chain.breaks == ()
    assert [entry.event for entry in chain.entries[-2:]] == [Event.REPAIRED, Event.BUILT]
    assert chain.entries[-2].facts == {"bytes_cut": len(torn)}


def test_nothing_is_chained_to_a_line_that_cannot_be_read(trail):
    path = trail_path(trail)
    path.write_bytes(path.read_bytes() + b"garbage\n")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="cannot be read"):
        append(trail, Event.BUILT)
    assert path.read_bytes() == before


def test_the_same_event_twice_in_a_row_is_one_line(trail):
    append_once(trail, Event.PUBLISHED, release_id="a")
    append_once(trail, Event.PUBLISHED, release_id="a")
    append_once(trail, Event.PUBLISHED, release_id="b")
    append_once(trail, Event.PUBLISHED, release_id="a")
    published = [entry.facts["release_id"] for entry in read_chain(trail).entries if entry.event is Event.PUBLISHED]
    assert published == ["a", "b", "a"]
