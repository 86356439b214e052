"""Progress on long work: one line on a terminal, silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Item = TypeVar("Item")
_console = Console(stderr=True)


def tracked(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield `items` and show how far along they are."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=_console, transient=True, disable=not _console.is_terminal,
    ) as progress:  # fmt: skip
        yield from progress.track(items, description=what, total=total)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that one long step is running."""
    if not _console.is_terminal:
        yield
        return
    with _console.status(what):
        yield
