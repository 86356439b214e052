"""What is tracked at a time stands on one display, from whichever thread, and nothing of it is left behind."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from outcomes import progress
from outcomes.progress import tracked


@pytest.fixture
def terminal(monkeypatch) -> io.StringIO:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=screen, force_terminal=True, width=120))
    return screen


def test_work_beside_other_work_shows_on_the_same_display(terminal):
    begun, may_end = threading.Event(), threading.Event()

    def beside() -> None:
        for _ in tracked(range(2), "Beside"):
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=beside)
    for item in tracked([1], "Whole"):
        thread.start()
        assert begun.wait(10)
        assert list(tracked("ab", "Within")) == ["a", "b"]
        may_end.set()
        thread.join(10)
        assert item == 1
    assert progress._displays == []
    assert all(what in terminal.getvalue() for what in ("Whole", "left"))


def test_work_that_is_given_up_leaves_no_display(terminal):
    half_done = tracked(range(3), "Given up")
    assert next(half_done) == 0
    half_done.close()
    assert progress._displays == []


def test_without_a_terminal_nothing_is_shown(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=screen))
    assert list(tracked(range(3), "Quiet")) == [0, 1, 2]
    assert screen.getvalue().strip() == ""
