"""The connection around guidance: alliance, feeling overwhelmed, asking for feedback, further outcomes."""

from __future__ import annotations

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.connection.tables import EFFECTS, ConnectionQuestion, PathWords, Timing, as_outcome, to_outcome
from outcomes.answers.guidance.tables import GuidanceQuestion, SlopePart
from outcomes.disclosure import Teller
from outcomes.report.page.blocks import Block, heading, note, paragraph, table
from outcomes.report.page.pieces import Form, Piece, Words
from outcomes.report.reading.plain_words import plain
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

FORM = Form(is_signed=True, up="higher", down="lower")
_TITLES = {
    ConnectionQuestion.ALLIANCE: "The working relationship",
    ConnectionQuestion.OVERWHELM: "Feeling overwhelmed",
    ConnectionQuestion.ASKING: "Asking the client how the guidance feels",
    ConnectionQuestion.MODERATOR: "Does asking matter more where guidance was far from what the client prefers?",
}
_INDIRECT = {
    ConnectionQuestion.ALLIANCE: "guidance to satisfaction, by way of the working relationship",
    ConnectionQuestion.OVERWHELM: "too much guidance to satisfaction, by way of feeling overwhelmed",
}
_TIMES = {Timing.SAME: "same session: no order in time", Timing.NEXT: "next session"}
_LEVELS = {
    f"{GuidanceQuestion.SLOPE} {part}": said
    for part, said in {
        SlopePart.WITHIN: "the same client, in a session with more guidance than usual",
        SlopePart.CLIENTS: "a client who usually gets more than other clients of the therapist",
        SlopePart.THERAPISTS: "a therapist who usually gives more than other therapists",
    }.items()
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Paths from guidance to satisfaction, effects of asking, further outcomes; table `connection_effects`."""
    con, teller = source.con, source.teller
    blocks: list[Block] = [
        paragraph(
            "Does the working relationship carry what guidance does? Does it help to ask? Only what is seen in the "
            "next session comes after what is seen in this one; rows of the same session have no order in time, and "
            "either may have come first."
        )
    ]
    rows = sorted(answer_rows(con, EFFECTS), key=_place)
    outcomes = {as_outcome(each.spoken): each.spoken for each in source.settings.further_outcomes}
    for question, title in (_TITLES | {question: name.capitalize() for question, name in outcomes.items()}).items():
        lines = [
            line
            for row in rows
            if row["question"] == question and (line := _line(row, teller, outcomes.get(question, "")))
        ]
        if lines:
            head = ("From what to what", "When", "Difference (interval)")
            blocks += [heading(title), table(head, lines, n_labels=2)]
    blocks.append(
        note(
            "Differences are in points, per point of what comes first (asking: yes rather than no). A way by which "
            "guidance may work is not shown to be one: something else may move both."
        )
    )
    return tuple(blocks)


def _place(row: dict) -> tuple[bool, bool, bool]:
    """Same session first; in it the way to the experience, from it, and both together."""
    is_second = row["path"] in (PathWords.FROM_ALLIANCE, PathWords.FROM_OVERWHELM)
    return Timing(row["timing"]) is not Timing.SAME, row["path"] == PathWords.INDIRECT, is_second


def _line(row: dict, teller: Teller, outcome: str) -> tuple[Piece | Words, ...] | None:
    """One row; differences of slopes and joint tests stay in the table of the release."""
    path = row["path"]
    if outcome:
        if path.startswith((GuidanceQuestion.CONTEXT, GuidanceQuestion.CORRECTED)):
            return None
        said = (_LEVELS | {to_outcome(outcome): to_outcome(outcome)})[path]
    else:
        said = _INDIRECT[row["question"]] if path == PathWords.INDIRECT else plain(PathWords(path))
    return (said, _TIMES[Timing(row["timing"])], told(row, teller, FORM))


SECTION = ReportSection(
    "connection",
    "Connection, feedback and empowerment",
    _blocks,
    AnalysisName.CONNECTION,
    findings=(FindingName.ASKING,),
)
