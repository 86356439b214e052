"""Paired icon arrays: a hundred people each, those to whom it happened filled.

Full denominators side by side help most where numbers come hard (Galesic, Garcia-Retamero & Gigerenzer 2009,
doi:10.1037/a0014474).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from outcomes.languages import spoken
from outcomes.report.figures.drawing import Drawing, above, beside, layer
from outcomes.report.figures.style import BLUE, EMPTY, INK, NARROW, QUIET, WIDE, picture
from outcomes.report.page.blocks import Picture
from outcomes.report.page.pieces import Estimate

ALL, A_ROW = 100, 10
_PERSON = (
    "M0 -0.95A0.4 0.4 0 1 1 0 -0.15A0.4 0.4 0 1 1 0 -0.95ZM-0.66 0.95L-0.66 0.3A0.66 0.42 0 0 1 0.66 0.3L0.66 0.95Z"
)
"""Head and shoulders, in a square from -1 to 1."""
_GAP = 22  # px between arrays
_SMALL = 116  # px of an array on a phone, beside which its label stands
_TALLEST = 160  # px of an array at a desk


@dataclass(frozen=True)
class Group:
    """One array: its label, the same inside a sentence, and of how many of a hundred it is said."""

    label: str
    inside: str
    risk: Estimate

    @property
    def number(self) -> int:
        """How many icons are filled."""
        return round(self.risk.value * ALL)

    @property
    def words(self) -> str:
        """What stands at the array: the number and its range."""
        return spoken("{number} ({interval})", number=self.risk.in_number, interval=self.risk.in_interval)


def icon_arrays(groups: Sequence[Group], session: str) -> Picture:
    """Draw how many of a hundred clients have left by a session, group by group; the title says it.

    Parameters
    ----------
    groups : sequence of Group
        Risks in clients of a hundred.
    session : str
        By when.
    """
    side = min(_TALLEST, (WIDE - _GAP * (len(groups) - 1)) // len(groups))

    def chart(width: int) -> Drawing:
        if width <= NARROW:
            return above(*(_beside(group) for group in groups), spacing=12)
        return beside(*(_array(group, side, group.label, group.words) for group in groups), spacing=_GAP)

    data = pl.DataFrame(
        [(group.label, *group.risk.drawn, ALL) for group in groups],
        schema=["guidance", "risk", "low", "high", "of"], orient="row",
    )  # fmt: skip
    short = ", ".join(f"{group.inside} {group.risk.in_number}" for group in groups)
    title = spoken("Leaving by session {t}, of {all} clients: {groups}", t=session, all=ALL, groups=short)
    said = "; ".join(
        spoken("{group}: {number} of {all}", group=group.inside, number=group.words, all=ALL) for group in groups
    )
    caption = spoken(
        "Each figure is one client; those that stand out have left. In brackets: where the true number probably lies."
    )
    description = spoken("Clients who leave by session {t}: {groups}.", t=session, groups=said)
    return picture(chart, caption, description, title, data)


def _array(group: Group, side: int, *title: str) -> alt.Chart:
    rows = [(i % A_ROW, i // A_ROW, i < group.number) for i in range(ALL)]
    frame = pl.DataFrame(rows, schema=["x", "y", "left"], orient="row")
    hidden = {"axis": None, "scale": alt.Scale(domain=[-0.5, A_ROW - 0.5], nice=False)}
    below = {"axis": None, "scale": alt.Scale(domain=[A_ROW - 0.5, -0.5], nice=False)}
    fill = alt.Color("left:N", scale=alt.Scale(domain=[True, False], range=[BLUE, EMPTY]), legend=None)
    marks = alt.Chart(frame).mark_point(shape=_PERSON, size=(side / A_ROW * 0.82) ** 2, filled=True, opacity=1)
    made = marks.encode(x=alt.X("x:Q", **hidden), y=alt.Y("y:Q", **below), color=fill)
    made = made.properties(width=side, height=side)
    if not title:
        return made
    name, *rest = title
    return made.properties(
        title=alt.TitleParams(
            name, subtitle=rest, anchor="start", fontSize=13, fontWeight=600, color=INK, subtitleFontSize=13,
            subtitleColor=QUIET, offset=6,
        )
    )  # fmt: skip


def _beside(group: Group) -> Drawing:
    """An array with its label at its right, for a phone."""
    lines = [(group.label, 0.35, INK), (group.words, 0.65, QUIET)]
    texts = [
        alt.Chart(pl.DataFrame({"text": [text], "y": [place]}))
        .mark_text(align="left", fontSize=13, fontWeight=600, color=colour)
        .encode(
            x=alt.XValue(0),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[1, 0], nice=False)),
            text=alt.Text("text:N"),
        )
        for text, place, colour in lines
    ]
    label = layer(*texts).sized(width=NARROW - _SMALL - 12, height=_SMALL)
    return beside(_array(group, _SMALL), label, spacing=12)
