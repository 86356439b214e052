"""How far therapists lie apart, as a distribution: no therapist is a mark in it."""

from __future__ import annotations

import altair as alt
import numpy as np
import polars as pl
from scipy import stats

from outcomes.languages import decimal, spoken
from outcomes.report.figures.drawing import Drawing, layer
from outcomes.report.figures.style import BAND, BLUE, NARROW, QUIET, fitted, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate

_REACH, _POINTS = 3.0, 81
_SIGNED = "datum.value ? format(datum.value, '+.1f') : '0'"
_MIDDLE = stats.norm.ppf(0.95)  # standard deviations that hold the middle 90% of a normal distribution


def spread_picture(spread: Estimate, unit: str) -> Picture:
    """Draw the normal distribution that a model of therapists assumes, from its standard deviation alone.

    Parameters
    ----------
    spread : Estimate
        Standard deviation between therapists.
    unit : str
        Of satisfaction.
    """
    sd = spread.drawn[0]
    x = np.linspace(-_REACH * sd, _REACH * sd, _POINTS)
    frame = pl.DataFrame({"points": x, "height": stats.norm.pdf(x, scale=sd) if sd else np.zeros_like(x)})
    middle = frame.filter(pl.col("points").abs() <= _MIDDLE * sd)

    axis = spoken("Clients' satisfaction, in {unit} below or above the average therapist", unit=unit)

    def chart(width: int) -> Drawing:
        place = alt.X(
            "points:Q", title=fitted(axis, width),
            axis=alt.Axis(grid=False, tickCount=7 if width > NARROW else 4, labelExpr=_SIGNED),
            scale=alt.Scale(nice=False),
        )  # fmt: skip
        height = alt.Y("height:Q", axis=None)
        zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=alt.X("x:Q"))
        return layer(
            alt.Chart(middle).mark_area(color=BAND).encode(x=place, y=height),
            zero,
            alt.Chart(frame).mark_line(color=BLUE, strokeWidth=2).encode(x=place, y=height),
        ).sized(width=width, height=130)

    ends = decimal(f"{_MIDDLE * sd:.1f}")
    caption = spoken(
        "The higher the line, the more therapists lie there. Filled: nine of ten therapists. The shape is the model's; "
        "no therapist is drawn, named or ranked."
    )
    title = spoken("Nine of ten therapists lie within {ends} {unit} of the average", ends=ends, unit=unit)
    said = spoken(
        "{title}; a typical difference is {number} {unit} ({interval}).",
        title=title, unit=unit, number=spread.in_number, interval=spread.in_interval,
    )  # fmt: skip
    return picture(chart, caption, said, title, frame)
