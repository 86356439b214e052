"""The report's pictures: Altair charts, rendered to inline SVG at desk and phone width.

One blue in three depths, dashes and labels on the lines themselves: nothing depends on telling colours apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import altair as alt
import polars as pl
import vl_convert
from markupsafe import Markup

from outcomes.models.state import CurvePoint
from outcomes.report.facts import Bin
from outcomes.report.words import number

WIDE, NARROW = 560, 262
"""Widths of the plotting area in px; with axes and labels they fit a text column and a 360 px screen."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_INK, _QUIET, _GRID = "#1f2933", "#52606d", "#e4e7eb"
_BLUE, _BAND, _BARS = "#0b4f8a", "#a9cbe8", "#9aa5b1"
_LINES = ("#062f4f", "#0b63a5", "#3b8ac4")
_DASHES = ([1, 0], [8, 4], [2, 3])
_LABEL_ROOM = 78  # px right of the lines, for their labels
_LABEL_GAP = 0.07  # least distance of two line labels, as a share of the axis


@dataclass(frozen=True)
class Figure:
    """One picture in two widths, with what it shows in words for those who do not see it."""

    wide: Markup
    narrow: Markup
    description: str


def satisfaction_figure(
    curve: Sequence[CurvePoint],
    straight: Sequence[CurvePoint],
    bins: Sequence[Bin],
    spread: float,
    unit: str,
    rated_in: str,
) -> Figure:
    """Average satisfaction over guidance compared with the client's usual, with the sessions that it rests on.

    Parameters
    ----------
    curve, straight : sequence of CurvePoint
        The curve with its band; a second model's line without band (may be empty).
    bins : sequence of Bin
        Sessions below the curve.
    spread : float
        Standard deviation of ratings; the axis shows one of it up and down, so that effects look as large as they are.
    unit, rated_in : str
        Of guidance and of satisfaction, e.g. "points".
    """
    middle = sum(p.estimate for p in curve) / len(curve)
    low = min(middle - spread, *(p.conf_low for p in curve))
    high = max(middle + spread, *(p.conf_high for p in curve))

    def chart(width: int) -> alt.VConcatChart:
        x = _x(["Guidance compared with", f"the client's usual ({unit})"], width, curve)
        y = alt.Y("estimate:Q", title=None, scale=alt.Scale(domain=[low, high], zero=False, nice=True))
        base = alt.Chart(_frame(curve))
        layers = [
            base.mark_area(color=_BAND, opacity=0.75).encode(x=x, y=alt.Y("conf_low:Q", title=None), y2="conf_high:Q"),
            alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=_QUIET, strokeDash=[2, 3]).encode(x="x:Q"),
            base.mark_line(color=_BLUE, strokeWidth=3).encode(x=x, y=y),
        ]
        if straight:
            line = alt.Chart(_frame(straight)).mark_line(color=_INK, strokeDash=[6, 4], strokeWidth=1.5)
            layers.append(line.encode(x=x, y=y))
        main = alt.layer(*layers).properties(
            width=width, height=260, title=_axis_title(f"Average satisfaction ({rated_in})")
        )
        return alt.vconcat(main, _density(bins, x, width), spacing=8)

    words = (
        f"Average satisfaction is {number(curve[0].estimate)} where guidance is {number(curve[0].x)} {unit} from the "
        f"client's usual, and {number(curve[-1].estimate)} where it is {number(curve[-1].x)}."
    )
    return _figure(chart, words)


def dropout_figure(curves: dict[int, Sequence[CurvePoint]], bins: Sequence[Bin], unit: str) -> Figure:
    """Share of clients who dropped out by each session over the level of guidance so far, one labelled line each."""
    top = min(1.0, 1.15 * max(p.conf_high for points in curves.values() for p in points))
    sessions = sorted(curves, reverse=True)

    def chart(width: int) -> alt.VConcatChart:
        any_curve = curves[sessions[0]]
        x = _x([f"Guidance on average so far ({unit})"], width, any_curve)
        y = alt.Y("estimate:Q", title=None, axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, top], nice=False))
        bases = [alt.Chart(_frame(curves[session])) for session in sessions]
        band = {"x": x, "y": alt.Y("conf_low:Q", title=None), "y2": "conf_high:Q"}
        layers = [base.mark_area(color=_BAND, opacity=0.45).encode(**band) for base in bases]
        layers += [
            base.mark_line(color=color, strokeWidth=2.5, strokeDash=dash).encode(x=x, y=y)
            for base, color, dash in zip(bases, _LINES, _DASHES, strict=False)
        ]
        labels = pl.DataFrame(
            {
                "x": [curves[s][-1].x for s in sessions],
                "estimate": _apart([curves[s][-1].estimate for s in sessions], _LABEL_GAP * top),
                "label": [f"session {s}" for s in sessions],
            }
        )
        layers.append(
            alt.Chart(labels)
            .mark_text(align="left", dx=6, fontSize=12, fontWeight=600, color=_INK)
            .encode(x=x, y=y, text="label:N")
        )
        main = alt.layer(*layers).properties(
            width=width - _LABEL_ROOM, height=260, title=_axis_title("Dropped out by then (share of clients)")
        )
        return alt.vconcat(main, _density(bins, x, width - _LABEL_ROOM), spacing=8)

    words = " ".join(
        f"By session {s}, {round(100 * curves[s][0].estimate)}% have dropped out where guidance is "
        f"{number(curves[s][0].x)} {unit}, and {round(100 * curves[s][-1].estimate)}% where it is "
        f"{number(curves[s][-1].x)}."
        for s in reversed(sessions)
    )
    return _figure(chart, words)


