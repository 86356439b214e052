"""How therapists respond to the session before, and whether being nearer to the preference pays."""

from __future__ import annotations

from outcomes.answers.certainty.grounds import Release
from outcomes.answers.certainty.rule import Agreement
from outcomes.answers.responsiveness.tables import RESPONSES, After, ResponseQuantity
from outcomes.disclosure import Teller
from outcomes.report.page.blocks import Block, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import Direction, Form, Piece, Words
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

_SAYS = {
    Direction.MORE: "After a session that satisfied more, therapists guide more in the next one.",
    Direction.LESS: "After a session that satisfied more, therapists guide less in the next one.",
    Direction.UNCLEAR: "That therapists change guidance with how the last session satisfied is not shown.",
    Direction.UNTOLD: "These data cannot say whether therapists change guidance after a session.",
}
_ALLOWED_FOR = " The verdict on sessions allows for that."
_GUIDANCE = Form(is_signed=True, up="more guidance", down="less guidance")
_FORMS = {
    ResponseQuantity.SAME_SATISFACTION: Form(is_signed=True, up="higher", down="lower"),
    ResponseQuantity.NEXT_SATISFACTION: Form(is_signed=True, up="higher", down="lower"),
    ResponseQuantity.NEXT_MISFIT: Form(is_signed=True, up="farther", down="nearer"),
    ResponseQuantity.ALL: Form(),
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Responses, their spread between therapists, what a point nearer brings; table `responsiveness_effects`."""
    rows = [row for row in answer_rows(source.con, RESPONSES) if row["is_quoted"]]
    found = {(row["after"], row["quantity"]): row for row in rows}
    first = found[After.SATISFACTION, ResponseQuantity.NEXT_GUIDANCE]
    direction = told(first, source.teller, _GUIDANCE).direction
    return (
        headline(_SAYS[direction]),
        paragraph(
            "Why this is asked: where how a session went changes what the therapist does in the next, guidance and "
            "satisfaction go together without any effect of guidance."
            + (_ALLOWED_FOR if Release(source.con).responsiveness() is Agreement.SAME else "")
        ),
        table(
            ("Per point of", "Guidance in the next session, in points", "Typical difference of a therapist from that"),
            [_response(after, found, source.teller) for after in After if after is not After.TOWARD],
        ),
        heading("Does it pay to be nearer to what the client prefers?"),
        table(
            ("One point nearer", "Change (interval)"),
            [
                (row["quantity"].capitalize(), told(row, source.teller, _FORMS[ResponseQuantity(row["quantity"])]))
                for row in rows
                if row["after"] == After.TOWARD
            ],
        ),
        note(
            "What is usual for a client and a therapist is taken out. An association: something that happens between "
            "two sessions and moves both guidance and satisfaction cannot be seen."
        ),
    )


def _response(after: After, found: dict, teller: Teller) -> tuple[Piece | Words, ...]:
    """One line: the average response, and its spread."""
    average = found.get((after, ResponseQuantity.NEXT_GUIDANCE))
    spread = found.get((after, ResponseQuantity.SPREAD))
    return (
        after.capitalize(),
        told(average, teller, _GUIDANCE) if average else "",
        told(spread, teller, Form()) if spread else "",
    )


SECTION = ReportSection(
    "responsiveness", "How therapists respond to the session before", _blocks, AnalysisName.RESPONSIVENESS
)
