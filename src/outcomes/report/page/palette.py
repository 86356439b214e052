"""The colours of pages and pictures, in light and in dark, each with its role.

Pictures are drawn in the light ones; on a page each becomes a variable of its role, so that a reader's dark screen gets
the dark one. On paper they stay as they are drawn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Colour:
    """One role: its colour on light and on dark ground."""

    light: str
    dark: str


PAPER = Colour("#ffffff", "#14191f")
INK = Colour("#1f2933", "#e8edf2")  # text, axes' titles
QUIET = Colour("#52606d", "#a7b3c0")  # small print, axes
LINE = Colour("#cbd2d9", "#3d4955")
GRID = Colour("#e4e7eb", "#2a333d")
TINT = Colour("#f0f4f8", "#1d252e")  # boxes
BLUE = Colour("#0b4f8a", "#8cc4f5")  # what a picture is about
BAND = Colour("#a9cbe8", "#27527a")  # its interval
BARS = Colour("#9aa5b1", "#6d7985")
EMPTY = Colour("#dde3e9", "#38434f")  # icons of those to whom it did not happen
WARM = Colour("#b4470a", "#ffb27a")  # what stands against the blue
DEEP, MIDDLE, PALE = Colour("#062f4f", "#dcedfd"), Colour("#0b63a5", "#8fc3f0"), Colour("#3b8ac4", "#5a9fd6")

ROLES = {
    "paper": PAPER, "ink": INK, "quiet": QUIET, "line": LINE, "grid": GRID, "tint": TINT, "blue": BLUE, "band": BAND,
    "bars": BARS, "empty": EMPTY, "warm": WARM, "deep": DEEP, "middle": MIDDLE, "pale": PALE,
}  # fmt: skip
_BY_LIGHT = {colour.light: name for name, colour in ROLES.items()} | {"white": "paper"}
_DRAWN = re.compile(r'(fill|stroke|stop-color)="(#[0-9a-f]{6}|white)"')


def style() -> Markup:
    """The roles as variables of a style sheet: light, dark where the reader's screen is, light on paper."""

    def declared(which: str) -> str:
        return " ".join(f"--{name}: {getattr(colour, which)};" for name, colour in ROLES.items())

    return Markup(
        f":root {{ color-scheme: light dark; {declared('light')} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {declared('dark')} }} }}\n"
    )


def in_roles(svg: str) -> str:
    """A drawing whose colours follow the reader's screen."""
    return _DRAWN.sub(
        lambda found: f'{found[1]}="var(--{_BY_LIGHT[found[2]]})"' if found[2] in _BY_LIGHT else found[0], svg
    )


def in_variables(spec: str) -> str:
    """A chart as JSON whose colours follow the reader's screen, drawn in the browser."""
    for light, name in _BY_LIGHT.items():
        spec = spec.replace(f'"{light}"', f'"var(--{name})"')
    return spec
