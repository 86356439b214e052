"""Progress on long work: a line for each step, a bar for counted work, a spinner on terminals only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from outcomes.errors import visible

Item = TypeVar("Item")
_console = Console(stderr=True, highlight=False, soft_wrap=True)


class StepLine:
    """What a running step has to say; printed when the step ends."""

    def __init__(self) -> None:
        self.text = "done"

    def say(self, text: str) -> None:
        """Set the line that is printed behind the step's name."""
        self.text = text

    def note(self, text: str) -> None:
        """Print at once what is to be known and asks for nothing."""
        _console.print(f"  {visible(text)}", markup=False)

    def warn(self, text: str) -> None:
        """Print a warning at once, marked in words as well as in colour."""
        _console.print(f"  warning: {visible(text)}", style="yellow", markup=False)


@contextmanager
def step(name: str) -> Iterator[StepLine]:
    """Announce a step, show that it runs, and print its result and duration when it ends."""
    line, started = StepLine(), time.perf_counter()
    if _console.is_terminal:
        with _console.status(f"{name} ..."):
            yield line
    else:
        yield line
    _console.print(f"  {name:<8} {line.text}  ({time.perf_counter() - started:.1f} s)", markup=False)


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
                    disable=not _console.is_terminal,
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
