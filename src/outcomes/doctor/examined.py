"""What an examination finds, in words and for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Health(StrEnum):
    """How something is."""

    WELL = "well"
    LOOK = "look"  # nothing stops, but somebody should look at it
    ILL = "ill"  # a refresh, a delivery or a schedule will not work


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
        What it is.
    health : Health
    said : str
        How it is; no password, key or value of data.
    hint : str
        What to do; empty where all is well.
    """

    what: str
    health: Health
    said: str
    hint: str = ""


def well(what: str, said: str) -> Examined:
    """All is well."""
    return Examined(what, Health.WELL, said)


def is_ill(found: Sequence[Examined]) -> bool:
    """Whether anything has to be mended."""
    return any(one.health is Health.ILL for one in found)


def as_text(found: Sequence[Examined]) -> str:
    """Write it for people: one aligned line a thing, what to do below it, and a count at the end."""
    width = max(len(one.what) for one in found)
    lines = []
    for one in found:
        lines.append(f"{one.health:<5} {one.what:<{width}}  {one.said}")
        if one.hint:
            lines.append(f"{'':<5} {'':<{width}}  -> {one.hint}")
    n_ill = sum(one.health is Health.ILL for one in found)
    n_look = sum(one.health is Health.LOOK for one in found)
    end = f"{n_ill} to mend, {n_look} to look at" if n_ill or n_look else "all well"
    return "\n".join([*lines, "", f"{len(found)} things were looked at: {end}"])


def as_json(found: Sequence[Examined]) -> str:
    """Write it for machines."""
    return json.dumps({"is_ill": is_ill(found), "examined": [asdict(one) for one in found]}, indent=2)
