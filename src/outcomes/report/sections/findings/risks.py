"""Guidance and dropout: absolute risks first, then the effect under every definition."""

from __future__ import annotations

import duckdb

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.common.words import HazardTerm, Reading
from outcomes.answers.dropout.tables import GuidanceLevel
from outcomes.disclosure import Teller
from outcomes.report.figures.dropout_charts import ForestRow, forest_picture, risk_picture
from outcomes.report.page.blocks import Block, fold, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import Direction, Estimate, Given, Kind, Piece, Strong, Words, say
from outcomes.report.reading.dropout_rows import (
    LEVELS,
    Effect,
    declared,
    effects,
    guidance_levels,
    risk_refusal,
    risks,
)
from outcomes.report.reading.plain_words import DEFINITIONS
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName, StudySettings

_HEADLINES = {
    Direction.MORE: "Clients with more guidance dropped out more often.",
    Direction.LESS: "Clients with more guidance dropped out less often.",
    Direction.UNCLEAR: "The amount of guidance alone shows no clear link with dropout.",
    Direction.UNTOLD: "Whether guidance and dropout go together cannot be estimated from these data.",
}
_CHANGES = {
    Direction.MORE: "After a session with more guidance than before, clients left more often",
    Direction.LESS: "After a session with more guidance than before, clients left less often",
    Direction.UNCLEAR: "After a session with more guidance than before, clients left neither clearly more nor less",
}
_WHO = {GuidanceLevel.LOW: "little", GuidanceLevel.AVERAGE: "average", GuidanceLevel.HIGH: "much"}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Risks by session and level of guidance, then odds ratios; tables `dropout_incidence`, `dropout_effects`."""
    con, settings, teller = source.con, source.settings, source.teller
    found = effects(con, HazardTerm.SO_FAR, teller)
    own = declared(found)
    unit = settings.unit("directiveness").removesuffix("s")
    return (
        headline(dropout_headline(own)),
        *_risks(con, settings, teller),
        heading("Does it depend on what counts as dropout?"),
        paragraph(survival(found)),
        *_definitions(found, unit),
        *_change(declared(effects(con, HazardTerm.CHANGE, teller)), unit),
        note("These are associations: they do not show that guidance makes clients leave or stay."),
    )


def dropout_headline(own: Effect | None) -> str:
    """What the interval of the study's own definition says."""
    return _HEADLINES[own.direction if own else Direction.UNTOLD]


def level_label(name: GuidanceLevel, levels: dict[GuidanceLevel, float]) -> Words:
    """ "little guidance (3.8)"."""
    at = Given(f"{levels[name]:.1f}", Kind.PLACE)
    return say("{who} guidance ({at})", who=_WHO[name], at=at)


def _risks(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> tuple[Block, ...]:
    by_session, levels = risks(con, teller), guidance_levels(con)
    if not by_session:
        why = risk_refusal(con, teller)
        return (paragraph(say("The risk by session: {why}.", why=why)),) if why else ()
    head = ("Dropped out by", *(level_label(name, levels) for name in LEVELS), "Much less little, in percentage points")
    lines: list[tuple[Piece | Words, ...]] = [
        (Given(f"session {t}"), *(row[name] for name in LEVELS), row[GuidanceLevel.DIFFERENCE])
        for t, row in by_session.items()
    ]
    scale = settings.scales["directiveness"]
    described = say(
        "Guidance is rated from {low} to {high}; little and much are one typical difference between clients below and "
        "above the average. Therapies that end as planned are taken into account.",
        low=Given(f"{scale.minimum:g}"),
        high=Given(f"{scale.maximum:g}"),
    )
    drawn = {
        f"{_WHO[name]} ({levels[name]:.1f})": {t: row[name] for t, row in by_session.items()}
        for name in reversed(LEVELS)
    }
    blocks: list[Block] = [table(head, lines), note(described)]
    if all(isinstance(risk, Estimate) for level in drawn.values() for risk in level.values()):
        caption = (
            "Share of clients who have dropped out by each session if guidance were little, average or much "
            "throughout. Upright lines: intervals. The marks stand side by side so that none "
            "hides another."
        )
        blocks.append(risk_picture(drawn, caption))
    return tuple(blocks)


def survival(found: tuple[Effect, ...]) -> Words:
    """Whether the conclusion is the same under every definition and for any unknown endings."""
    own = declared(found)
    if own is None or own.direction is Direction.UNTOLD:
        return say("Under the study's own definition there is no conclusion to compare with.")
    recorded = [e for e in found if e.reading is Reading.AS_RECORDED and e.direction is not Direction.UNTOLD]
    others = [DEFINITIONS[e.definition] for e in recorded if e.direction is not own.direction]
    untold = [e for e in found if e.reading is Reading.AS_RECORDED and e.direction is Direction.UNTOLD]
    unknown = [e for e in found if e.is_declared and e.direction not in (own.direction, Direction.UNTOLD)]
    gaps = " Under some definitions it could not be calculated (see the table)." if untold else ""
    if not others and not unknown:
        return say(f"No: it is the same under every definition that could be calculated.{gaps}")
    parts = [f"where a dropout is when {' or when '.join(others)}"] if others else []
    parts += ["if unknown endings are read another way"] if unknown else []
    return say(f"Yes: the conclusion is another one {' and '.join(parts)}.{gaps}")


def _definitions(found: tuple[Effect, ...], unit: str) -> tuple[Block, ...]:
    """A picture of the definitions as recorded; a table with the readings of unknown endings for the study's own."""
    recorded = [e for e in found if e.reading is Reading.AS_RECORDED]
    drawn = [
        ForestRow(
            DEFINITIONS[e.definition] + (" (this study)" if e.is_declared else ""),
            e.told,
            e.is_declared,
        )
        for e in recorded
        if isinstance(e.told, Estimate)
    ]
    lines: list[tuple[Piece | Words, ...]] = [(_label(e), e.told) for e in recorded]
    readings: list[tuple[Piece | Words, ...]] = [
        (e.reading, e.told) for e in found if e.is_declared and e.reading is not Reading.AS_RECORDED
    ]
    head = f"Odds of dropping out after a session, times, per {unit} of guidance (interval)"
    blocks: list[Block] = []
    if drawn:
        caption = (
            "Right of the dashed line: more guidance goes with more dropout; left of it: with less. Bars that cross it "
            "fit with no link. The filled mark is the study's own definition."
        )
        blocks.append(forest_picture(drawn, unit, caption))
    blocks.append(
        fold(
            "The picture in numbers, and other readings of unknown endings",
            table(("A client dropped out if ...", head), lines),
            table(("Endings that are not known, under the study's definition", head), readings),
        )
    )
    return tuple(blocks)


def _label(effect: Effect) -> Piece:
    words = DEFINITIONS[effect.definition]
    return Strong(f"{words} (this study)") if effect.is_declared else words


def _change(change: Effect | None, unit: str) -> tuple[Block, ...]:
    if change is None or change.direction is Direction.UNTOLD:
        return ()
    sentence = _CHANGES[change.direction] + f": per {unit}" + " the odds were {odds}."
    return (paragraph(say(sentence, odds=change.told)),)


SECTION = ReportSection(
    "risks", "Guidance and dropout", _blocks, AnalysisName.DROPOUT, findings=(FindingName.AMOUNT_DROPOUT,)
)
