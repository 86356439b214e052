"""For whom: guidance for clients who resist being led, and for those who do not."""

from __future__ import annotations

import duckdb

from outcomes.answers.balance.reactance import INTERACTION, SIMPLE, TABLE, WITHIN
from outcomes.report.page.blocks import Block, Section, headline, note, paragraph, table
from outcomes.report.page.pieces import Direction, Form, Piece, Words
from outcomes.report.reading.tables import refusal, table_rows, told
from outcomes.report.reading.words import plain
from outcomes.report.sections.dropout import CANNOT
from outcomes.study.settings import StudySettings

NAME, TITLE = "reactance", "For whom: clients who resist being led"
_FORMS = {
    "satisfaction": Form(is_signed=True, up="higher", down="lower"),
    "dropout": Form(is_log=True, up="more dropout", down="less dropout"),
}
_SAYS = {
    Direction.MORE: "More guidance than usual goes with more added satisfaction the more a client resists being led.",
    Direction.LESS: "More guidance than usual goes with less added satisfaction the more a client resists being led.",
    Direction.UNCLEAR: "Whether guidance goes down differently with clients who resist being led is not shown.",
    Direction.UNTOLD: CANNOT,
}
_HEADS = {
    "satisfaction": "Difference in satisfaction, in points, where reactance is",
    "dropout": "Odds of dropping out, times, where reactance is",
}
_LEVELS = ("low", "average", "high")


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section | None:
    """Simple slopes of guidance at low, average and high reactance; table `reactance_effects`."""
    rows = table_rows(con, TABLE)
    if refusal(con, "balance", settings.disclosure) or not rows:
        return None
    found = {(row["outcome"], row["guidance"], row["quantity"]): row for row in rows}
    change = found.get(("satisfaction", WITHIN, INTERACTION), rows[0])
    blocks: list[Block] = [
        headline(_SAYS[told(change, settings.disclosure, _FORMS["satisfaction"]).direction]),
        paragraph("Reactance is how much a person bristles at being told what to do, asked before therapy began."),
    ]
    for outcome, form in _FORMS.items():
        own = [row for row in rows if row["outcome"] == outcome]
        lines: list[tuple[Piece | Words, ...]] = [
            (
                plain(guidance.removesuffix(", per point")),
                *(told(found[outcome, guidance, name], settings.disclosure, form) for name in (*SIMPLE, INTERACTION)),
            )
            for guidance in dict.fromkeys(row["guidance"] for row in own if row["quantity"] == INTERACTION)
        ]
        if lines:
            blocks.append(table((_HEADS[outcome], *_LEVELS, "change per point of reactance"), lines))
        elif own:
            blocks.append(table(("For", "Result"), [(outcome, told(own[0], settings.disclosure, form))]))
    blocks.append(
        note(
            "Per point of guidance. Low and high: one standard deviation below and above the average client. An "
            "association: nobody was assigned to more or less guidance."
        )
    )
    return Section(NAME, TITLE, tuple(blocks))
