"""For whom: guidance for clients who resist being led, and for those who do not."""

from __future__ import annotations

from outcomes.answers.balance.reactance import SIMPLE
from outcomes.answers.balance.tables import REACTANCE, ReactanceGuidance, ReactanceQuantity
from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.common.words import Outcome
from outcomes.report.page.blocks import Block, headline, note, paragraph, table
from outcomes.report.page.pieces import Direction, Form, Piece, Words
from outcomes.report.reading.plain_words import plain
from outcomes.report.reading.rows import answer_rows, refusal, told
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

_FORMS = {
    Outcome.SATISFACTION: Form(is_signed=True, up="higher", down="lower"),
    Outcome.DROPOUT: Form(is_log=True, up="more dropout", down="less dropout"),
}
_SAYS = {
    Direction.MORE: "More guidance than usual goes with more added satisfaction the more a client resists being led.",
    Direction.LESS: "More guidance than usual goes with less added satisfaction the more a client resists being led.",
    Direction.UNCLEAR: "Whether guidance goes down differently with clients who resist being led is not shown.",
    Direction.UNTOLD: "These data cannot answer this for satisfaction.",
}
_HEADS = {
    Outcome.SATISFACTION: "Satisfaction (points) where reactance is",
    Outcome.DROPOUT: "Odds of dropping out (times) where reactance is",
}
_LEVELS = ("low", "average", "high")  # of SIMPLE, in its order


def _blocks(source: Source) -> tuple[Block, ...]:
    """Simple slopes of guidance at low, average and high reactance; table `reactance_effects`."""
    con, teller = source.con, source.teller
    rows = answer_rows(con, REACTANCE)
    if refusal(con, AnalysisName.BALANCE, teller) or not rows:
        return ()
    found = {(row["outcome"], row["guidance"], row["quantity"]): row for row in rows}
    change = found.get((Outcome.SATISFACTION, ReactanceGuidance.WITHIN, ReactanceQuantity.CHANGE), rows[0])
    blocks: list[Block] = [
        headline(_SAYS[told(change, teller, _FORMS[Outcome.SATISFACTION]).direction]),
        paragraph("Reactance is how much a person bristles at being told what to do, asked before therapy began."),
    ]
    for outcome, form in _FORMS.items():
        own = [row for row in rows if row["outcome"] == outcome]
        lines: list[tuple[Piece | Words, ...]] = [
            (
                plain(guidance.removesuffix(", per point")),
                *(told(found[outcome, guidance, name], teller, form) for name in (*SIMPLE, ReactanceQuantity.CHANGE)),
            )
            for guidance in dict.fromkeys(row["guidance"] for row in own if row["quantity"] == ReactanceQuantity.CHANGE)
        ]
        if lines:
            blocks.append(table((_HEADS[outcome], *_LEVELS, "change per point of reactance"), lines))
        elif own:
            blocks.append(table(("For", "Result"), [(outcome, told(own[0], teller, form))]))
    blocks.append(
        note(
            "Per point of guidance. Low and high: one standard deviation below and above the average client. An "
            "association: nobody was assigned to more or less guidance."
        )
    )
    return tuple(blocks)


SECTION = ReportSection(
    "reactance", "For whom: clients who resist being led", _blocks, findings=(FindingName.REACTANCE,)
)
