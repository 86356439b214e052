"""Progress on long work: a line for each step, a bar for counted work, a spinner on terminals only."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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
    """Yield `items` and show how far along they are; silent where there is no terminal."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=_console, transient=True, disable=not _console.is_terminal,
    ) as progress:  # fmt: skip
        yield from progress.track(items, description=what, total=total)
