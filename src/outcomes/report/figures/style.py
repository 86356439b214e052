"""The look of the report's pictures: Altair charts, rendered to inline SVG at desk and phone width.

One blue in several depths, dashes, shapes and labels at the marks themselves: nothing depends on telling colours apart.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import polars as pl
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from outcomes.languages import spoken_in
from outcomes.report.figures.density import Bin
from outcomes.report.figures.drawing import Drawing, drawing
from outcomes.report.figures.svg import Drawn, drawn
from outcomes.report.page import palette
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Piece, Words, words

WIDE, NARROW = 560, 262
"""Widths of the plotting area in px; with axes and labels they fit a text column and a 360 px screen."""
_NARROW_CHARS = 36  # of a line in bold type that is as wide as a narrow picture

INK, QUIET, GRID = palette.INK.light, palette.QUIET.light, palette.GRID.light
BLUE, BAND, BARS = palette.BLUE.light, palette.BAND.light, palette.BARS.light
EMPTY, WARM, PAPER = palette.EMPTY.light, palette.WARM.light, palette.PAPER.light
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_CONFIG = {
    "aria": False, "font": _FONT, "background": "transparent",
    "padding": {"left": 4, "right": 24, "top": 4, "bottom": 4}, "view": {"stroke": None},
    "axis": {
        "labelColor": QUIET, "titleColor": INK, "gridColor": GRID, "domainColor": QUIET, "tickColor": QUIET,
        "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": 600, "titlePadding": 8,
    },
    "legend": {"labelColor": QUIET, "titleColor": INK},
}  # fmt: skip


def picture(
    chart: Callable[[int], alt.TopLevelMixin | Drawing],
    caption: Piece | Words,
    description: str,
    title: str = "",
    data: pl.DataFrame | None = None,
) -> Picture:
    """Have a chart drawn at both widths.

    Parameters
    ----------
    chart : callable
        Makes the chart for a width of the plotting area.
    caption : Piece or Words
        How to read it.
    description : str
        What it finds, for those who do not see it; numbers in it are as printed elsewhere on the page.
    title : str
        The finding.
    data : DataFrame, optional
        What is drawn, to download: nothing that the picture does not show.
    """
    with debug_mode(False):  # charts are made by this package and tested; checking each costs seconds
        wide, narrow = _drawn(chart(WIDE)), _drawn(chart(NARROW))
    return Picture(wide, narrow, words(caption), description, title, "" if data is None else data.write_csv())


def axis_title(text: str | list[str]) -> alt.TitleParams:
    """The y axis is named above it, where it reads without turning the head."""
    return alt.TitleParams(text, anchor="start", fontSize=13, fontWeight=600, color=INK, offset=10)


def fitted(text: str, width: int, chars: int = _NARROW_CHARS) -> list[str]:
    """The title of an axis or a label in as many lines as a plotting area takes; a narrow one takes so many `chars`."""
    return textwrap.wrap(text, chars) if width <= NARROW else [text]


def density(bins: Sequence[Bin], x: alt.X, width: int) -> alt.Chart:
    """Sessions below a curve; bins of few clients stay empty."""
    shown = [b for b in bins if b.sessions.value is not None]
    frame = pl.DataFrame(
        {"x": [b.low for b in shown], "x2": [b.high for b in shown], "sessions": [b.sessions.value for b in shown]},
        schema={"x": pl.Float64, "x2": pl.Float64, "sessions": pl.Int64},
    )
    y = alt.Y("sessions:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=2, grid=False))
    bars = alt.Chart(frame).mark_rect(color=BARS, stroke="white", strokeWidth=1)
    bars = bars.encode(x=x.axis(None), x2=alt.X2("x2:Q"), y=y, y2=alt.Y2Datum(0))
    return bars.properties(width=width, height=54, title=axis_title("Number of sessions"))


def apart(values: Sequence[float], gap: float) -> list[float]:
    """Falling values, pushed down where two labels would touch."""
    placed: list[float] = []
    for value in values:
        placed.append(min(value, placed[-1] - gap) if placed else value)
    return placed


def inline_svg(chart: alt.TopLevelMixin | Drawing) -> Markup:
    """A chart as inline SVG; see `svg`."""
    return _drawn(chart)()


def _drawn(chart: alt.TopLevelMixin | Drawing) -> Drawn:
    language = spoken_in()
    return drawn(finished(drawing(chart)), None if language.is_source else language.chart_format)


def finished(made: Drawing) -> dict[str, Any]:
    """Return a drawing with the look of all pictures, and with its data."""
    return {"$schema": alt.SCHEMA_URL, "config": _CONFIG, **made.spec, "datasets": made.datasets}
