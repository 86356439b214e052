"""Satisfaction over the distance of guidance from what the client prefers, on the whole scale."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from outcomes.languages import decimal, spoken
from outcomes.report.figures.drawing import Drawing, layer
from outcomes.report.figures.style import BLUE, INK, PAPER, QUIET, axis_title, fitted, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate
from outcomes.study.tables.scales import Scale

_HEIGHT = 170  # px: with its text it keeps its size beside the findings on one printed page
_SIGNED = "datum.value ? format(datum.value, '+~g') : '0'"


def distance_picture(points: Sequence[tuple[float, str, Estimate]], scale: Scale, unit: str) -> Picture:
    """Draw mean satisfaction at distances from the preference.

    Parameters
    ----------
    points : sequence of (float, str, Estimate)
        Guidance less the client's preference, rising; what that is called inside a sentence; mean satisfaction there.
    scale : Scale
        Of satisfaction: all of it is shown, so that a small difference looks small.
    unit : str
        Of guidance.
    """
    frame = pl.DataFrame([(x, *e.drawn) for x, _, e in points], schema=["points", "mean", "low", "high"], orient="row")
    ends = [points[0][0], points[-1][0]]
    room = (ends[1] - ends[0]) * 0.08

    axis = spoken("Too little guidance (left) or too much (right), in {unit} from the wish", unit=unit)

    def chart(width: int) -> Drawing:
        x = alt.X(
            "points:Q", title=fitted(axis, width),
            axis=alt.Axis(values=frame["points"].to_list(), labelExpr=_SIGNED, grid=False),
            scale=alt.Scale(domain=[ends[0] - room, ends[1] + room], nice=False, zero=False),
        )  # fmt: skip
        y = alt.Y("mean:Q", title=None, scale=alt.Scale(domain=[scale.minimum, scale.maximum], nice=False))
        base = alt.Chart(frame)
        zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=alt.X("x:Q"))
        above = {"dy": -18, "fontSize": 12, "fontWeight": 600}
        labels = (base.mark_text(**above, stroke=PAPER, strokeWidth=5), base.mark_text(**above, color=INK))
        return layer(
            zero,
            base.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y),
            base.mark_rule(color=BLUE, strokeWidth=3).encode(x=x, y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")),
            base.mark_point(color=BLUE, fill=BLUE, size=70, opacity=1).encode(x=x, y=y),
            *(
                label.encode(x=x, y=alt.Y("high:Q", title=None), text=alt.Text("mean:Q", format=".1f"))
                for label in labels
            ),
        ).sized(width=width, height=_HEIGHT, title=axis_title(spoken("Average satisfaction, whole scale")))

    (_, little, below), (_, much, above) = points[0], points[-1]
    nearest = min(points, key=lambda one: abs(one[0]))[2]
    title = spoken(
        "Average satisfaction: {below} with {little}, {at} as clients want it, {above} with {much} guidance",
        below=below.in_number, little=little, at=nearest.in_number, above=above.in_number, much=much,
    )  # fmt: skip
    said = "; ".join(
        spoken("at {place}: {number} ({interval})", place=_place(x), number=e.in_number, interval=e.in_interval)
        for x, _, e in points
    )
    caption = spoken(
        "Dots: average satisfaction if guidance lay so far from each client's wish. Upright lines: the range in which "
        "the true average probably lies. Dashed: as the client wants it."
    )
    description = spoken("Average satisfaction by distance from the wish: {points}.", points=said)
    return picture(chart, caption, description, title, frame)


def _place(x: float) -> str:
    """A distance with its sign."""
    return ("+" if x > 0 else "") + decimal(f"{x:g}")
