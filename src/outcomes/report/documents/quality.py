"""How good the data are, as a small table: one row a kind of check."""

from __future__ import annotations

from outcomes.languages import count, later, spoken, translated
from outcomes.report.page.blocks import Block, table
from outcomes.report.page.pieces import Given, Piece, Words, say
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.grounds.quality import broken_in
from outcomes.report.sections.report_section import Source

_KINDS = {
    "conformance": later("Are values written as agreed?"),
    "completeness": later("Is it all there?"),
    "plausibility": later("Can it be true?"),
}


def quality(source: Source) -> tuple[Block, ...]:
    """Checks by kind, and how many of them enough rows break; nothing without checks."""
    rows = table_rows(source.con, "dq_results")
    if not rows:
        return ()
    lines: list[tuple[Piece | Words, ...]] = []
    for kind in dict.fromkeys(row["category"] for row in rows):
        own = [row for row in rows if row["category"] == kind]
        broken = [row for row in own if broken_in(row, source.teller)]
        lines.append(
            (translated(_KINDS[kind]), Given(count(len(own))), Given(count(len(broken)) if broken else spoken("none")))
        )
    head = say("Broken in {least} rows or more", least=Given(str(source.teller.rule.minimum_count)))
    return (table((spoken("What was checked"), spoken("Checks"), head), lines),)
