"""Vega-Lite as inline SVG, drawn by another process while this one goes on, where one is open for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Any

import vl_convert
from markupsafe import Markup

from outcomes.workers import Processes, in_processes

Spec = dict[str, Any]
Drawn = Callable[[], Markup]
"""Gives a picture; waits for it where another process draws it."""

_ASIDE: ContextVar[Processes | None] = ContextVar("aside", default=None)
_ID = re.compile(r'(\bid="|url\(#)([^")]+)')
_FIRST: Spec = {"data": {"values": []}, "mark": "point"}  # the first picture of a process takes as long as ten others


def svg(spec: Spec, numbers: dict[str, Any] | None) -> str:
    """Inline SVG: no name spaces (HTML knows them), ids of its own, the same whenever it is drawn.

    Parameters
    ----------
    spec : dict
        Vega-Lite, with its data.
    numbers : dict or None
        How a language writes numbers, as d3 has it; English where it is None.
    """
    made = vl_convert.vegalite_to_svg(spec, format_locale=numbers)
    made = re.sub(r'\s(xmlns(:xlink)?|version|class|role|aria-[a-z]+)="[^"]*"', "", made)
    found: dict[str, int] = {}  # the library numbers ids through all pictures of a process; here each begins at 0
    made = _ID.sub(lambda one: f"{one[1]}{found.setdefault(one[2], len(found))}", made)
    own = f"fig-{sha256(made.encode()).hexdigest()[:8]}-"
    return _ID.sub(lambda one: f"{one[1]}{own}{one[2]}", made)


def drawn(spec: Spec, numbers: dict[str, Any] | None) -> Drawn:
    """Start to draw in the process that is open for it, else draw at once."""
    aside = _ASIDE.get()
    if aside is None:
        made = Markup(svg(spec, numbers))
        return lambda: made
    result = aside.later(svg, spec, numbers)
    return lambda: Markup(result())


@contextmanager
def drawing_aside() -> Iterator[None]:
    """Open a process that draws: the library that does it stops all threads of its own process meanwhile."""
    with in_processes(1, politeness=0) as aside:
        aside.later(svg, _FIRST, None)
        token = _ASIDE.set(aside)
        try:
            yield
        finally:
            _ASIDE.reset(token)
