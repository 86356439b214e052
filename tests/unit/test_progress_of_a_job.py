"""A job says which step runs, how much is done and what is left; in words that a log can keep, or not at all."""

from __future__ import annotations

import io
import re
import threading

import pytest
from rich.console import Console

from outcomes import progress
from outcomes.progress import Plan, planned, speak, step

EXPECTED = {"land": 1.0, "build": 3.0, "audit": 16.0}


@pytest.fixture
def screen(monkeypatch) -> io.StringIO:
    told = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=told, force_terminal=True, width=120, highlight=False))
    yield told
    speak()


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    told = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=told, width=200, highlight=False))
    yield told
    speak()


@pytest.mark.parametrize(
    ("name", "since", "said"),
    [
        ("land", 0.0, "step 1 of 3, 0% done, about 0:00:20 left"),
        ("build", 1.0, "step 2 of 3, 10% done, about 0:00:18 left"),
        ("build", 100.0, "step 2 of 3, 20% done, about 0:00:16 left"),
        ("audit", 15.0, "step 3 of 3, 95% done, about 0:00:01 left"),
        ("another", 1.0, ""),
    ],
)
def test_share_and_time_come_from_the_release_before(name, since, said):
    assert Plan(EXPECTED).where(name, since) == said


def test_a_first_refresh_says_which_step_of_how_many_and_guesses_no_time():
    assert Plan(dict.fromkeys(EXPECTED, 0.0)).where("build", 5.0) == "step 2 of 3"


def test_a_terminal_shows_the_running_step_from_its_first_moment(screen):
    with planned(EXPECTED), step("build"):
        shown = threading.Event()
        shown.wait(0.3)
        running = screen.getvalue()
    assert "build ... 0:00:00  (step 2 of 3" in running


def test_how_long_each_step_took_is_kept(log):
    with planned(EXPECTED) as plan, step("land"), step("build"):
        pass
    assert set(plan.seconds) == {"land", "build"}


def test_lines_of_a_log_begin_with_their_time(log):
    speak(stamped=True)
    with step("land") as line:
        line.note("a note")
        line.warn("a warning")
    lines = log.getvalue().splitlines()
    assert len(lines) == 3
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d   ?", line) for line in lines)


def test_who_asks_for_quiet_hears_warnings_only(log):
    speak(quiet=True)
    with step("land") as line:
        line.note("a note")
        line.warn("a warning")
    assert log.getvalue().split() == ["warning:", "a", "warning"]


def test_who_asks_for_quiet_sees_no_bar_either(screen):
    speak(quiet=True)
    with step("land"):
        assert list(progress.tracked(range(3), "Work")) == [0, 1, 2]
    assert screen.getvalue() == ""
