"""Near to and far from what the client prefers: dropouts of 100 clients, and mean satisfaction."""

from __future__ import annotations

from dataclasses import replace

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.contrasts.tables import ContrastBy, ContrastLevel
from outcomes.answers.dropout.tables import TOLD_SESSIONS
from outcomes.report.page.blocks import Block, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import Direction, Estimate, Given, Kind, Piece, Words, say
from outcomes.report.reading.contrasts_rows import (
    ABOVE,
    BELOW,
    DISTANCES,
    LEVELS,
    Contrasts,
    contrasts_dropout,
    contrasts_satisfaction,
)
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

_SIDES = {
    (True, True): "where guidance was less, and where it was more, than the client prefers",
    (True, False): "where guidance was less than the client prefers",
    (False, True): "where guidance was more than the client prefers",
}
_UNTOLD = "These data cannot answer this for dropout."
_UNCLEAR = "Whether clients leave more often the further guidance is from what they prefer does not show in these data."
_AMOUNTS = {ContrastLevel.LOW: "little", ContrastLevel.MEDIUM: "medium", ContrastLevel.HIGH: "much"}
_TITLES = {
    ContrastBy.DISTANCE: "By distance from what the client prefers",
    ContrastBy.AMOUNT: "By amount of guidance, whatever the client prefers",
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Absolute numbers by distance, then by amount; tables `contrasts_dropout`, `contrasts_satisfaction`."""
    guidance = source.settings.scales.get("directiveness")
    unit = guidance.unit if guidance else ""
    blocks: list[Block] = []
    for by, title in _TITLES.items():
        risks = contrasts_dropout(source.con, by, source.teller)
        means = contrasts_satisfaction(source.con, by, source.teller)
        if by is ContrastBy.DISTANCE:
            blocks.append(headline(contrast_headline(risks)))
        blocks.append(heading(title))
        blocks += _dropouts(by, risks, unit)
        blocks += _means(by, means, unit)
    blocks.append(
        note(
            "What would be expected if guidance had been so for all clients of this study, all else as it was; clients "
            "for whom the scale ends before that distance are set to its end. Endings that are not known are left "
            "out. These are associations: nobody was assigned to any guidance."
        )
    )
    return tuple(blocks)


def told_session(found: Contrasts) -> int | None:
    """Of the sessions that risks are told for, the one of the short answer."""
    return next((t for t in TOLD_SESSIONS if t in found.sessions), None)


def contrast_headline(found: Contrasts) -> str:
    """What the differences from guidance as preferred say."""
    session = told_session(found)
    if session is None:
        return _UNTOLD
    sides = [found.direction(side, session) for side in (BELOW, ABOVE)]
    if all(side is Direction.UNTOLD for side in sides):
        return _UNTOLD
    for way, words in ((Direction.MORE, "more"), (Direction.LESS, "less")):
        if way in sides and not set(sides) & ({Direction.MORE, Direction.LESS} - {way}):
            return f"Clients left {words} often {_SIDES[sides[0] is way, sides[1] is way]}."
    return _UNCLEAR


def contrast_sentence(found: Contrasts, unit: str) -> Words:
    """Of 100 clients, how many drop out near to and far from their preference; empty where no number is told."""
    session = told_session(found)
    told = [(level, found.of(level, session)) for level in DISTANCES]
    numbers = [(level, risk) for level, risk in told if isinstance(risk, Estimate)]
    if not numbers:
        return say("")
    parts: list[Piece] = [
        "Of ", Given("100"), " clients, so many have dropped out by session ", Given(str(session)), ": ",
    ]  # fmt: skip
    for place, (level, risk) in enumerate(numbers):
        parts += ["; " if place else "", *_label(ContrastBy.DISTANCE, level, found, unit).pieces, ": ", risk]
    return Words((*parts, "."))


def _label(by: ContrastBy, level: ContrastLevel, found: Contrasts, unit: str) -> Words:
    """ "2 points too little", "as preferred", "little guidance (3)"."""
    at = Given(f"{abs(found.points[level]):g}", Kind.PLACE)
    if by is ContrastBy.AMOUNT:
        return say("{who} guidance ({at})", who=_AMOUNTS[level], at=at)
    if level is ContrastLevel.AT:
        return say("guidance as preferred")
    return say("{at} {unit} too {side}", at=at, unit=unit, side="little" if level in BELOW else "much")


def _dropouts(by: ContrastBy, found: Contrasts, unit: str) -> list[Block]:
    session = told_session(found)
    if session is None:
        return _why_not("Dropout: {why}.", found)
    sessions = found.sessions
    head: tuple[Piece | Words, ...] = (
        say("Of {n} clients, so many drop out", n=Given("100")),
        *(say("by session {t}", t=Given(str(t))) for t in sessions),
        say("by session {t}, against {reference}", t=Given(str(session)), reference=_reference(by)),
    )
    lines: list[tuple[Piece | Words, ...]] = [
        (
            _label(by, level, found, unit),
            *(found.of(level, t) or "" for t in sessions),
            found.difference(level, session) or "",
        )
        for level in LEVELS[by]
        if level in found.points
    ]
    return [table(head, lines)]


def _means(by: ContrastBy, found: Contrasts, unit: str) -> list[Block]:
    if not found.points:
        return _why_not("Satisfaction: {why}.", found)
    head = ("Satisfaction with a session", "mean", f"against {_reference(by)}")
    lines: list[tuple[Piece | Words, ...]] = [
        (_label(by, level, found, unit), found.of(level, None) or "", found.difference(level, None) or "")
        for level in LEVELS[by]
        if level in found.points
    ]
    return [table(head, lines)]


def _why_not(sentence: str, found: Contrasts) -> list[Block]:
    if found.refused is None:
        return []
    return [paragraph(say(sentence, why=replace(found.refused, reason=found.refused.reason.removesuffix("."))))]


def _reference(by: ContrastBy) -> str:
    return "guidance as preferred" if by is ContrastBy.DISTANCE else "medium guidance"


SECTION = ReportSection(
    "contrasts",
    "Near to and far from what the client prefers",
    _blocks,
    AnalysisName.CONTRASTS,
    findings=(FindingName.FIT_DROPOUT, FindingName.FIT_SATISFACTION),
)
