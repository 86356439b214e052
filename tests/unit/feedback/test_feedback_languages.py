"""A therapist's page in another language, and under axe-core."""

from __future__ import annotations

import pytest
from axe import LOOKS, found
from feedback_worlds import ME, World, written
from reading_ease import blocks
from test_languages import GERMAN, OWN, PSEUDO, foreign

import outcomes.feedback.write
from outcomes.feedback.changes import Change
from outcomes.feedback.page import _HEADINGS
from outcomes.study import StudyFolder


@pytest.fixture
def german(world) -> World:
    path = world.study.settings_path
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[report]\n", '[report]\nlanguage = "de"\n'), encoding="utf-8")
    return World(StudyFolder.open(world.study.root), world.rows)


def test_every_word_of_a_page_comes_through_the_catalogue(german, monkeypatch):
    monkeypatch.setattr(outcomes.feedback.write, "read_language", lambda *_: PSEUDO)
    monkeypatch.setattr(outcomes.feedback.write, "pdf", lambda _: b"")  # its fonts lack the letters of this alphabet
    months = ("Januar", "Dezember", "Juli", "Juni", "Jan", "Jun", "Dez", "Jul")
    for page in written(german).values():
        assert foreign(page, *OWN, *months) == []


def test_a_page_is_in_german_with_its_months_and_numbers(german):
    page = written(german)[ME]
    assert '<html lang="de">' in page
    said = [text for _, text in blocks(page).found]
    assert any("Juli bis Dezember 2024" in text for text in said)
    assert "Eine Frage für die Supervision" in said


@pytest.mark.parametrize("change", Change)
def test_what_changed_is_said_in_german_by_the_same_states(change):
    said = {measure: GERMAN.messages[headings[change]] for measure, headings in _HEADINGS.items()}
    wahrscheinlich = {measure: "wahrscheinlich" in text for measure, text in said.items()}
    assert set(wahrscheinlich.values()) == {change in (Change.HIGHER, Change.LOWER)}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(look, world, axe, tmp_path):
    said = found(written(world)[ME], axe, tmp_path, *LOOKS[look])
    assert said["n"] > 15, "axe must have looked"
    assert said["violations"] == []
