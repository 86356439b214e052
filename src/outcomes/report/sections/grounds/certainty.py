"""How sure each finding is: the state of every ground, and the rule that makes the word."""

from __future__ import annotations

from outcomes.answers.certainty.rule import MOST_TAKEN, TAKEN_AWAY, Ground
from outcomes.answers.certainty.tables import CERTAINTIES
from outcomes.answers.common.words import Certainty
from outcomes.report.page.blocks import Block, fold, note, paragraph, table
from outcomes.report.page.pieces import Given, Kind, Piece, Strong, Words
from outcomes.report.reading.rows import answer_rows
from outcomes.report.sections.report_section import ReportSection, Source

TITLES = {
    Ground.INTERVAL: "Interval or verdict",
    Ground.RECOVERY: "Simulated studies of this size",
    Ground.MISSING: "Other readings of missing ratings or endings",
    Ground.ANALYSES: "Other analyses or definitions",
    Ground.RESPONSIVENESS: "Therapists who respond",
    Ground.SEALING: "Specification",
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Table `certainties`, then the rule as it is in the code."""
    rows = answer_rows(source.con, CERTAINTIES)
    if not rows:
        return ()
    lines: list[tuple[Piece | Words, ...]] = [
        (row["finding"], *(row[ground] for ground in TITLES), Strong(row["certainty"])) for row in rows
    ]
    points: list[tuple[Piece | Words, ...]] = [
        (TITLES[ground], state, Given(str(taken), Kind.DECLARED))
        for ground, states in TAKEN_AWAY.items()
        for state, taken in states.items()
    ]
    words: list[tuple[Piece | Words, ...]] = [
        *((word, Given(str(most), Kind.DECLARED)) for word, most in MOST_TAKEN.items()),
        (Certainty.VERY_LOW, "more"),
    ]
    return (
        paragraph(
            "A rule makes the word, and nobody can choose it. A finding starts as high; each thing that is open takes "
            "points away. The word is about the link: no rule makes a cause of it."
        ),
        table(("Finding", *TITLES.values(), "Certainty"), lines, n_labels=len(TITLES) + 2),
        fold(
            "The rule",
            table(("What is looked at", "What is found", "Points taken away"), points, n_labels=2),
            table(("Certainty", "Most points that may be taken away"), words),
        ),
        note("Not tried: no such comparison is made for this finding. It counts as a doubt, not as agreement."),
    )


SECTION = ReportSection("certainty", "How sure each finding is, and why", _blocks)
