"""Pictures of dropout: risk by session at three levels of guidance, and the effect under every definition."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from outcomes.report.figures.drawing import Drawing, layer
from outcomes.report.figures.style import BLUE, INK, NARROW, QUIET, apart, axis_title, picture
from outcomes.report.page import palette
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate, Piece, Words

_LINES = (palette.DEEP.light, palette.MIDDLE.light, palette.PALE.light)
_DASHES = ([1, 0], [8, 4], [2, 3])
_SHAPES = ("circle", "square", "diamond")
_LABEL_ROOM = 108  # px right of the lines, for their labels
_LABEL_GAP = 0.07  # least distance of two line labels, as a share of the axis
_STEP = 0.35  # sessions by which the intervals of the levels stand apart
_LABEL_CHARS, _LABEL_CHARS_NARROW = 86, 40
_ROW, _ROW_NARROW, _LINE = 46, 60, 14  # px a row of the forest, and a line of its label


def risk_picture(risks: Mapping[str, Mapping[int, Estimate]], caption: Piece | Words) -> Picture:
    """Share of clients who dropped out by each session, one labelled line a level of guidance.

    Parameters
    ----------
    risks : mapping of str to mapping of int to Estimate
        Label of the level -> session -> risk, 0 to 1; the first is drawn on top.
    """
    top = min(1.0, 1.15 * max(risk.drawn[2] for level in risks.values() for risk in level.values()))
    last = max(session for level in risks.values() for session in level)
    middle = (len(risks) - 1) / 2

    def frame(level: Mapping[int, Estimate], place: int) -> pl.DataFrame:
        shift = (place - middle) * _STEP
        rows = [(float(t) + shift, *r.drawn) for t, r in level.items()]
        return pl.DataFrame(rows, schema=["session", "risk", "low", "high"], orient="row")

    def chart(width: int) -> Drawing:
        axis = alt.Axis(values=sorted({t for level in risks.values() for t in level}), format="d")
        x = alt.X("session:Q", title="Session", axis=axis, scale=alt.Scale(domain=[0, last + 0.5], nice=False))
        y = alt.Y("risk:Q", title=None, axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, top], nice=False))
        layers, ends = [], []
        for place, (label, level) in enumerate(risks.items()):
            points = frame(level, place)
            from_start = pl.concat([pl.DataFrame({"session": [0.0], "risk": [0.0]}), points], how="diagonal")
            color, base = _LINES[place % len(_LINES)], alt.Chart(points)
            line = alt.Chart(from_start).mark_line(color=color, strokeWidth=2, strokeDash=_DASHES[place % 3])
            layers += [
                line.encode(x=x, y=y),
                base.mark_rule(color=color, strokeWidth=2).encode(
                    x=x, y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")
                ),
                base.mark_point(color=color, fill=color, size=60, shape=_SHAPES[place % 3], opacity=1).encode(x=x, y=y),
            ]
            ends.append((label, points["risk"][-1]))
        ends.sort(key=lambda end: -end[1])
        places = apart([end for _, end in ends], _LABEL_GAP * top)
        lift = max(0.0, places[0] - places[-1] - (ends[0][1] - ends[-1][1])) / 2  # share the room above and below
        labels = pl.DataFrame(
            {"x": [last + 0.9] * len(ends), "y": [p + lift for p in places], "label": [label for label, _ in ends]}
        )
        text = alt.Chart(labels).mark_text(align="left", fontSize=12, fontWeight=600, color=INK, clip=False)
        layers.append(text.encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("label:N")))
        return layer(*layers).sized(
            width=width - _LABEL_ROOM, height=260, title=axis_title("Share of clients dropped out")
        )

    return picture(chart, caption, "Risk of dropout by session at little, average and much guidance; numbers below.")


@dataclass(frozen=True)
class ForestRow:
    """One definition: its words, its effect (log odds ratio), whether it is the study's own."""

    label: str
    effect: Estimate
    is_declared: bool


def forest_picture(rows: Sequence[ForestRow], unit: str, caption: Piece | Words) -> Picture:
    """Odds ratio per point of guidance under every definition, with its interval; the study's own has a filled mark."""
    ends = [x for row in rows for x in row.effect.drawn[1:]]
    domain = [min(0.9, *ends) * 0.97, max(1.12, *ends) * 1.03]

    def chart(width: int) -> Drawing:
        narrow = width <= NARROW
        chars = _LABEL_CHARS_NARROW if narrow else _LABEL_CHARS
        ratios = [(i, *r.effect.drawn, r.is_declared) for i, r in enumerate(rows)]
        frame = pl.DataFrame(ratios, schema=["place", "ratio", "low", "high", "is_declared"], orient="row")
        lines = [
            (i, line, up)
            for i, row in enumerate(rows)
            for up, line in enumerate(reversed(textwrap.wrap(row.label, chars)))
        ]
        labels = pl.DataFrame(lines, schema=["place", "label", "up"], orient="row")
        ticks = [t for t in (0.25, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4) if domain[0] <= t <= domain[1]]
        axis = alt.Axis(values=ticks[:: 2 if narrow and len(ticks) > 5 else 1], format="~g", grid=True)
        x = alt.X(
            "ratio:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis,
            title=["Odds of dropping out, times", f"per {unit} of guidance"] if narrow
            else f"Odds of dropping out, times, per {unit} of guidance",
        )  # fmt: skip
        y = alt.Y("place:O", axis=None)
        base = alt.Chart(frame)
        shown = alt.condition("datum.is_declared", alt.value(BLUE), alt.value("white"))
        return layer(
            alt.Chart(pl.DataFrame({"x": [1.0]})).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=alt.X("x:Q")),
            *_label_layers(labels, y),
            base.mark_rule(color=BLUE, strokeWidth=2).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=y),
            base.mark_point(stroke=BLUE, strokeWidth=2, size=80, opacity=1).encode(x=x, y=y, fill=shown),
        ).sized(width=width, height=(_ROW_NARROW if narrow else _ROW) * len(rows))

    return picture(chart, caption, "Effect of guidance on dropout under each definition; numbers in the table below.")


def _label_layers(labels: pl.DataFrame, y: alt.Y) -> list[alt.Chart]:
    """Labels above their marks, each line on white so that the dashed rule does not run through it."""
    layers = []
    for up in labels["up"].unique(maintain_order=True):
        base = alt.Chart(labels.filter(pl.col("up") == up)).encode(x=alt.XValue(0), y=y, text=alt.Text("label:N"))
        place = {"align": "left", "baseline": "bottom", "dy": -8 - _LINE * up, "fontSize": 12}
        layers += [base.mark_text(stroke="white", strokeWidth=5, **place), base.mark_text(color=INK, **place)]
    return layers
