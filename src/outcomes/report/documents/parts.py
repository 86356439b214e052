"""Parts that several documents have."""

from __future__ import annotations

from outcomes.disclosure import Shown
from outcomes.languages import later, spoken, translated
from outcomes.report.page.pieces import Given, Piece, Strong, Words, say, words
from outcomes.report.reading.people import CLIENTS, SESSIONS, people_told
from outcomes.report.reading.reasons import reason_told
from outcomes.report.reading.rows import refusal
from outcomes.report.sections.opening.flow import therapists_in
from outcomes.report.sections.opening.seal import sentence_withheld
from outcomes.report.sections.report_section import Source
from outcomes.study.settings import AnalysisName

_ASKED = {
    AnalysisName.BALANCE: later("Guidance and satisfaction."),
    AnalysisName.GUIDANCE: later("Guidance and satisfaction."),
    AnalysisName.DROPOUT: later("Dropout."),
}


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
    """Why there are no answers, each reason once; of what, where it is not the reason for all of it."""
    found: dict[str, dict[str, None]] = {}
    for name, about in _ASKED.items():
        if piece := refusal(source.con, name, source.teller):
            found.setdefault(reason_told(piece.text), {})[translated(about)] = None
    whole = len({*_ASKED.values()})
    return tuple(
        words(Given(reason)) if len(about) == whole else Words((*map(Strong, about), " ", Given(reason)))
        for reason, about in found.items()
    )
