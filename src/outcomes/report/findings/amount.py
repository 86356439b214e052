"""Findings on the amount of guidance: dropout with little and much, satisfaction with more than usual."""

from __future__ import annotations

from functools import partial

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.common.words import Cause
from outcomes.answers.dropout.tables import INCIDENCE, GuidanceLevel, told_session
from outcomes.answers.guidance.tables import GuidanceQuestion, SlopePart
from outcomes.answers.recovery.tables import EstimatorName
from outcomes.languages import as_written, spoken
from outcomes.report.figures.icons import Group, icon_arrays
from outcomes.report.findings.finding import Finding, by_how_much, one_more, rating, units, worth_finding
from outcomes.report.findings.wording import Subject, size
from outcomes.report.page.pieces import Estimate, Form, Given, Ranged, say
from outcomes.report.reading.contrasts_rows import OF_100
from outcomes.report.reading.quoted import quoted_effects
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.report_section import Source

_QUOTED = (GuidanceLevel.LOW, GuidanceLevel.HIGH, GuidanceLevel.DIFFERENCE)


def dropout_by_amount(source: Source) -> Finding | None:
    """Of a hundred clients, how many leave early with little and with much guidance."""
    con, rated = source.con, rating(source.con, FindingName.AMOUNT_DROPOUT)
    rows = answer_rows(con, INCIDENCE, cause=Cause.DROPOUT)
    session = told_session(rows)
    found = {
        GuidanceLevel(row["guidance"]): one
        for row in rows
        if row["session"] == session and isinstance(one := told(row, source.teller, OF_100), Estimate)
    }
    if rated is None or session is None or not set(_QUOTED) <= set(found):
        return None
    low, high, difference = (found[name] for name in _QUOTED)
    about = Subject(
        spoken("The amount of guidance alone"), spoken("the amount of guidance alone"), spoken("dropout"),
        spoken("more dropout"), spoken("less dropout"),
    )  # fmt: skip
    what = size([difference], worth_finding(con, EstimatorName.DROPOUT_RISK))
    sentence = say(
        "Of {all} clients with little guidance, {low} leave by session {t}. With much guidance, {high} do.",
        all=Given("100"), low=Ranged(low), t=Given(str(session)), high=Ranged(high),
    )  # fmt: skip
    easy = say(
        "Think of {all} people who get little guidance. {low} of them stop too soon. When they get much guidance, "
        "{high} do.", all=Given("100"), low=Ranged(low), high=Ranged(high),
    )  # fmt: skip
    little = Group(spoken("Little guidance"), spoken("little guidance"), low)
    much = Group(spoken("Much guidance"), spoken("much guidance"), high)
    draw = partial(icon_arrays, [little, much], str(session))
    return Finding(
        FindingName.AMOUNT_DROPOUT, rated, what, about, sentence, easy, "risks", draw=draw
    )  # fmt: skip


def satisfaction_with_more(source: Source) -> Finding | None:
    """What one point more guidance than usual goes with, in the same client."""
    rated = rating(source.con, FindingName.MORE_SATISFACTION)
    wanted = (GuidanceQuestion.SLOPE, SlopePart.WITHIN)
    rows = [row for row in quoted_effects(source.con).rows if (row["question"], row["part"]) == wanted]
    effect = told(rows[0], source.teller, Form()) if rows else None
    if rated is None or not isinstance(effect, Estimate):
        return None
    scale = source.settings.scales["satisfaction"]
    ends = {"low": Given(as_written(scale.minimum)), "high": Given(as_written(scale.maximum))}
    about = Subject(
        spoken("More guidance than usual"), spoken("more guidance than usual"), spoken("satisfaction"),
        spoken("more satisfaction"), spoken("less satisfaction"),
    )  # fmt: skip
    rose, way = by_how_much(effect, spoken("higher"), spoken("lower"))
    _, rated_in = units(source)
    sentence = say(
        "When a client got {one} more guidance than usual, the session was rated {effect} {rated} {way}, on the "
        "scale from {low} to {high}.", one=one_more(source), effect=rose, rated=rated_in, way=way, **ends,
    )  # fmt: skip
    easy = say(
        "Some days a person gets a bit more guidance than on other days. Then they rate the session {effect} {rated} "
        "{way}. The scale goes from {low} to {high}.", effect=rose, rated=rated_in, way=way, **ends,
    )  # fmt: skip
    return Finding(FindingName.MORE_SATISFACTION, rated, size([effect]), about, sentence, easy, "effects")
