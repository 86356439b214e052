"""Parts that several documents have."""

from __future__ import annotations

from outcomes.disclosure import Shown
from outcomes.languages import later, spoken
from outcomes.report.page.pieces import Given, Piece, Words, say, words
from outcomes.report.reading.people import CLIENTS, SESSIONS, people_told
from outcomes.report.reading.reasons import reason_told
from outcomes.report.reading.rows import refusal
from outcomes.report.sections.opening.flow import therapists_in
from outcomes.report.sections.opening.seal import sentence_withheld
from outcomes.report.sections.report_section import Source
from outcomes.study.settings import AnalysisName

_ASKED = (AnalysisName.BALANCE, AnalysisName.GUIDANCE, AnalysisName.DROPOUT)


def who(source: Source) -> Words:
    """How many people the answers rest on, as far as disclosure lets it be told."""
    if sentence_withheld(source):
        return words(spoken("Who is in it is said once the plan is fixed: until then no rating is in the data."))
    told = people_told(source.con, source.settings.dropout.definition.value, source.teller)
    branch = told.branches[0]
    counts = (
        (later("{n} clients"), told.shown(branch.end(CLIENTS))),
        (later("{n} therapists"), therapists_in(branch, source.teller)),
        (later("{n} rated sessions"), told.shown(branch.end(SESSIONS))),
    )
    shown = [say(what, n=n) for what, n in counts if isinstance(n, Shown) and n.value is not None]
    pieces: list[Piece] = []
    for place, one in enumerate(shown):
        pieces += [", " if place else "", *one.pieces]
    hidden = len(shown) < len(counts)
    few = spoken("Small numbers are not shown, so that nobody can be recognised.") if hidden else ""
    return Words((*pieces, f". {few}".rstrip())) if shown else words(few)


def reasons(source: Source) -> tuple[Words, ...]:
    """Why there are no answers, each reason once."""
    found = [refusal(source.con, name, source.teller) for name in _ASKED]
    return tuple(words(Given(one)) for one in dict.fromkeys(reason_told(piece.text) for piece in found if piece))
