"""Where clients went: from all who came to those whom an answer rests on, and how their courses ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from outcomes.disclosure import Shown
from outcomes.languages import spoken
from outcomes.report.figures.drawing import Drawing, layer
from outcomes.report.figures.style import BLUE, EMPTY, INK, NARROW, QUIET, fitted, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.spans import shown_text

_ROW, _BAR = 40, 16  # px a stage, and of its bar
_LABEL_UP, _LINE = 12, 14  # px of a label above its bar, and of a further line of it
_CHARS = 44  # of a line on a phone


@dataclass(frozen=True)
class Stage:
    """Clients at one stage: its label, the same inside a sentence; `is_part` for a part of the stage before."""

    label: str
    inside: str
    clients: Shown
    is_part: bool = False


def pathway_picture(stages: Sequence[Stage], title: str) -> Picture | None:
    """Draw a bar a stage; one that may not be told has a label and no bar. None where none may be told."""
    told = [stage.clients.value for stage in stages if stage.clients.value is not None]
    if not told:
        return None
    rows = [(i, stage.clients.value or 0, stage.is_part) for i, stage in enumerate(stages)]
    frame = pl.DataFrame(rows, schema=["place", "clients", "is_part"], orient="row")
    top = max(told)

    def chart(width: int) -> Drawing:
        y = alt.Y("place:O", axis=None)
        x = alt.X("clients:Q", axis=None, scale=alt.Scale(domain=[0, top], nice=False))
        shade = alt.condition("datum.is_part", alt.value(BLUE), alt.value(QUIET))
        lines = [fitted(f"{stage.label}: {shown_text(stage.clients)}", width, _CHARS) for stage in stages]
        most = max(map(len, lines))
        texts = ["\n" * (most - len(one)) + "\n".join(one) for one in lines]  # each ends right above its bar
        base = alt.Chart(frame.with_columns(pl.Series("label", texts)))
        ground = alt.Chart(frame.with_columns(pl.lit(top).alias("clients")))
        label = base.mark_text(
            align="left",
            baseline="bottom",
            dy=-_LABEL_UP - _LINE * (most - 1),
            lineBreak="\n",
            lineHeight=_LINE,
            fontSize=12 if width <= NARROW else 13,
            color=INK,
        )
        return layer(
            ground.mark_bar(color=EMPTY, size=_BAR, opacity=0.6).encode(x=x, y=y),
            base.mark_bar(size=_BAR).encode(x=x, y=y, color=shade),
            label.encode(x=alt.XValue(0), y=y, text=alt.Text("label:N")),
        ).sized(width=width, height=(_ROW + _LINE * (most - 1)) * len(stages))

    said = "; ".join(f"{stage.inside}: {shown_text(stage.clients)}" for stage in stages)
    data = pl.DataFrame(
        [(stage.label, shown_text(stage.clients)) for stage in stages], schema=["stage", "clients"], orient="row"
    )
    caption = spoken(
        "Numbers are rounded, and small ones are not shown, so that nobody can be recognised; they may not add up."
    )
    return picture(chart, caption, f"{title}: {said}.", title, data)
