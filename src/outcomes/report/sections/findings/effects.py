"""What more guidance goes with: within clients, between clients, between therapists, and from session to session."""

from __future__ import annotations

import duckdb

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.guidance.tables import GuidanceModel, GuidanceQuestion, SlopePart
from outcomes.disclosure import Teller
from outcomes.mixed import FitStatus
from outcomes.report.figures.curves import satisfaction_levels
from outcomes.report.page.blocks import Block, fold, headline, note, table
from outcomes.report.page.pieces import Direction, Form, Given, Kind, Piece, Told, Words, say
from outcomes.report.reading.quoted import quoted_effects
from outcomes.report.reading.rows import p_words, told
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName, StudySettings

_PARTS = {
    SlopePart.WITHIN: "The same client, in a session with one {unit} more guidance than usual",
    SlopePart.CLIENTS: "A client who usually gets one {unit} more than other clients of the same therapist",
    SlopePart.THERAPISTS: "A therapist who usually gives one {unit} more than other therapists",
}
_LAGS = {
    GuidanceQuestion.NEXT_SATISFACTION: "Satisfaction with the next session, after one {unit} more guidance in this "
    "one",
    GuidanceQuestion.NEXT_GUIDANCE: "Guidance in the next session, after this one was rated one {rated} better",
}
_CONTEXT = {
    SlopePart.CLIENTS_LESS_WITHIN: "Between clients, less the same client over sessions",
    SlopePart.THERAPISTS_LESS_WITHIN: "Between therapists, less the same client over sessions",
}
_HEADLINES = {
    Direction.MORE: "Clients were more satisfied with sessions that had more guidance than usual for them.",
    Direction.LESS: "Clients were less satisfied with sessions that had more guidance than usual for them.",
    Direction.UNCLEAR: "No clear link shows between more guidance than usual and satisfaction.",
    Direction.UNTOLD: "What more guidance than usual goes with could not be calculated.",
}
_SIMPLER = (
    "A part of the full model is estimated as zero here (therapists or clients do not differ in it), so a simpler "
    "model without that part is quoted."
)
_RELIABILITIES = ((0.8, "high"), (0.6, "moderate"), (0.0, "low"))


def _blocks(source: Source) -> tuple[Block, ...]:
    """Differences in satisfaction per point of guidance; table `guidance_effects`."""
    con, settings, teller = source.con, source.settings, source.teller
    found = quoted_effects(con)
    rows, everything = found.rows, found.everything
    unit, rated = (settings.unit(name).removesuffix("s") for name in ("directiveness", "satisfaction"))
    form = effect_form(rated)

    def lines(said: dict[str, str], key: str, chosen: list[dict]) -> list[tuple[Piece | Words, ...]]:
        by_name = {row[key]: told(row, teller, form) for row in chosen}
        return [(text.format(unit=unit, rated=rated), by_name[name]) for name, text in said.items() if name in by_name]

    slopes = lines(_PARTS, "part", [row for row in rows if row["question"] == GuidanceQuestion.SLOPE])
    difference = f"Difference in satisfaction, in {rated}s (interval)"
    return (
        headline(_HEADLINES[within_effect(con, settings, teller).direction]),
        *satisfaction_levels(con, settings, teller),
        table(("Compared", difference), slopes or [("All three", within_effect(con, settings, teller))]),
        *([note(_SIMPLER)] if found.is_simpler else []),
        note(
            "The three lines answer different questions and are kept apart. None of them shows a cause: a "
            "therapist may guide more because a client is doing badly, and a content client may rate everything "
            "higher."
        ),
        *_more(rows, everything, lines, difference, settings, teller, form),
    )


def effect_form(rated: str) -> Form:
    """How differences in satisfaction print."""
    return Form(is_signed=True, unit=f" {rated}s", up="higher", down="lower")


def within_effect(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> Told:
    """The effect within clients that the report quotes, or words in its place."""
    found = quoted_effects(con)
    rated = settings.unit("satisfaction").removesuffix("s")
    slopes = [row for row in found.rows if (row["question"], row["part"]) == (GuidanceQuestion.SLOPE, SlopePart.WITHIN)]
    return told((*slopes, *found.everything)[0], teller, effect_form(rated))


def _more(
    rows, everything, lines, difference: str, settings: StudySettings, teller: Teller, form: Form
) -> tuple[Block, ...]:
    """What stands beside the three effects: order in time, the models compared, the corrections."""
    folds: list[Block] = []
    if lags := lines(_LAGS, "question", rows):
        small = note(
            "Only these have an order in time. Effects of a hundredth of a point are within the error of the method."
        )
        folds.append(
            fold("From one session to the next", table(("Order in time", "Difference (interval)"), lags), small)
        )
    models: list[tuple[Piece | Words, ...]] = [
        (GuidanceModel(row["model"]), told(row, teller, form))
        for row in everything
        if row["question"] == GuidanceQuestion.SLOPE and row["part"] == SlopePart.WITHIN
    ]
    if models:
        folds.append(fold("The same client, by different models", table(("Levels of the model", difference), models)))
    context = lines(_CONTEXT, "part", [row for row in rows if row["question"] == GuidanceQuestion.CONTEXT])
    corrected = [row for row in rows if row["question"] == GuidanceQuestion.CORRECTED]
    context += [
        ("Between clients, corrected because a usual level rests on few sessions", told(row, teller, form))
        for row in corrected
    ]
    context += [
        ("The same client, corrected because coders of sessions err", told(row, teller, form))
        for row in rows
        if row["question"] == GuidanceQuestion.CODED
    ]
    if context:
        folds.append(fold("How the three differ", table(("Compared", difference), context), *_tested(rows, corrected)))
    return tuple(folds)


def _tested(rows: list[dict], corrected: list[dict]) -> tuple[Block, ...]:
    said: list[Block] = []
    joint = [r for r in rows if r["part"] == SlopePart.ONE_SLOPE and r["p_value"] is not None]
    if joint and FitStatus(joint[0]["status"]) is FitStatus.CONVERGED:
        sentence = "A test of whether all three are one and the same: {p} (small values speak against it)."
        said.append(note(say(sentence, p=Given(p_words(joint[0]["p_value"]), Kind.TEST))))
    if corrected and corrected[0]["mean_reliability"] is not None:
        name = next(name for least, name in _RELIABILITIES if corrected[0]["mean_reliability"] >= least)
        said.append(note(f"Clients' usual levels of guidance are known with {name} reliability."))
    return tuple(said)


SECTION = ReportSection(
    "effects", "Guidance and satisfaction", _blocks, AnalysisName.GUIDANCE, findings=(FindingName.MORE_SATISFACTION,)
)
