"""The report for clinicians and leads: each finding a heading, its numbers and its picture; then limits and doubts."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.report.documents.pages import page_with
from outcomes.report.documents.participants import participants
from outcomes.report.documents.parts import reasons, who
from outcomes.report.documents.quality import quality
from outcomes.report.documents.since import since_last
from outcomes.report.documents.trust import doubts, limits, open_grounds, strengths
from outcomes.report.findings.finding import Finding
from outcomes.report.page.blocks import Block, Page, Section, bullets, note, paragraph
from outcomes.report.page.pieces import Given, Link, Piece, Strong, Words, say
from outcomes.report.reading.plain_words import DEFINITIONS
from outcomes.report.sections.opening import seal
from outcomes.report.sections.report_section import Source
from outcomes.study.tables.delivery import Document

_UNTOLD = "What these data do not tell"


def report(source: Source, found: Sequence[Finding]) -> Page:
    """Return the report."""
    told = [one for one in found if one.is_told]
    sections = (
        seal.SECTION.made(source),
        Section("question", "What was asked, and of whom", _question(source)),
        *(_finding(one) for one in told),
        Section("untold", _UNTOLD, _untold(source, [one for one in found if not one.is_told], bool(told))),
        Section("people", "Who is in it, and who dropped out", participants(source)),
        Section("quality", "How good the data are", quality(source)),
        Section("trust", "Strengths and limits", (
            *_list("Strengths", strengths(source) if told else ()), *_list("Limits", limits(source)),
        )),
        Section("since", "What changed since the last report", since_last(source, found)),
        Section("doubts", "What would change our mind", _doubts(told)),
    )  # fmt: skip
    return page_with(source, Document.REPORT, source.settings.report.audience, sections)


def _question(source: Source) -> tuple[Block, ...]:
    settings = source.settings
    guidance, rating = settings.scales.get("directiveness"), settings.scales.get("satisfaction")
    rated: list[Piece] = []
    if guidance is not None:
        rated += say(
            " Guidance is how much the therapist leads: gives direction, structure and advice. The {by} rates it from "
            "{low} to {high}.",
            by=Given(str(guidance.rater)), low=Given(f"{guidance.minimum:g}"), high=Given(f"{guidance.maximum:g}"),
        ).pieces  # fmt: skip
    if rating is not None:
        rated += say(
            " The {by} rates from {low} to {high} how satisfying the session was.",
            by=Given(str(rating.rater)), low=Given(f"{rating.minimum:g}"), high=Given(f"{rating.maximum:g}"),
        ).pieces  # fmt: skip
    dropped = say(" A client dropped out if {dropout}.", dropout=DEFINITIONS[settings.dropout.definition])
    words = Words((Strong("The words."), *rated, *dropped.pieces))
    people = Words((Strong("The people."), " ", *who(source).pieces))
    ranges = say(
        "{name} A number in brackets is a range: the true number probably lies in it. How sure a finding is, a rule "
        "decides: high, moderate, low or very low. {rule}",
        name=Strong("The numbers."), rule=Link("The annex has the rule.", f"{Document.ANNEX}.html#certainty"),
    )  # fmt: skip
    return (paragraph(people), paragraph(words), paragraph(ranges))


def _finding(one: Finding) -> Section:
    """A finding under its own heading, with what is open about it and the way to its evidence."""
    sure = say(
        "{sure} {open}{evidence}",
        sure=Strong(f"Certainty: {one.certainty}."),
        open=_open(one),
        evidence=Link("Evidence in the annex", f"{Document.ANNEX}.html#{one.evidence}"),
    )
    blocks: tuple[Block, ...] = (paragraph(one.sentence), *((one.picture,) if one.picture else ()), note(sure))
    return Section(f"finding-{one.name.name.lower().replace('_', '-')}", one.heading, blocks)


def _open(one: Finding) -> str:
    doubts_of = open_grounds(one)
    return f"Open: {'; '.join(doubts_of)}. " if doubts_of else ""


def _untold(source: Source, found: Sequence[Finding], are_others: bool) -> tuple[Block, ...]:
    if found:
        return (bullets(*(Words((Strong(f"{one.heading}."), " ", *one.sentence.pieces)) for one in found)),)
    why = reasons(source)
    if why and not are_others:
        return (paragraph("These data do not answer the question yet."), bullets(*why))
    return (bullets(*why),) if why else ()


def _list(title: str, items: Sequence[str]) -> tuple[Block, ...]:
    return (paragraph(Strong(f"{title}.")), bullets(*items)) if items else ()


def _doubts(told: Sequence[Finding]) -> tuple[Block, ...]:
    said = doubts(told)
    return (bullets(*said),) if said else ()