def share_figure(shares: dict[str, float]) -> Figure:
    """One bar cut into the shares of variance, each labelled with name and percent."""
    names = list(shares)
    frame = pl.DataFrame({"name": names, "share": list(shares.values()), "place": range(len(names))})
    label = pl.format("{}: {}%", pl.col("name"), (pl.col("share") * 100).round().cast(pl.Int64))
    frame = frame.with_columns(label=label)

    def chart(width: int) -> alt.LayerChart:
        y = alt.Y("place:O", axis=None)
        x = alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
        bars = alt.Chart(frame).mark_bar(color=_BLUE, height=12, yOffset=8).encode(x=x, y=y)
        text = alt.Chart(frame).mark_text(align="left", dy=-9, fontSize=13, color=_INK)
        return alt.layer(bars, text.encode(x=alt.datum(0), y=y, text="label:N")).properties(
            width=width, height=44 * len(names)
        )

    return _figure(chart, "; ".join(frame["label"].to_list()) + ".")


def _frame(points: Sequence[CurvePoint]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [getattr(p, name) for p in points] for name in ("x", "estimate", "conf_low", "conf_high")}
    )


def _x(title: list[str], width: int, curve: Sequence[CurvePoint]) -> alt.X:
    """The axis of guidance; its name takes one line at desk width."""
    domain = alt.Scale(domain=[curve[0].x, curve[-1].x], nice=False, zero=False)
    title = title if width <= NARROW else [" ".join(title)]
    return alt.X("x:Q", title=title, scale=domain, axis=alt.Axis(tickCount=7 if width > NARROW else 4))


def _axis_title(text: str) -> alt.TitleParams:
    """The y axis is named above it, where it reads without turning the head."""
    return alt.TitleParams(text, anchor="start", fontSize=13, fontWeight=600, color=_INK, offset=10)


def _density(bins: Sequence[Bin], x: alt.X, width: int) -> alt.Chart:
    """Sessions by predictor; bins of few clients stay empty."""
    shown = [b for b in bins if b.sessions.value is not None]
    frame = pl.DataFrame(
        {"x": [b.low for b in shown], "x2": [b.high for b in shown], "sessions": [b.sessions.value for b in shown]},
        schema={"x": pl.Float64, "x2": pl.Float64, "sessions": pl.Int64},
    )
    y = alt.Y("sessions:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=2, grid=False))
    bars = alt.Chart(frame).mark_rect(color=_BARS, stroke="white", strokeWidth=1)
    bars = bars.encode(x=x.axis(None), x2="x2:Q", y=y, y2=alt.datum(0))
    return bars.properties(width=width, height=54, title=_axis_title("Number of sessions"))


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """Falling values, pushed down where two would touch."""
    placed: list[float] = []
    for value in values:
        placed.append(min(value, placed[-1] - gap) if placed else value)
    return placed


def _figure(chart: Callable[[int], alt.TopLevelMixin], description: str) -> Figure:
    return Figure(_svg(chart(WIDE), description), _svg(chart(NARROW), description), description)


def _svg(chart: alt.TopLevelMixin, description: str) -> Markup:
    """Inline SVG: no name spaces (HTML knows them), ids of its own, a text for screen readers."""
    styled = chart.configure(font=_FONT, background="white", padding={"left": 4, "right": 12, "top": 4, "bottom": 4})
    styled = styled.configure_view(stroke=None).configure_axis(
        labelColor=_QUIET, titleColor=_INK, gridColor=_GRID, domainColor=_QUIET, tickColor=_QUIET,
        labelFontSize=12, titleFontSize=13, titleFontWeight=600, titlePadding=8,
    )  # fmt: skip
    svg = vl_convert.vegalite_to_svg(styled.to_dict())
    svg = re.sub(r'\s(xmlns(:xlink)?|version|class)="[^"]*"', "", svg)
    own = f"fig-{sha256(svg.encode()).hexdigest()[:8]}-"
    svg = re.sub(r'\bid="', f'id="{own}', svg).replace("url(#", f"url(#{own}")
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{Markup.escape(description)}"', 1))
