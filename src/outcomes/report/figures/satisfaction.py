"""Pictures of satisfaction: over guidance compared with the client's usual, and over guidance and preference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from outcomes.report.figures.density import Bin, Cell
from outcomes.report.figures.drawing import Drawing, above, layer
from outcomes.report.figures.style import BAND, BLUE, INK, NARROW, QUIET, WARM, axis_title, density, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate, Piece, Words

_SHADES = ("#f1f6fb", "#08315e")  # light to dark in one hue: the order survives a grey print


def curve_picture(
    curve: Sequence[tuple[float, Estimate]], bins: Sequence[Bin], unit: str, rated_in: str, caption: Piece | Words
) -> Picture:
    """Average satisfaction over guidance compared with the client's usual, with the sessions that it rests on.

    Parameters
    ----------
    curve : sequence of (float, Estimate)
        Guidance less the client's usual, and average satisfaction there.
    bins : sequence of Bin
        Sessions below the curve.
    unit, rated_in : str
        Of guidance and of satisfaction, e.g. "points".
    """
    frame = pl.DataFrame([(x, *e.drawn) for x, e in curve], schema=["x", "value", "low", "high"], orient="row")

    def chart(width: int) -> Drawing:
        title = ["Guidance compared with", f"the client's usual ({unit})"]
        x = alt.X(
            "x:Q", title=title if width <= NARROW else [" ".join(title)],
            scale=alt.Scale(domain=[curve[0][0], curve[-1][0]], nice=False, zero=False),
            axis=alt.Axis(tickCount=7 if width > NARROW else 4),
        )  # fmt: skip
        y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False, nice=True))
        base = alt.Chart(frame)
        main = layer(
            base.mark_area(color=BAND, opacity=0.75).encode(x=x, y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")),
            alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x=alt.X("x:Q")),
            base.mark_line(color=BLUE, strokeWidth=3).encode(x=x, y=y),
        ).sized(width=width, height=240, title=axis_title(f"Average satisfaction ({rated_in})"))
        return above(main, density(bins, x, width), spacing=8)

    return picture(
        chart, caption, "Average satisfaction over guidance compared with the client's usual, with its band."
    )


def surface_picture(
    cells: Sequence[Cell],
    shape: Mapping[str, float],
    scale: tuple[float, float],
    steps: int,
    unit: str,
    rated_in: str,
    caption: Piece | Words,
) -> Picture:
    """Expected satisfaction over guidance and preferred guidance, where enough clients are.

    Parameters
    ----------
    cells : sequence of Cell
        Squares that may be shown, with their sessions.
    shape : mapping of str to float
        a1..a5 of the response surface, centred at the middle of the scale: b1 = (a1 + a3)/2, b2 = (a1 - a3)/2,
        b3 = (s + a5)/2, b5 = (s - a5)/2 with s = (a2 + a4)/2, b4 = (a2 - a4)/2 (Edwards & Parry 1993, inverted).
    scale : (float, float)
        Ends of the scale of guidance.
    steps : int
        Squares along the scale.
    unit, rated_in : str
        Of guidance and of satisfaction.
    """
    low, high = scale
    half = (high - low) / steps / 2
    middle = (low + high) / 2
    heights = [surface_height(shape, cell.x - middle, cell.y - middle) for cell in cells]
    frame = pl.DataFrame(
        [
            (c.x, c.y, c.x - half, c.x + half, c.y - half, c.y + half, c.sessions, z)
            for c, z in zip(cells, heights, strict=True)
        ],
        schema=["x", "y", "x1", "x2", "y1", "y2", "sessions", "z"],
        orient="row",
    )
    ridge = alt.Chart(pl.DataFrame({"x": [low, high], "y": [low, high]}))

    def chart(width: int) -> Drawing:
        narrow = width <= NARROW
        size = width if narrow else 380
        domain = alt.Scale(domain=[low, high], nice=False)
        x_title = f"Guidance in the session ({unit})"
        x = alt.X("x:Q", title=x_title, scale=domain, axis=alt.Axis(tickCount=5))
        y = alt.Y("y:Q", title=None, scale=domain, axis=alt.Axis(tickCount=5))
        legend = {"orient": "bottom" if narrow else "right", "titleFontSize": 12, "labelFontSize": 12}
        title = [f"Satisfaction ({rated_in})", "less the middle's"]
        shade = alt.Color(
            "z:Q", scale=alt.Scale(range=list(_SHADES)), legend=alt.Legend(title=title, gradientLength=140, **legend)
        )
        dots = alt.Size(
            "sessions:Q", scale=alt.Scale(rangeMin=8, rangeMax=240), legend=None
        )  # the caption says how many
        base = alt.Chart(frame)
        return layer(
            base.mark_rect(stroke="white", strokeWidth=0.5).encode(
                x=alt.X("x1:Q", scale=domain, title=x_title),
                x2=alt.X2("x2:Q"),
                y=alt.Y("y1:Q", scale=domain, title=None),
                y2=alt.Y2("y2:Q"),
                color=shade,
            ),
            ridge.mark_line(color="white", strokeWidth=7).encode(x=x, y=y),  # in grey the line is as dark as a square
            ridge.mark_line(color=WARM, strokeWidth=3).encode(x=x, y=y),
            base.mark_point(shape="circle", fill="white", stroke=INK, strokeWidth=1, opacity=1).encode(
                x=x, y=y, size=dots
            ),
        ).sized(width=size, height=size, title=axis_title(f"Guidance that the client prefers ({unit})"))

    return picture(
        chart, caption, "Expected satisfaction over guidance and preferred guidance; its shape in the table."
    )


def surface_height(shape: Mapping[str, float], x: float, y: float) -> float:
    """Height of a response surface above its middle, z = b1 x + b2 y + b3 x^2 + b4 xy + b5 y^2, from a1..a5."""
    b1, b2 = (shape["a1"] + shape["a3"]) / 2, (shape["a1"] - shape["a3"]) / 2
    squares, b4 = (shape["a2"] + shape["a4"]) / 2, (shape["a2"] - shape["a4"]) / 2
    b3, b5 = (squares + shape["a5"]) / 2, (squares - shape["a5"]) / 2
    return b1 * x + b2 * y + b3 * x**2 + b4 * x * y + b5 * y**2
