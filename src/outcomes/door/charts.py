"""What the pictures of the researcher's door share: one look, curves with bands, surfaces of squares."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from outcomes.report.figures.style import BAND, BLUE, GRID, INK, QUIET

WIDTH, HEIGHT = 520, 300
SHADES = ("#f1f6fb", "#08315e")  # light to dark in one hue, as in the report


def finished(chart: Any, title: str, subtitle: str = "") -> Any:
    """Give a chart its title and the report's colours of axes and text."""
    words = alt.TitleParams(
        title, subtitle=[subtitle] if subtitle else [], anchor="start", fontSize=15, color=INK, subtitleFontSize=12,
        subtitleColor=QUIET, offset=12,
    )  # fmt: skip
    return (
        chart.properties(title=words)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=QUIET, titleColor=INK, gridColor=GRID, domainColor=QUIET, tickColor=QUIET, titlePadding=8
        )
    )


def band(frame: pl.DataFrame, x_title: str, y_title: str, series: str = "") -> alt.LayerChart:
    """A curve with its 95% band; columns `x`, `estimate`, `conf_low`, `conf_high`, and `series` where several."""
    x = alt.X("x:Q", title=x_title, scale=alt.Scale(zero=False, nice=False))
    y = alt.Y("estimate:Q", title=y_title, scale=alt.Scale(zero=False))
    base = alt.Chart(frame)
    dash = {"strokeDash": alt.StrokeDash(f"{series}:N", title=None)} if series else {}
    detail = {"detail": f"{series}:N"} if series else {}
    area = base.mark_area(color=BAND, opacity=0.6).encode(
        x=x, y=alt.Y("conf_low:Q", title=y_title), y2="conf_high:Q", **detail
    )
    line = base.mark_line(color=BLUE, strokeWidth=2.5).encode(
        x=x,
        y=y,
        tooltip=_told("x", "estimate", "conf_low", "conf_high"),
        **dash,
    )
    return alt.layer(area, line).properties(width=WIDTH, height=HEIGHT)


def squares(frame: pl.DataFrame, x_title: str, y_title: str, z_title: str) -> alt.LayerChart:
    """A surface over two columns; columns `x`, `y`, `estimate`, `n_rows` on an even grid.

    Squares without rows of the model are drawn pale: there the surface is a guess, and the shades are those of the
    others. The diagonal is where both are equal.
    """
    half = [(frame[c].unique().sort().diff().drop_nulls().min() or 1.0) / 2 for c in ("x", "y")]
    drawn = frame.with_columns(
        (pl.col("x") - half[0]).alias("x1"), (pl.col("x") + half[0]).alias("x2"),
        (pl.col("y") - half[1]).alias("y1"), (pl.col("y") + half[1]).alias("y2"),
        pl.when(pl.col("n_rows") > 0).then(1.0).otherwise(0.25).alias("shown"),
    )  # fmt: skip
    seen = drawn.filter(pl.col("n_rows") > 0)["estimate"]
    shades = alt.Scale(range=list(SHADES), clamp=True, **({"domain": [seen.min(), seen.max()]} if seen.len() else {}))
    ends = [[drawn[f"{c}1"].min(), drawn[f"{c}2"].max()] for c in ("x", "y")]
    scales = [alt.Scale(domain=end, nice=False) for end in ends]
    surface = alt.Chart(drawn).mark_rect().encode(
        x=alt.X("x1:Q", title=x_title, scale=scales[0]), x2="x2:Q",
        y=alt.Y("y1:Q", title=y_title, scale=scales[1]), y2="y2:Q",
        color=alt.Color("estimate:Q", title=z_title.split("\n"), scale=shades),
        opacity=alt.Opacity("shown:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0, 1])),
        tooltip=[*_told("x", "y", "estimate", "conf_low", "conf_high"), "n_rows:Q"],
    )  # fmt: skip
    low, high = max(ends[0][0], ends[1][0]), min(ends[0][1], ends[1][1])
    layers = [surface]
    if low < high:
        diagonal = pl.DataFrame({"x1": [low, high], "y1": [low, high]})
        layers.append(alt.Chart(diagonal).mark_line(color=INK, strokeDash=[5, 4]).encode(x="x1:Q", y="y1:Q"))
    return alt.layer(*layers).properties(width=380, height=380)


def _told(*columns: str) -> list[alt.Tooltip]:
    """What is shown of a mark that is pointed at."""
    return [alt.Tooltip(f"{column}:Q", format=".3g") for column in columns]
