"""The connection around guidance: alliance, feeling overwhelmed, asking for feedback, further outcomes."""

from __future__ import annotations

import duckdb

from outcomes.answers.connection.run import outcome_question
from outcomes.report.page.blocks import Block, Section, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import Form, Piece, Words
from outcomes.report.reading.tables import refusal, table_rows, told
from outcomes.report.reading.words import plain
from outcomes.report.sections.dropout import CANNOT
from outcomes.study.settings import Disclosure, StudySettings

NAME, TITLE = "connection", "Connection, feedback and empowerment"
FORM = Form(is_signed=True, up="higher", down="lower")
_TITLES = {
    "alliance as the path": "The working relationship",
    "feeling overwhelmed as the path": "Feeling overwhelmed",
    "asking about the guidance": "Asking the client how the guidance feels",
    "asking as moderator": "Does asking matter more where guidance was far from what the client prefers?",
}
_INDIRECT = {
    "alliance as the path": "guidance to satisfaction, by way of the working relationship",
    "feeling overwhelmed as the path": "too much guidance to satisfaction, by way of feeling overwhelmed",
}
_TIMES = {"same session": "same session: no order in time", "next session": "next session"}
_LEVELS = {
    "slope within client": "the same client, in a session with more guidance than usual",
    "slope between clients": "a client who usually gets more than other clients of the therapist",
    "slope between therapists": "a therapist who usually gives more than other therapists",
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Paths from guidance to satisfaction, effects of asking, further outcomes; table `connection_effects`."""
    if reason := refusal(con, "connection", settings.disclosure):
        return Section(NAME, TITLE, (headline(CANNOT), paragraph(reason)))
    blocks: list[Block] = [
        paragraph(
            "Does the working relationship carry what guidance does? Does it help to ask? Only what is seen in the "
            "next session comes after what is seen in this one; rows of the same session have no order in time, and "
            "either may have come first."
        )
    ]
    rows = sorted(table_rows(con, "connection_effects"), key=_place)
    outcomes = {outcome_question(each): each.spoken.capitalize() for each in settings.further_outcomes}
    for question, title in (_TITLES | outcomes).items():
        lines = [
            line
            for row in rows
            if row["question"] == question and (line := _line(row, settings.disclosure, question in outcomes))
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
    return Section(NAME, TITLE, tuple(blocks))


def _place(row: dict) -> tuple[bool, bool, bool]:
    """Same session first; in it the way to the experience, from it, and both together."""
    return row["timing"] != "same session", row["path"] == "indirect", row["path"].endswith("to satisfaction")


def _line(row: dict, rule: Disclosure, is_outcome: bool) -> tuple[Piece | Words, ...] | None:
    """One row; differences of slopes and joint tests stay in the table of the release."""
    if is_outcome and row["path"] not in _LEVELS and row["status"] != "refused":
        return None
    path = _INDIRECT[row["question"]] if row["path"] == "indirect" else _LEVELS.get(row["path"], row["path"])
    return (plain(path), _TIMES[row["timing"]], told(row, rule, FORM))
