"""The specification curve: every estimate with its interval, sorted, and below it the choices that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from outcomes.report.figures.drawing import Drawing, above, layer
from outcomes.report.figures.style import BARS, BLUE, INK, NARROW, QUIET, axis_title, fitted, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate, Piece, Words

_LABEL_ROOM = 176  # px left of the choices, for the longest of them
_INNER_NARROW = 124  # px of the curve at phone width; with the labels it fits a 360 px screen
_ROW = 15  # px a choice


def specification_curve(
    estimates: Sequence[Estimate],
    choices: Mapping[str, Sequence[str]],
    rated: str,
    caption: Piece | Words,
) -> Picture:
    """Draw one pool.

    Parameters
    ----------
    estimates : sequence of Estimate
        In the order of their values.
    choices : mapping of str to sequence of str
        Dimension in words: the choice of each estimate, in the same order.
    rated : str
        Unit of the estimates.
    """
    frame = pl.DataFrame(
        [(i, *e.drawn, bool(e.low <= 0 <= e.high)) for i, e in enumerate(estimates)],
        schema=["place", "value", "low", "high", "holds_zero"],
        orient="row",
    )
    marks = pl.DataFrame(
        [(i, f"{name}: {choice}") for name, made in choices.items() for i, choice in enumerate(made)],
        schema=["place", "choice"],
        orient="row",
    )
    rows = [f"{name}: {choice}" for name, made in choices.items() for choice in dict.fromkeys(sorted(made))]

    def chart(width: int) -> Drawing:
        inner = _INNER_NARROW if width <= NARROW else width - _LABEL_ROOM
        x = alt.X("place:Q", axis=None, scale=alt.Scale(domain=[-0.5, len(estimates) - 0.5], nice=False))
        base = alt.Chart(frame)
        zero = alt.Chart(pl.DataFrame({"y": [0.0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(y=alt.Y("y:Q"))
        size = max(1.0, inner / len(estimates) * 0.7)
        dots = {"size": max(4.0, min(40.0, size**2)), "filled": True, "opacity": 1}
        shape = alt.Shape(
            "holds_zero:N", scale=alt.Scale(domain=[False, True], range=["circle", "square"]), legend=None
        )
        shade = alt.Color("holds_zero:N", scale=alt.Scale(domain=[False, True], range=[BLUE, INK]), legend=None)
        curve = layer(
            base.mark_rule(color=BARS, strokeWidth=min(2.0, size * 0.6)).encode(
                x=x, y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")
            ),
            zero,
            base.mark_point(**dots).encode(x=x, y=alt.Y("value:Q", title=None), shape=shape, color=shade),
        ).sized(width=inner, height=190, title=axis_title(fitted(f"Difference in satisfaction ({rated})", width, 22)))
        y = alt.Y(
            "choice:N", title=None, sort=rows,
            axis=alt.Axis(
                labelLimit=_LABEL_ROOM, labelFontSize=11 if width > NARROW else 10, grid=True, domain=False, ticks=False
            ),
        )  # fmt: skip
        below = alt.Chart(marks).mark_tick(color=INK, thickness=max(1.0, size), size=9, orient="vertical")
        return above(curve, below.encode(x=x, y=y).properties(width=inner, height=_ROW * len(rows)), spacing=6)

    words = "Estimates of all specifications of one pool from low to high with their intervals, and the choices below."
    return picture(chart, caption, words)
