"""How near guidance lay to what clients wish, period by period."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from outcomes.feedback.figures import Figure
from outcomes.languages import decimal, spoken
from outcomes.report.figures.drawing import Drawing, layer
from outcomes.report.figures.style import BLUE, INK, NARROW, PAPER, axis_title, picture
from outcomes.report.page.blocks import Picture

MOST = 6
"""Periods that fit a phone."""
_ROOM = 0.5  # of the scale is shown, unless an interval reaches farther: no mean distance can be near its end


def fit_picture(figures: Sequence[Figure], span: float, unit: str, digits: int) -> Picture:
    """Draw the mean distance from the wish with its intervals.

    Parameters
    ----------
    figures : sequence of Figure
        Numbers, oldest first.
    span : float
        Width of the scale of guidance.
    unit : str
        Of guidance.
    digits : int
        Decimals.
    """
    shown = list(figures)[-MOST:]
    frame = pl.DataFrame(
        {"period": [one.period.short for one in shown], "distance": [one.value for one in shown],
         "low": [one.low for one in shown], "high": [one.high for one in shown]}
    )  # fmt: skip
    top = max(_ROOM * span, frame["high"].max())

    def chart(width: int) -> Drawing:
        split = "split(datum.label, ' ')" if width <= NARROW else "datum.label"
        x = alt.X("period:O", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelExpr=split))
        scale = alt.Scale(domain=[0, top], nice=False)
        base = alt.Chart(frame)
        above = {"dy": -14, "fontSize": 12, "fontWeight": 600}
        labels = (base.mark_text(**above, stroke=PAPER, strokeWidth=5), base.mark_text(**above, color=INK))
        return layer(
            base.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=alt.Y("distance:Q", title=None, scale=scale)),
            base.mark_rule(color=BLUE, strokeWidth=3).encode(x=x, y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")),
            base.mark_point(color=BLUE, fill=BLUE, size=70, opacity=1).encode(x=x, y=alt.Y("distance:Q", title=None)),
            *(
                label.encode(x=x, y=alt.Y("high:Q", title=None), text=alt.Text("distance:Q", format=f".{digits}f"))
                for label in labels
            ),
        ).sized(width=width, height=150, title=axis_title(spoken("Distance from the wish, in {unit}", unit=unit)))

    def number(value: float) -> str:
        return decimal(f"{value:.{digits}f}")

    first, last = shown[0], shown[-1]
    title = spoken(
        "Guidance lay {number} {unit} from the wish in {period}", number=number(last.value), unit=unit,
        period=last.period.label,
    )  # fmt: skip
    if len(shown) > 1:
        title = spoken(
            "{title}; in {period} it was {number}", title=title, period=first.period.label, number=number(first.value)
        )
    said = "; ".join(
        spoken(
            "{period}: {number} ({low} to {high})", period=one.period.label, number=number(one.value),
            low=number(one.low), high=number(one.high),
        )
        for one in shown
    )  # fmt: skip
    caption = spoken("Zero is as clients wish. Upright lines: the range in which the true average probably lies.")
    description = spoken("Distance of guidance from clients' wishes, in {unit}. {periods}.", unit=unit, periods=said)
    return picture(chart, caption, description, title, frame)
