"""The published rules, run backwards: which true numbers stand behind a printed one. Written from the documents."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = r"[−-]?\d[\d,]*(?:\.\d+)?"
_ESTIMATE = re.compile(rf"({_NUMBER})(%?) (?:\w+ )*\((?:95% interval )?({_NUMBER})%? to ({_NUMBER})%?")


@dataclass(frozen=True)
class Rule:
    """Thresholds that every report states in its own words."""

    least: int = 10
    base: int = 5

    def tell(self, count: int, before: Sequence[int]) -> int | None:
        """Follow docs/decisions/0034: round the first time, repeat a number that moved little, move in steps."""
        if count < self.least:
            return None
        if not before:
            value = math.floor(count / self.base + 0.5) * self.base
            return value if value >= self.least else value + self.base
        first, last = before[0], before[-1]
        move = max(self.least, 5)
        if abs(count - last) < move:
            return last
        step = math.ceil(move / self.base) * self.base
        value = first + math.floor((count - first) / step + 0.5) * step
        return value if value >= self.least + 2 else value + step

    def behind(self, printed: str, before: Sequence[int]) -> tuple[int, float]:
        """Smallest and largest count behind a printed one, the earlier ones of the same thing being known."""
        if printed.startswith("fewer than"):
            return 0, self.least - 1
        value = whole(printed)
        if value is None:
            return 0, math.inf
        fits = [n for n in range(max(0, value - 60), value + 61) if self.tell(n, before) == value]
        return (fits[0], fits[-1]) if fits else (value, value)  # an unrounded number is itself


def whole(printed: str) -> int | None:
    """A printed count; None where there is none."""
    return int(printed.replace(",", "")) if re.fullmatch(r"\d[\d,]*", printed) else None


@dataclass(frozen=True)
class Printed:
    """A printed number with its interval, each with the room that rounding leaves."""

    value: tuple[float, float]
    low: tuple[float, float]
    high: tuple[float, float]


def estimate(printed: str) -> Printed | None:
    """Read "0.78 (0.73 to 0.83)"; None where there is no such thing."""
    found = _ESTIMATE.search(printed)
    if not found:
        return None
    return Printed(*(_room(text) for text in (found[1], found[3], found[4])))


def _room(text: str) -> tuple[float, float]:
    bare = text.replace("−", "-").replace(",", "")
    half = 0.5 * 10.0 ** -len(bare.partition(".")[2]) + 1e-9
    return float(bare) - half, float(bare) + half
