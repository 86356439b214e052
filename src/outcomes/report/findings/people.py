"""Findings on what people do and who they are: asking, clients who resist being led, therapists."""

from __future__ import annotations

from functools import partial

from outcomes.answers.balance.tables import REACTANCE, ReactanceGuidance, ReactanceQuantity
from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.common.words import Outcome
from outcomes.answers.connection.tables import EFFECTS, PathWords
from outcomes.answers.therapists.tables import VARIATION, TherapistOutcome, TherapistQuantity
from outcomes.languages import spoken
from outcomes.report.figures.spread import spread_picture
from outcomes.report.findings.finding import Finding, by_how_much, flipped, one_more, rating, units
from outcomes.report.findings.wording import Size, Subject, size
from outcomes.report.page.pieces import Estimate, Ranged, say
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.report_section import Source


def asking(source: Source) -> Finding | None:
    """Whether the next session lies nearer to the wish after one in which the therapist asked."""
    rated = rating(source.con, FindingName.ASKING)
    rows = answer_rows(source.con, EFFECTS, path=PathWords.ASKED_DISTANCE)
    effect = told(rows[0], source.teller) if rows else None
    if rated is None or not isinstance(effect, Estimate):
        return None
    about = Subject(
        spoken("Asking how the guidance feels"),
        spoken("asking how the guidance feels"),
        spoken("the fit of the next session"),
        spoken("guidance farther from the client's wish next time"),
        spoken("guidance nearer to the client's wish next time"),
    )
    unit, _ = units(source)
    moved, way = by_how_much(flipped(effect), spoken("nearer to"), spoken("farther from"))
    sentence = say(
        "After the therapist asked, guidance in the next session lay {moved} {unit} {way} the client's wish.",
        moved=moved, unit=unit, way=way,
    )  # fmt: skip
    easy = say(
        "Some therapists ask: how does my guidance feel to you? The next time, it was {moved} {unit} {way} what "
        "the person wants.", moved=moved, unit=unit, way=way,
    )  # fmt: skip
    what = size([effect])
    advice = spoken("Ask in the session how the guidance feels.") if what is Size.LESS else ""
    return Finding(FindingName.ASKING, rated, what, about, sentence, easy, "connection", advice)


def reactance(source: Source) -> Finding | None:
    """Whether more guidance goes with less where clients resist being led."""
    rated = rating(source.con, FindingName.REACTANCE)
    rows = answer_rows(source.con, REACTANCE, outcome=Outcome.SATISFACTION, guidance=ReactanceGuidance.WITHIN)
    found = {row["quantity"]: told(row, source.teller) for row in rows}
    wanted = (ReactanceQuantity.CHANGE, ReactanceQuantity.LOW, ReactanceQuantity.HIGH)
    change, low, high = (found.get(name) for name in wanted)
    if rated is None or not all(isinstance(one, Estimate) for one in (change, low, high)):
        return None
    about = Subject(
        spoken("Feeling pushed easily"),
        spoken("feeling pushed easily"),
        spoken("what guidance brings"),
        spoken("a larger gain from more guidance"),
        spoken("a smaller gain from more guidance"),
    )
    (small, down), (large, up) = (by_how_much(one, spoken("higher"), spoken("lower")) for one in (high, low))
    _, rated_in = units(source)
    sentence = say(
        "With {one} more guidance than usual, clients who seldom feel pushed rated the session {low} {rated} {up}; "
        "those who easily feel pushed, {high} {rated} {down}.",
        one=one_more(source), rated=rated_in, low=large, up=up, high=small, down=down,
    )  # fmt: skip
    easy = say(
        "Some people do not like to be told what to do. With more guidance than usual they rate the session {high} "
        "{rated} {down}. Other people rate it {low} {rated} {up}.",
        rated=rated_in, low=large, up=up, high=small, down=down,
    )  # fmt: skip
    return Finding(FindingName.REACTANCE, rated, size([change]), about, sentence, easy, "reactance")


def therapists(source: Source) -> Finding | None:
    """How far apart therapists are in their clients' satisfaction; nobody is named or ranked."""
    rated = rating(source.con, FindingName.THERAPISTS)
    rows = answer_rows(source.con, VARIATION, outcome=TherapistOutcome.SATISFACTION, quantity=TherapistQuantity.SPREAD)
    spread = told(rows[0], source.teller) if rows else None
    if rated is None or not isinstance(spread, Estimate):
        return None
    about = Subject(
        spoken("Which therapist a client sees"),
        spoken("which therapist a client sees"),
        spoken("satisfaction"),
        spoken("a difference in satisfaction"),
        spoken("a difference in satisfaction"),
    )
    _, rated_in = units(source)
    sentence = say(
        "Clients of a typical therapist are {spread} {rated} more or less satisfied than those of the average one.",
        spread=Ranged(spread),
        rated=rated_in,
    )
    easy = say(
        "It matters a bit whom you see: about {spread} {rated} up or down.", spread=Ranged(spread), rated=rated_in
    )
    draw = partial(spread_picture, spread, rated_in)
    return Finding(
        FindingName.THERAPISTS, rated, size([spread]), about, sentence, easy, "therapists", draw=draw
    )  # fmt: skip
