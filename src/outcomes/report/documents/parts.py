"""Parts that several documents have."""

from __future__ import annotations

from outcomes.report.page.pieces import Given, Words, say
from outcomes.report.reading.people import CLIENTS, SESSIONS, people_told
from outcomes.report.reading.rows import refusal
from outcomes.report.sections.opening.flow import therapists_in
from outcomes.report.sections.report_section import Source
from outcomes.study.settings import AnalysisName

_ASKED = (AnalysisName.BALANCE, AnalysisName.GUIDANCE, AnalysisName.DROPOUT)


def who(source: Source) -> Words:
    """How many people the answers rest on, as disclosure lets it be told."""
    told = people_told(source.con, source.settings.dropout.definition.value, source.teller)
    branch = told.branches[0]
    return say(
        "{clients} clients with {therapists} therapists, in {sessions} rated sessions.",
        clients=told.shown(branch.end(CLIENTS)) or "not known",
        sessions=told.shown(branch.end(SESSIONS)) or "not known",
        therapists=therapists_in(branch, source.teller),
    )


def reasons(source: Source) -> tuple[Words, ...]:
    """Why there are no answers, each reason once."""
    found = [refusal(source.con, name, source.teller) for name in _ASKED]
    return tuple(say("{why}", why=Given(one)) for one in dict.fromkeys(piece.text for piece in found if piece))
