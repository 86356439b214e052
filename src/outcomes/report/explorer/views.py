"""The pictures of the explorer page: what the annex and the report draw, with the numbers at the pointer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from outcomes.report.documents.participants import shares_by_definition
from outcomes.report.figures.curves import curve_and_bins
from outcomes.report.figures.drawing import Drawing, above, drawing, layer
from outcomes.report.figures.satisfaction import surface_height
from outcomes.report.figures.style import BAND, BARS, BLUE, INK, NARROW, PAPER, QUIET, WARM, axis_title
from outcomes.report.sections.findings.balance import shape_and_cells, squares_along
from outcomes.report.sections.report_section import Source

_HEIGHT_DIGITS = 1  # of satisfaction on the surface: no more than its colours say
_SHADES = ("#f1f6fb", "#08315e")


@dataclass(frozen=True)
class View:
    """One picture.

    Attributes
    ----------
    name, title : str
    how : str
        What a reader can do with it.
    draw : callable
        Makes the chart for a width of the plotting area.
    rows : DataFrame
        What is drawn, for a table; its columns are heads in words.
    """

    name: str
    title: str
    how: str
    draw: Callable[[int], Drawing]
    rows: pl.DataFrame


def views(source: Source) -> tuple[View, ...]:
    """Return the pictures of a release; those that it does not tell are left out."""
    return tuple(view for view in (_surface(source), _curve(source), _definitions(source)) if view)


def _surface(source: Source) -> View | None:
    """Satisfaction over guidance and wish, with a cut at the wish that the reader chooses."""
    shape, cells = shape_and_cells(source)
    if not cells:
        return None
    scale = source.settings.scales["directiveness"]
    half, middle = (scale.maximum - scale.minimum) / squares_along(scale) / 2, (scale.minimum + scale.maximum) / 2
    heights = [round(surface_height(shape, c.x - middle, c.y - middle), _HEIGHT_DIGITS) + 0.0 for c in cells]
    rows = [
        (c.x, c.y, c.x - half, c.x + half, c.y - half, c.y + half, z, c.sessions)
        for c, z in zip(cells, heights, strict=True)
    ]
    frame = pl.DataFrame(rows, schema=["guidance", "wish", "x1", "x2", "y1", "y2", "height", "sessions"], orient="row")
    wishes = frame["wish"].unique().sort().to_list()
    start = wishes[len(wishes) // 2]
    ends = alt.Scale(domain=[scale.minimum, scale.maximum], nice=False)
    tips = [
        alt.Tooltip("guidance:Q", title="Guidance"), alt.Tooltip("wish:Q", title="Client's wish"),
        alt.Tooltip("height:Q", title="Satisfaction less the middle's", format="+.1f"),
        alt.Tooltip("sessions:Q", title="Sessions, about", format=","),
    ]  # fmt: skip

    def draw(width: int) -> Drawing:
        size = width if width <= NARROW else 380
        wish = alt.param(
            name="wish", value=start,
            bind=alt.binding_range(min=wishes[0], max=wishes[-1], step=2 * half, name="The client's wish: "),
        )  # fmt: skip
        base = alt.Chart(frame)
        x = alt.X("x1:Q", scale=ends, title=f"Guidance in the session ({scale.unit})", axis=alt.Axis(tickCount=5))
        y = alt.Y("y1:Q", scale=ends, title=None, axis=alt.Axis(tickCount=5))
        shade = alt.Color("height:Q", scale=alt.Scale(range=list(_SHADES)), legend=None)
        edge = alt.condition("datum.wish == wish", alt.value(WARM), alt.value(PAPER))
        squares = base.mark_rect(strokeWidth=1.5).encode(
            x=x, x2="x2:Q", y=y, y2="y2:Q", color=shade, stroke=edge, tooltip=tips
        )
        top = drawing(squares).sized(size, size, axis_title(f"The client's wish ({scale.unit})"))
        domain = [frame["height"].min(), frame["height"].max()]
        place = alt.X("guidance:Q", scale=ends, title=f"Guidance in the session ({scale.unit})")
        level = alt.Y("height:Q", title=None, scale=alt.Scale(domain=domain), axis=alt.Axis(format="+.1f", tickCount=5))
        cut = base.transform_filter("datum.wish == wish")
        lines = layer(
            cut.mark_line(color=BLUE, strokeWidth=2).encode(x=place, y=level),
            cut.mark_point(color=BLUE, fill=BLUE, size=70, opacity=1).encode(x=place, y=level, tooltip=tips),
        )
        below = lines.sized(size, 150, axis_title("Satisfaction at that wish, less the middle's"))
        return above(top, below, spacing=24).asking(wish)

    table = frame.select(
        pl.col("guidance").alias("Guidance"), pl.col("wish").alias("Client's wish"),
        pl.col("height").alias("Satisfaction less the middle's"), pl.col("sessions").alias("Sessions, about"),
    )  # fmt: skip
    how = (
        "Move the slider to a client's wish: the row lights up, and the line below shows how satisfying sessions are "
        "expected to be with more or less guidance. Squares of few clients are left out. How sure the shape is, says "
        "the annex."
    )
    return View("surface", "Guidance and what the client wishes", how, draw, table)


def _curve(source: Source) -> View | None:
    """Satisfaction over guidance compared with the client's usual, with the sessions below it."""
    points, bins = curve_and_bins(source.con, source.settings, source.teller)
    if not points:
        return None
    frame = pl.DataFrame([(x, *e.drawn) for x, e in points], schema=["x", "value", "low", "high"], orient="row")
    frame = frame.with_columns(pl.col("x").round(2))
    counted = [(b.low, b.high, b.sessions.value) for b in bins if b.sessions.value is not None]
    sessions = pl.DataFrame(counted, schema=["x1", "x2", "sessions"], orient="row")
    unit = source.settings.unit("directiveness")
    tips = [
        alt.Tooltip("x:Q", title="Guidance less the usual", format="+.1f"),
        alt.Tooltip("value:Q", title="Average satisfaction", format=".1f"),
        alt.Tooltip("low:Q", title="Range from", format=".1f"), alt.Tooltip("high:Q", title="to", format=".1f"),
    ]  # fmt: skip
    ends = alt.Scale(domain=[frame["x"].min(), frame["x"].max()], nice=False, zero=False)

    def draw(width: int) -> Drawing:
        title = f"Guidance less the client's usual ({unit})"
        x = alt.X("x:Q", title=title, scale=ends, axis=alt.Axis(tickCount=7 if width > NARROW else 4))
        y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
        base = alt.Chart(frame)
        main = layer(
            base.mark_area(color=BAND, opacity=0.75).encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q"),
            base.mark_line(color=BLUE, strokeWidth=3).encode(x=x, y=y),
            base.mark_point(color=BLUE, fill=BLUE, size=30, opacity=1).encode(x=x, y=y, tooltip=tips),
        ).sized(width, 240, axis_title("Average satisfaction"))
        bars = alt.Chart(sessions).mark_rect(color=BARS, stroke=PAPER).encode(
            x=alt.X("x1:Q", axis=None, scale=ends), x2="x2:Q",
            y=alt.Y("sessions:Q", title=None, axis=alt.Axis(tickCount=2, grid=False)), y2=alt.Y2Datum(0),
            tooltip=[alt.Tooltip("sessions:Q", title="Sessions, about", format=",")],
        )  # fmt: skip
        return above(main, drawing(bars).sized(width, 54, axis_title("Number of sessions")), spacing=8)

    table = frame.select(
        pl.col("x").alias("Guidance less the usual"), pl.col("value").alias("Average satisfaction"),
        pl.col("low").alias("Range from"), pl.col("high").alias("to"),
    )  # fmt: skip
    how = "Point at the line for its numbers, and at a grey bar for how many sessions it stands for."
    return View("curve", "Guidance compared with the client's usual", how, draw, table)


