"""Can these data answer this? What simulated studies of the same size find, before the results."""

from __future__ import annotations

import duckdb

from outcomes.answers.recovery.cards import CanAnswer
from outcomes.disclosure import shown_text
from outcomes.models.state import ModelStatus
from outcomes.report.page.blocks import Block, Section, bullets, fold, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Estimate, Given, Kind, Piece, Words, say
from outcomes.report.reading.tables import refusal, table_rows
from outcomes.study.settings import StudySettings

NAME, TITLE = "recovery", "Can these data answer this?"
_GROUPS = {
    CanAnswer.YES: "Yes: an effect worth finding would be seen",
    CanAnswer.LARGE: "Only if the effect is large",
    CanAnswer.NO: "No",
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section | None:
    """What can be answered, and by how much; table `recovery_cards`."""
    if reason := refusal(con, "recovery", settings.disclosure):
        return Section(NAME, TITLE, (headline("Not tried for these data."), paragraph(reason)))
    rows = table_rows(con, "recovery_cards")
    if not rows:
        return None
    tried = [row for row in rows if row["status"] == ModelStatus.CONVERGED]
    if not tried:
        reasons = dict.fromkeys(shown_text(row["reason"], settings.disclosure) for row in rows)
        whys = [say("{why}", why=Given(reason, Kind.REASON)) for reason in reasons]
        return Section(NAME, TITLE, (headline(_headline(rows)), bullets(*whys)))
    blocks: list[Block] = [headline(_headline(rows)), paragraph(_how(rows))]
    for answer, title in _GROUPS.items():
        own = [row for row in rows if row["answer"] == answer]
        if own:
            blocks += [heading(title), bullets(*(_item(row, answer) for row in own))]
    blocks.append(fold("The numbers behind it", _table(tried), _note()))
    return Section(NAME, TITLE, tuple(blocks))


def _headline(rows: list[dict]) -> str:
    answers = {row["answer"] for row in rows}
    if answers == {CanAnswer.NO}:
        return "No: data of this size can answer none of the questions."
    if CanAnswer.NO not in answers:
        return "Yes, though some only where effects are large." if CanAnswer.LARGE in answers else "Yes."
    return "Some of the questions, and not others."


def _how(rows: list[dict]) -> Words:
    return say(
        "Before looking at the results: {n} studies were simulated with about as many therapists, clients and sessions "
        "as this one, in which the truth is known. A question counts as answered where four of five such studies would "
        "find an effect that is worth finding.",
        n=Given(str(rows[0]["n_cohorts"])),
    )


def _item(row: dict, answer: CanAnswer) -> str | Words:
    if answer is not CanAnswer.NO:
        return row["question"]
    return say("{question} {reason}", question=row["question"], reason=Given(row["reason"], Kind.REASON))


def _table(rows: list[dict]) -> Block:
    head = ("Question", "Smallest effect found", "Worth finding from", "Intervals that hold the truth", "Effect found")
    return table(head, [_line(row) for row in rows])


def _line(row: dict) -> tuple[Piece | Words, ...]:
    question = say("{question} ({unit})", question=row["question"], unit=row["unit"])
    return (
        question,
        _size(row["smallest_effect"]),
        _size(row["effect_worth_finding"]),
        _share(row, "coverage"),
        _share(row, "power"),
    )


def _size(value: float | None) -> Piece:
    if value is None:
        return "not a size"
    return Given(f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}", Kind.SIMULATED)


def _share(row: dict, name: str) -> Piece:
    values = [row[column] for column in (name, f"{name}_low", f"{name}_high")]
    if None in values:
        return "none to find"
    return Estimate(*values, ModelStatus.CONVERGED, PERCENT)


def _note() -> Block:
    return note(
        say(
            "Smallest effect found: by {power} of such studies. Intervals should hold the truth in {level} of studies; "
            "brackets show what so few simulated studies leave open. Effect found: in the simulated world, whose "
            "effects are as strong as the field has seen. For a verdict the last columns are: nothing claimed where "
            "there is nothing, and fit to the wish recognised. All scales run from {low} to {high} in the simulation. "
            "Intervals are quick approximations of those in this report, and ratings are about as complete as in a "
            "typical study.",
            power=Given("80%"),
            level=Given("95%"),
            low=Given("0"),
            high=Given("10"),
        )
    )
