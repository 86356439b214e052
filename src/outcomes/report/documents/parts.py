"""Parts that several documents have."""

from __future__ import annotations

from outcomes.disclosure import Shown
from outcomes.report.page.pieces import Given, Piece, Words, say
from outcomes.report.reading.people import CLIENTS, SESSIONS, people_told
from outcomes.report.reading.rows import refusal
from outcomes.report.sections.opening.flow import therapists_in
from outcomes.report.sections.report_section import Source
from outcomes.study.settings import AnalysisName

_ASKED = (AnalysisName.BALANCE, AnalysisName.GUIDANCE, AnalysisName.DROPOUT)


def who(source: Source) -> Words:
    """How many people the answers rest on, as far as disclosure lets it be told."""
    told = people_told(source.con, source.settings.dropout.definition.value, source.teller)
    branch = told.branches[0]
    counts = (
        ("clients", told.shown(branch.end(CLIENTS))),
        ("therapists", therapists_in(branch, source.teller)),
        ("rated sessions", told.shown(branch.end(SESSIONS))),
    )
    shown = [(what, n) for what, n in counts if isinstance(n, Shown) and n.value is not None]
    pieces: list[Piece] = []
    for place, (what, n) in enumerate(shown):
        pieces += [", " if place else "", n, f" {what}"]
    hidden = len(shown) < len(counts)
    kept_back = " Small numbers are not shown, so that nobody can be recognised." if hidden else ""
    return Words((*pieces, f".{kept_back}")) if shown else say(kept_back.strip())


def reasons(source: Source) -> tuple[Words, ...]:
    """Why there are no answers, each reason once."""
    found = [refusal(source.con, name, source.teller) for name in _ASKED]
    return tuple(say("{why}", why=Given(one)) for one in dict.fromkeys(piece.text for piece in found if piece))
