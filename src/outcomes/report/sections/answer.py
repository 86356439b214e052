"""The answer in a few sentences: sessions first, then clients, then dropout."""

from __future__ import annotations

import duckdb

from outcomes.report.page.blocks import Section, bullets
from outcomes.report.page.pieces import Given, Kind, Strong, Told, Unsaid, Words, say
from outcomes.report.reading.dropout import SO_FAR, TOLD_SESSIONS, declared, effects, guidance_levels, risks
from outcomes.report.reading.tables import refusal
from outcomes.report.reading.verdicts import judged
from outcomes.report.sections.effects import within_effect
from outcomes.report.sections.risks import dropout_headline, survival
from outcomes.study.settings import Disclosure, StudySettings

_NAMES = {
    ("satisfaction", "session"): "Satisfaction, session by session.",
    ("satisfaction", "client"): "Satisfaction, between clients.",
    ("dropout", "session"): "Dropout.",
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Verdicts, each with the number that says most, absolute risks where it is about people."""
    rule = settings.disclosure
    found = {(one.outcome, one.level): say(one.sentence) for one in judged(con)}
    refused = refusal(con, "balance", rule)
    items = []
    for at, name in _NAMES.items():
        verdict = found.get(at) or say("These data cannot give a verdict: {reason}", reason=refused or "")
        more = {"session": _within, "client": lambda *_: say("")}[at[1]] if at[0] == "satisfaction" else _risk
        items.append(Words((Strong(name), " ", *verdict.pieces, " ", *more(con, settings).pieces)))
    cause = (
        "{name} These are links between things that happened together. They do not show that more or less guidance is "
        "the cause of satisfaction or dropout."
    )
    items.append(say(cause, name=Strong("Keep in mind.")))
    return Section("short", "In short", (bullets(*items),))


def _within(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Words:
    """The effect within clients in units."""
    if refusal(con, "guidance", settings.disclosure):
        return say("")
    effect = within_effect(con, settings)
    unit = settings.scales["directiveness"].unit.removesuffix("s")
    if isinstance(effect, Unsaid):
        return say(
            "One {unit} more guidance than usual for a client, and satisfaction: {effect}.", unit=unit, effect=effect
        )
    sentence = "One {unit} more guidance than usual for a client went with a difference in satisfaction of {effect}."
    return say(sentence, unit=unit, effect=effect)


def _risk(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Words:
    """Absolute risks at little and much guidance, and whether the conclusion hangs on the definition."""
    rule = settings.disclosure
    if reason := refusal(con, "dropout", rule):
        if refusal(con, "balance", rule):  # said already
            return say("")
        return say("How often clients drop out with more or less guidance: {reason}", reason=reason)
    found = effects(con, SO_FAR, rule)
    return Words((dropout_headline(declared(found)), *_absolute(con, rule), *_hangs(survival(found))))


def _absolute(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> tuple:
    by_session, levels = risks(con, rule), guidance_levels(con)
    session = next((t for t in TOLD_SESSIONS if t in by_session), None)
    if session is None:
        return ()
    row: dict[str, Told] = by_session[session]
    sentence = (
        " By session {t}, with little guidance ({low_at}): {low} have dropped out; with much ({high_at}): {high}; the "
        "difference: {difference}."
    )
    return say(
        sentence,
        t=Given(str(session)),
        low_at=Given(f"{levels['low']:.1f}", Kind.PLACE),
        high_at=Given(f"{levels['high']:.1f}", Kind.PLACE),
        low=row["low"],
        high=row["high"],
        difference=row["high less low"],
    ).pieces


def _hangs(words: Words) -> tuple:
    return (" Does it depend on what counts as dropout? ", *words.pieces)
