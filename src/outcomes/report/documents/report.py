"""The report for clinicians and leads: each finding a heading, its numbers and its picture; then limits and doubts."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.languages import as_written, later, spoken, translated
from outcomes.report.documents.brief import NOTHING
from outcomes.report.documents.pages import page_with
from outcomes.report.documents.participants import participants
from outcomes.report.documents.parts import reasons, who
from outcomes.report.documents.quality import quality
from outcomes.report.documents.since import since_last
from outcomes.report.documents.trust import doubts, limits, open_grounds, strengths
from outcomes.report.findings.finding import Finding
from outcomes.report.findings.wording import SURE
from outcomes.report.page.blocks import Block, Page, Section, bullets, note, paragraph
from outcomes.report.page.pieces import Given, Link, Piece, Strong, Words, say
from outcomes.report.reading.plain_words import DEFINITIONS
from outcomes.report.reading.stand_ins import GUIDANCE, SATISFACTION, stands_for
from outcomes.report.sections.opening import seal
from outcomes.report.sections.opening.flow import has_endings
from outcomes.report.sections.report_section import Source
from outcomes.study.tables.delivery import Document
from outcomes.study.tables.scales import Rater, Scale

_QUESTION = {
    Rater.CLIENT: later(
        "Guidance is how much the therapist leads: gives direction, structure and advice. The client rates it from "
        "{low} to {high}."
    ),
    Rater.THERAPIST: later(
        "Guidance is how much the therapist leads: gives direction, structure and advice. The therapist rates it from "
        "{low} to {high}."
    ),
    Rater.OBSERVER: later(
        "Guidance is how much the therapist leads: gives direction, structure and advice. The observer rates it from "
        "{low} to {high}."
    ),
}
_RATING = {
    Rater.CLIENT: later("The client rates from {low} to {high} how satisfying the session was."),
    Rater.THERAPIST: later("The therapist rates from {low} to {high} how satisfying the session was."),
    Rater.OBSERVER: later("The observer rates from {low} to {high} how satisfying the session was."),
}


def report(source: Source, found: Sequence[Finding]) -> Page:
    """Return the report."""
    told, untold = ([one for one in found if one.is_told is wanted] for wanted in (True, False))
    sections = (
        seal.SECTION.made(source),
        Section("question", spoken("What was asked, and of whom"), _question(source)),
        *(_finding(one) for one in told),
        Section("untold", spoken("What these data do not tell"), _untold(source, untold, bool(told))),
        Section("people", spoken("Who is in it, and who dropped out"), participants(source)),
        Section("quality", spoken("How good the data are"), quality(source)),
        Section("trust", spoken("Strengths and limits"), (
            *_list(spoken("Strengths."), strengths(source) if told else ()), *_list(spoken("Limits."), limits(source)),
        )),
        Section("since", spoken("What changed since the last report"), since_last(source, found)),
        Section("doubts", spoken("What would change our mind"), _doubts(told)),
    )  # fmt: skip
    return page_with(source, Document.REPORT, translated(source.settings.report.audience), sections)


def _question(source: Source) -> tuple[Block, ...]:
    settings = source.settings
    said: list[Piece] = []
    for name, meanings in ((GUIDANCE, _QUESTION), (SATISFACTION, _RATING)):
        if (scale := settings.scales.get(name)) and not stands_for(settings, name):  # else the head of the page says it
            said += (" ", *say(meanings[scale.rater], **_ends(scale)).pieces)
    if has_endings(source):
        dropout = translated(DEFINITIONS[settings.dropout.definition])
        said += (" ", *say("A client dropped out if {dropout}.", dropout=dropout).pieces)
    words = [paragraph(Words((Strong(spoken("The words.")), *said)))] if said else []
    people = Words((Strong(spoken("The people.")), " ", *who(source).pieces))
    ranges = say(
        "{name} A number in brackets is a range: the true number probably lies in it. How sure a finding is, a rule "
        "decides: high, moderate, low or very low. {rule}",
        name=Strong(spoken("The numbers.")),
        rule=Link(spoken("The annex has the rule."), f"{Document.ANNEX}.html#certainty"),
    )  # fmt: skip
    return (paragraph(people), *words, paragraph(ranges))


def _ends(scale: Scale) -> dict[str, Piece]:
    return {"low": Given(as_written(scale.minimum)), "high": Given(as_written(scale.maximum))}


def _finding(one: Finding) -> Section:
    """A finding under its own heading, with what is open about it and the way to its evidence."""
    evidence = Link(spoken("Evidence in the annex"), f"{Document.ANNEX}.html#{one.evidence}")
    sure = Words((Strong(translated(SURE[one.certainty])), " ", _open(one), evidence))
    blocks: tuple[Block, ...] = (paragraph(one.sentence), *((one.picture,) if one.picture else ()), note(sure))
    return Section(f"finding-{one.name.name.lower().replace('_', '-')}", one.heading, blocks)


def _open(one: Finding) -> str:
    doubts_of = open_grounds(one)
    return spoken("Open: {doubts}.", doubts="; ".join(doubts_of)) + " " if doubts_of else ""


def _untold(source: Source, found: Sequence[Finding], are_others: bool) -> tuple[Block, ...]:
    if found:
        return (bullets(*(Words((Strong(f"{one.heading}."), " ", *one.sentence.pieces)) for one in found)),)
    why = reasons(source)
    if why and not are_others:
        return (paragraph(translated(NOTHING)), bullets(*why))
    return (bullets(*why),) if why else ()


def _list(title: str, items: Sequence[str]) -> tuple[Block, ...]:
    return (paragraph(Strong(title)), bullets(*items)) if items else ()


def _doubts(told: Sequence[Finding]) -> tuple[Block, ...]:
    said = doubts(told)
    return (bullets(*said),) if said else ()
