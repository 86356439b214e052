"""Headers of exports as names of a frame's columns."""

from __future__ import annotations


def unique(names: tuple[str, ...]) -> list[str]:
    """Return the names of a header; doubles are told apart by invisible ends, so that the plan finds and refuses them.

    A frame cannot have one name twice.
    """
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name + " " * (seen[name] - 1))
    return out
