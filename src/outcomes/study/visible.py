"""Every text of a study file with its place, so that signs which cannot be seen are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def texts(declared: Any, place: str = "the file") -> Iterator[tuple[str, str]]:
    """Yield every text and every name of a study file with its place."""
    if isinstance(declared, str):
        yield place, declared
    elif isinstance(declared, Mapping):
        for name, content in declared.items():
            yield place, str(name)
            yield from texts(content, str(name))
    elif isinstance(declared, list | tuple):
        for content in declared:
            yield from texts(content, place)
