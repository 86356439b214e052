"""How many clients drop out under each definition of dropout, of a hundred, with ranges."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import altair as alt
import polars as pl

from outcomes.languages import spoken
from outcomes.report.figures.drawing import Drawing, layer
from outcomes.report.figures.style import BLUE, INK, NARROW, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate

_ROW, _LINE = 34, 14  # px a definition, and a line of its label
_CHARS, _CHARS_NARROW = 86, 38


def share_picture(shares: Sequence[tuple[str, Estimate, bool]]) -> Picture:
    """Draw a forest of definitions on a scale from none to all of a hundred clients.

    Parameters
    ----------
    shares : sequence of (str, Estimate, bool)
        Definition in words, share of dropout (0 to 1), whether it is the study's own.
    """
    ordered = sorted(shares, key=lambda one: one[1].value)
    rows = [(i, *(100 * x for x in e.drawn), own) for i, (_, e, own) in enumerate(ordered)]
    frame = pl.DataFrame(rows, schema=["place", "share", "low", "high", "is_own"], orient="row")

    def chart(width: int) -> Drawing:
        chars = _CHARS_NARROW if width <= NARROW else _CHARS
        lines = [
            (i, line, up, own)
            for i, (label, _, own) in enumerate(ordered)
            for up, line in enumerate(
                reversed(textwrap.wrap(spoken("{definition} (this study)", definition=label) if own else label, chars))
            )
        ]
        most = max(up for _, _, up, _ in lines)
        x = alt.X(
            "share:Q", title=spoken("Of {all} courses of therapy, dropped out", all=100), axis=alt.Axis(tickCount=6),
            scale=alt.Scale(domain=[0, 100], nice=False),
        )  # fmt: skip
        y = alt.Y("place:O", axis=None)
        base = alt.Chart(frame)
        fill = alt.condition("datum.is_own", alt.value(BLUE), alt.value("white"))
        labels = [
            alt.Chart(pl.DataFrame([line], schema=["place", "label", "up", "own"], orient="row"))
            .mark_text(
                align="left", baseline="bottom", dy=-9 - _LINE * line[2], fontSize=12, color=INK,
                fontWeight=600 if line[3] else 400,
            )
            .encode(x=alt.XValue(0), y=y, text=alt.Text("label:N"))
            for line in lines
        ]  # fmt: skip
        return layer(
            *labels,
            base.mark_rule(color=BLUE, strokeWidth=2).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=y),
            base.mark_point(stroke=BLUE, strokeWidth=2, size=70, opacity=1).encode(x=x, y=y, fill=fill),
        ).sized(width=width, height=(_ROW + _LINE * most) * len(ordered))

    title = spoken(
        "Between {least} and {most} of courses end in dropout: it hangs on what counts as one",
        least=ordered[0][1].in_number, most=ordered[-1][1].in_number,
    )  # fmt: skip
    said = "; ".join(
        f"{label}: " + spoken("{number} ({interval})", number=e.in_number, interval=e.in_interval)
        for label, e, _ in ordered
    )
    data = pl.DataFrame(
        [(label, *e.drawn) for label, e, _ in ordered], schema=["definition", "share", "low", "high"], orient="row"
    )
    caption = spoken(
        "Lines: the range in which the true share probably lies. The filled mark is this study's own definition."
    )
    description = spoken("Share of courses that end in dropout, by definition: {shares}.", shares=said)
    return picture(chart, caption, description, title, data)