def _definitions(source: Source) -> View | None:
    """Dropout under every definition; the chosen one stands out."""
    shares = shares_by_definition(source)
    if not shares:
        return None
    ordered: Sequence = sorted(shares, key=lambda one: one[1].value)
    rows = [(label, *(round(100 * x, 1) for x in e.drawn)) for label, e, _ in ordered]
    frame = pl.DataFrame(rows, schema=["definition", "share", "low", "high"], orient="row")
    labels = frame["definition"].to_list()
    own = next((label for label, _, is_own in shares if is_own), labels[0])
    tips = [
        alt.Tooltip("definition:N", title="A client dropped out if"), alt.Tooltip("share:Q", title="Of 100 courses"),
        alt.Tooltip("low:Q", title="Range from"), alt.Tooltip("high:Q", title="to"),
    ]  # fmt: skip

    def draw(width: int) -> Drawing:
        chosen = alt.param(
            name="chosen", value=own, bind=alt.binding_select(options=labels, name="A client dropped out if: ")
        )
        x = alt.X("share:Q", title="Of 100 courses, dropped out", scale=alt.Scale(domain=[0, 100], nice=False))
        y = alt.Y("definition:N", sort=labels, axis=None)
        colour = alt.condition("datum.definition == chosen", alt.value(BLUE), alt.value(QUIET))
        base = alt.Chart(frame)
        said = base.transform_filter("datum.definition == chosen").transform_calculate(
            said="datum.share + ' of 100 (' + datum.low + ' to ' + datum.high + ')'"
        )
        marks = base.mark_point(size=90, filled=True, opacity=1).encode(x=x, y=y, color=colour, tooltip=tips)
        return (
            layer(
                base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour),
                marks,
                said.mark_text(dy=-14, fontWeight=600, fontSize=13, color=INK).encode(x=x, y=y, text="said:N"),
            )
            .sized(width, 40 * len(labels))
            .asking(chosen)
        )

    table = frame.select(
        pl.col("definition").alias("A client dropped out if"), pl.col("share").alias("Of 100 courses"),
        pl.col("low").alias("Range from"), pl.col("high").alias("to"),
    )  # fmt: skip
    how = "Choose what counts as dropout, or point at a mark: the share and its range stand there."
    return View("definitions", "How much dropout there is, by definition", how, draw, table)
