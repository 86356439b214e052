"""How good the data are, as a small table: one row a kind of check."""

from __future__ import annotations

from outcomes.audit.results import Status
from outcomes.languages import count, later, spoken, translated
from outcomes.report.page.blocks import Block, note, table
from outcomes.report.page.pieces import Given, Piece, Words, say
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.grounds.quality import CARRIED_OUT, broken_in
from outcomes.report.sections.report_section import Source

_KINDS = {
    "conformance": later("Are values written as agreed?"),
    "completeness": later("Is it all there?"),
    "plausibility": later("Can it be true?"),
}
_NOT_COUNTED = {
    Status.NOT_APPLICABLE: later(
        "Checks that are not counted, because these data hold nothing for them to check: {n}."
    ),
    Status.ERROR: later("Checks that are not counted, because they could not be carried out: {n}."),
}


def quality(source: Source) -> tuple[Block, ...]:
    """Checks by kind, how many of them enough rows break, and how many did not apply; nothing without checks."""
    every = table_rows(source.con, "dq_results")
    if not every:
        return ()
    rows = [row for row in every if Status(row["status"]) in CARRIED_OUT]
    lines: list[tuple[Piece | Words, ...]] = []
    for kind in dict.fromkeys(row["category"] for row in rows):
        own = [row for row in rows if row["category"] == kind]
        broken = [row for row in own if broken_in(row, source.teller)]
        lines.append(
            (translated(_KINDS[kind]), Given(count(len(own))), Given(count(len(broken)) if broken else spoken("none")))
        )
    head = say("Broken in {least} rows or more", least=Given(str(source.teller.rule.minimum_count)))
    made = table((spoken("What was checked"), spoken("Checks"), head), lines)
    left = [
        note(say(sentence, n=Given(count(n))))
        for status, sentence in _NOT_COUNTED.items()
        if (n := sum(Status(row["status"]) is status for row in every))
    ]
    return made, *left
