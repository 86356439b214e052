"""The answer in a few sentences: sessions first, then clients, then dropout."""

from __future__ import annotations

import duckdb

from outcomes.answers.certainty.rule import Agreement, Ground
from outcomes.answers.certainty.tables import CERTAINTIES, FindingName
from outcomes.answers.common.words import Grain, HazardTerm, Outcome
from outcomes.answers.contrasts.tables import ContrastBy
from outcomes.answers.dropout.tables import TOLD_SESSIONS, GuidanceLevel
from outcomes.disclosure import Teller
from outcomes.report.page.blocks import Block, bullets
from outcomes.report.page.pieces import Given, Kind, Piece, Strong, Told, Unsaid, Words, say
from outcomes.report.reading.contrasts_rows import contrasts_dropout
from outcomes.report.reading.dropout_rows import declared, effects, guidance_levels, risks
from outcomes.report.reading.rows import answer_rows, refusal
from outcomes.report.reading.verdicts import judged
from outcomes.report.sections.findings.contrasts import contrast_sentence
from outcomes.report.sections.findings.effects import within_effect
from outcomes.report.sections.findings.risks import dropout_headline, survival
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName, StudySettings

_NAMES = {
    (Outcome.SATISFACTION, Grain.SESSION): "Satisfaction, session by session.",
    (Outcome.SATISFACTION, Grain.CLIENT): "Satisfaction, between clients.",
    (Outcome.DROPOUT, Grain.SESSION): "Dropout.",
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Verdicts, each with the number that says most, absolute risks where it is about people."""
    con, settings, teller = source.con, source.settings, source.teller
    found = {(one.outcome, one.level): say(one.sentence) for one in judged(con)}
    items = []
    for at, name in _NAMES.items():
        verdict = found.get(at) or say("These data cannot give a verdict: {reason}", reason=_reason(source, at[0]))
        more = _MORE[at](con, settings, teller) if at in _MORE else say("")
        items.append(Words((Strong(name), " ", *verdict.pieces, " ", *more.pieces)))
    cause = (
        "{name} These are links between things that happened together. They do not show that more or less guidance is "
        "the cause of satisfaction or dropout."
    )
    items.append(say(cause, name=Strong("Keep in mind.")))
    return (bullets(*items),)


def _reason(source: Source, outcome: Outcome) -> Given | str:
    """Why there is no verdict: what stands against this outcome before what stands against verdicts."""
    own = refusal(source.con, AnalysisName.DROPOUT, source.teller) if outcome is Outcome.DROPOUT else None
    return own or refusal(source.con, AnalysisName.BALANCE, source.teller) or ""


def _within(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> Words:
    """The effect within clients in units; nothing where the model that allows for responses does not find it."""
    rated = answer_rows(con, CERTAINTIES, finding=FindingName.MORE_SATISFACTION)
    is_explained = bool(rated) and rated[0][Ground.RESPONSIVENESS] == Agreement.ANOTHER
    if is_explained or refusal(con, AnalysisName.GUIDANCE, teller):
        return say("")
    effect = within_effect(con, settings, teller)
    unit = settings.unit("directiveness").removesuffix("s")
    if isinstance(effect, Unsaid):
        return say(
            "One {unit} more guidance than usual for a client, and satisfaction: {effect}.", unit=unit, effect=effect
        )
    sentence = "One {unit} more guidance than usual for a client went with a difference in satisfaction of {effect}."
    return say(sentence, unit=unit, effect=effect)


def _risk(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> Words:
    """Risks by distance from the preference, then by amount, and whether the conclusion hangs on the definition."""
    near = _distance(con, settings, teller)
    if reason := refusal(con, AnalysisName.DROPOUT, teller):
        if refusal(con, AnalysisName.BALANCE, teller):  # said already
            return Words(near)
        more = say("How often clients drop out with more or less guidance: {reason}", reason=reason)
        return Words((*near, *more.pieces))
    found = effects(con, HazardTerm.SO_FAR, teller)
    return Words((*near, dropout_headline(declared(found)), *_absolute(con, teller), *_hangs(survival(found))))


def _distance(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> tuple[Piece, ...]:
    """Of 100 clients, near to and far from what they prefer."""
    found = contrasts_dropout(con, ContrastBy.DISTANCE, teller)
    guidance = settings.scales.get("directiveness")
    if guidance is None:  # a study without ratings of guidance: nothing is near to or far from a wish
        return ()
    sentence = contrast_sentence(found, guidance.unit)
    return (*sentence.pieces, " ") if sentence.pieces else ()


def _absolute(con: duckdb.DuckDBPyConnection, teller: Teller) -> tuple:
    by_session, levels = risks(con, teller), guidance_levels(con)
    session = next((t for t in TOLD_SESSIONS if t in by_session), None)
    if session is None:
        return ()
    row: dict[GuidanceLevel, Told] = by_session[session]
    sentence = (
        " By session {t}, with little guidance ({low_at}): {low} have dropped out; with much ({high_at}): {high}; the "
        "difference: {difference}."
    )
    return say(
        sentence,
        t=Given(str(session)),
        low_at=Given(f"{levels[GuidanceLevel.LOW]:.1f}", Kind.PLACE),
        high_at=Given(f"{levels[GuidanceLevel.HIGH]:.1f}", Kind.PLACE),
        low=row[GuidanceLevel.LOW],
        high=row[GuidanceLevel.HIGH],
        difference=row[GuidanceLevel.DIFFERENCE],
    ).pieces


def _hangs(words: Words) -> tuple:
    return (" Does it depend on what counts as dropout? ", *words.pieces)


_MORE = {(Outcome.SATISFACTION, Grain.SESSION): _within, (Outcome.DROPOUT, Grain.SESSION): _risk}
"""What is said beside a verdict."""


SECTION = ReportSection("short", "In short", _blocks)
