"""Progress on long work: a line for each step, a bar for counted work, a spinner on terminals only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from outcomes.errors import visible

Item = TypeVar("Item")
_console = Console(stderr=True, highlight=False, soft_wrap=True)
_UNTIMED_SECONDS = 2.0  # what a step is taken to need of which no release says it


@dataclass
class _Voice:
    """How much is said, and whether each line has its time."""

    is_quiet: bool = False
    is_stamped: bool = False


_voice = _Voice()


def speak(*, quiet: bool = False, stamped: bool = False) -> None:
    """Set how this process reports.

    Parameters
    ----------
    quiet : bool
        Say warnings only.
    stamped : bool
        Begin each line with the time, as logs have it.
    """
    _voice.is_quiet, _voice.is_stamped = quiet, stamped


def stamp() -> str:
    """The time as lines of a log begin with it: local, with its distance from UTC."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _print(text: str, style: str = "") -> None:
    _console.print(f"{stamp()} {text}" if _voice.is_stamped else text, style=style or None, markup=False)


_listener: ContextVar[Callable[[str, bool], None] | None] = ContextVar("listener", default=None)


@contextmanager
def heard(listener: Callable[[str, bool], None]) -> Iterator[None]:
    """Have a listener told what the steps of a block say, beside the terminal.

    Parameters
    ----------
    listener : callable
        Gets the text, and whether it is a warning.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def _tell(text: str, is_warning: bool = False) -> None:
    if listener := _listener.get():
        listener(visible(text), is_warning)


class Plan:
    """The steps of a job, with the time that they took the last time and take now.

    Attributes
    ----------
    seconds : dict of str to float
        By step, of those that have ended.
    """

    def __init__(self, expected: Mapping[str, float]) -> None:
        self.seconds: dict[str, float] = {}
        self._expected = {name: seconds or _UNTIMED_SECONDS for name, seconds in expected.items()}
        self._is_timed = bool(sum(expected.values()))

    def where(self, name: str, elapsed: float) -> str:
        """Say which step of how many it is, how much is done and how long the rest may take.

        Share and time are said where a release before tells how long its steps took.
        """
        if name not in self._expected:
            return ""
        order = list(self._expected)
        said = f"step {order.index(name) + 1} of {len(order)}"
        if not self._is_timed:
            return said
        whole = sum(self._expected.values())
        after = sum(self._expected[later] for later in order[order.index(name) + 1 :])
        left = after + max(self._expected[name] - elapsed, 0.0)
        return f"{said}, {1 - left / whole:.0%} done, about {timedelta(seconds=round(left))} left"


_plan: list[Plan] = []


@contextmanager
def planned(expected: Mapping[str, float]) -> Iterator[Plan]:
    """Let the steps of a block know each other.

    Parameters
    ----------
    expected : mapping of str to float
        Seconds by step in the order of the work; 0 where nobody knows.
    """
    plan = Plan(expected)
    _plan.append(plan)
    try:
        yield plan
    finally:
        _plan.remove(plan)


class _Running:
    """The line of a running step, made anew whenever the screen is."""

    def __init__(self, name: str) -> None:
        self._name, self._started = name, time.perf_counter()

    def __rich__(self) -> str:
        elapsed = time.perf_counter() - self._started
        where = _plan[-1].where(self._name, elapsed) if _plan else ""
        return f"{self._name} ... {timedelta(seconds=int(elapsed))}{f'  ({where})' if where else ''}"


class StepLine:
    """What a running step has to say; printed when the step ends."""

    def __init__(self) -> None:
        self.text = "done"

    def say(self, text: str) -> None:
        """Set the line that is printed behind the step's name."""
        self.text = text

    def note(self, text: str) -> None:
        """Print at once what is to be known and asks for nothing."""
        _tell(text)
        if not _voice.is_quiet:
            _print(f"  {visible(text)}")

    def warn(self, text: str) -> None:
        """Print a warning at once, marked in words as well as in colour."""
        _tell(text, is_warning=True)
        _print(f"  warning: {visible(text)}", style="yellow")


@contextmanager
def step(name: str) -> Iterator[StepLine]:
    """Announce a step, show that it runs and how far the whole is, and print its result and duration when it ends."""
    line, started = StepLine(), time.perf_counter()
    if _console.is_terminal and not _voice.is_quiet:
        with _console.status(_Running(name)):
            yield line
    else:
        yield line
    seconds = time.perf_counter() - started
    if _plan:
        _plan[-1].seconds[name] = round(seconds, 3)
    _tell(f"{name}: {line.text} ({seconds:.1f} s)")
    if not _voice.is_quiet:
        _print(f"  {name:<8} {line.text}  ({seconds:.1f} s)")


def tracked(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield `items` and show how far along they are and how long they will take; silent where there is no terminal.

    All that is tracked at a time stands on one display, whichever threads it is in.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with _display() as progress:
        task = progress.add_task(what, total=total)
        try:
            for item in items:
                yield item
                progress.advance(task)
        finally:
            progress.remove_task(task)


_displays: list[Progress] = []  # the one that is shown, once for each who uses it
_lock = threading.Lock()


@contextmanager
def _display() -> Iterator[Progress]:
    """Open the display, or join those who use it."""
    with _lock:
        if not _displays:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            _displays.append(
                Progress(
                    *columns,
                    TextColumn("left"),
                    TimeRemainingColumn(),
                    console=_console,
                    transient=True,
                    disable=_voice.is_quiet or not _console.is_terminal,
                )
            )
            _displays[0].start()
        else:
            _displays.append(_displays[0])
        shown = _displays[0]
    try:
        yield shown
    finally:
        with _lock:
            _displays.pop()
            if not _displays:
                shown.stop()
