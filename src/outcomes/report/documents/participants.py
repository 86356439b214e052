"""Who is in it: where clients went, and how many drop out under each definition."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.answers.dropout.tables import RATES
from outcomes.disclosure import Shown
from outcomes.languages import later, spoken, translated
from outcomes.report.figures.pathway import Stage, pathway_picture
from outcomes.report.figures.shares import share_picture
from outcomes.report.page.blocks import Block, paragraph
from outcomes.report.page.pieces import Estimate, Ranged, say
from outcomes.report.page.spans import shown_text
from outcomes.report.reading.contrasts_rows import OF_100
from outcomes.report.reading.people import CLIENTS, people_told
from outcomes.report.reading.plain_words import DEFINITIONS, ENDINGS
from outcomes.report.reading.rows import answer_rows, refusal
from outcomes.report.sections.findings.dropout import share_of
from outcomes.report.sections.opening.flow import has_endings
from outcomes.report.sections.report_section import Source
from outcomes.study.settings import AnalysisName, DropoutDefinition

_ENDED = (
    (later("Courses of therapy: dropped out"), later("courses of therapy: dropped out")),
    (later("Courses of therapy: ended as planned"), later("courses of therapy: ended as planned")),
    (later("Courses of therapy: ended for another reason"), later("courses of therapy: ended for another reason")),
    (later("Courses of therapy: ending not known"), later("courses of therapy: ending not known")),
)
"""By ending, in the order of `ENDINGS`: as a label, and inside a sentence."""


def participants(source: Source) -> tuple[Block, ...]:
    """The pathway, then the share of dropout and how it hangs on the definition."""
    told = people_told(source.con, source.settings.dropout.definition.value, source.teller)
    branch = told.branches[0]
    at_start = told.shown(branch.start(CLIENTS))
    stages = []
    if isinstance(at_start, Shown):
        stages.append(Stage(spoken("Clients in the data"), spoken("clients in the data"), at_start))
    if isinstance(rated := told.shown(branch.end(CLIENTS)), Shown):
        stages.append(Stage(spoken("Clients with rated sessions"), spoken("clients with rated sessions"), rated))
    if has_endings(source):
        for name, labels in zip(ENDINGS, _ENDED, strict=True):
            if isinstance(courses := told.shown(name), Shown):
                stages.append(Stage(*map(translated, labels), courses, is_part=True))
    drawn = pathway_picture(stages, _title(stages)) if len(stages) > 1 else None
    blocks: list[Block] = [drawn] if drawn else []
    return (*blocks, *_dropout(source, is_counted=any(stage.is_part for stage in stages)))


def _title(stages: Sequence[Stage]) -> str:
    """The pathway in a line, as far as it may be told."""
    rated = [
        spoken("{n} clients", n=shown_text(stage.clients))
        for stage in stages
        if not stage.is_part and stage.clients.value
    ][-1:]
    left = [
        spoken("{n} courses were broken off", n=shown_text(stage.clients))
        for stage in stages
        if stage.is_part and stage.clients.value and stage.label == translated(_ENDED[0][0])
    ]
    return "; ".join([*rated, *left]) or spoken("How many clients came is not shown")


def shares_by_definition(source: Source) -> list[tuple[str, Estimate, bool]]:
    """Return the share of dropout by definition: its words, the share, whether it is the study's own."""
    if refusal(source.con, AnalysisName.DROPOUT, source.teller):
        return []
    told = people_told(source.con, source.settings.dropout.definition.value, source.teller)
    rates = [(row, share_of(row, told, source.teller)) for row in answer_rows(source.con, RATES)]
    return [
        (translated(DEFINITIONS[DropoutDefinition(row["definition"])]), one, row["is_declared"])
        for row, one in rates
        if isinstance(one, Estimate)
    ]


def _dropout(source: Source, is_counted: bool) -> tuple[Block, ...]:
    """Shares of dropout; where there are none, that it cannot be said, unless the pathway just counted it."""
    if refusal(source.con, AnalysisName.DROPOUT, source.teller):
        return (
            () if is_counted else (paragraph(spoken("How many clients dropped out cannot be said from these data.")),)
        )
    shares = shares_by_definition(source)
    own = next((one for _, one, is_own in shares if is_own), None)
    blocks: list[Block] = []
    if own:
        number = Ranged(Estimate(own.value, own.low, own.high, own.state, OF_100))
        blocks.append(paragraph(say("Of every hundred courses that ended, {n} were broken off.", n=number)))
    if len(shares) > 1:
        blocks.append(share_picture(shares))
    return tuple(blocks)
