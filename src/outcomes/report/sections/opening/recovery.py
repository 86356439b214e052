"""Can these data answer this? What simulated studies of the same size find, before the results."""

from __future__ import annotations

from outcomes.answers.recovery.tables import CARDS, CanAnswer
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import Block, bullets, fold, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Estimate, Given, Kind, Piece, Words, say
from outcomes.report.reading.rows import answer_rows, refusal
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

_GROUPS = {
    CanAnswer.YES: "Yes: an effect worth finding would be seen",
    CanAnswer.LARGE: "Only if the effect is large",
    CanAnswer.NO: "No",
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """What can be answered, and by how much; table `recovery_cards`."""
    con, teller = source.con, source.teller
    if reason := refusal(con, AnalysisName.RECOVERY, teller):
        return (headline("Not tried for these data."), paragraph(reason))
    rows = answer_rows(con, CARDS)
    if not rows:
        return ()
    tried = [row for row in rows if row["status"] == FitStatus.CONVERGED]
    if not tried:
        reasons = dict.fromkeys(teller.text(row["reason"]) for row in rows)
        whys = [say("{why}", why=Given(reason, Kind.REASON)) for reason in reasons]
        return (headline(_headline(rows)), bullets(*whys))
    blocks: list[Block] = [headline(_headline(rows)), paragraph(_how(rows))]
    for answer, title in _GROUPS.items():
        own = [row for row in rows if CanAnswer(row["answer"]) is answer]
        if own:
            blocks += [heading(title), bullets(*(_item(row, answer) for row in own))]
    blocks.append(fold("The numbers behind it", _table(tried), _note()))
    return tuple(blocks)


def _headline(rows: list[dict]) -> str:
    answers = {CanAnswer(row["answer"]) for row in rows}
    if answers == {CanAnswer.NO}:
        return "No: data of this size can answer none of the questions."
    if CanAnswer.NO not in answers:
        return "Yes, though some only where effects are large." if CanAnswer.LARGE in answers else "Yes."
    return "Some of the questions, and not others."


def _how(rows: list[dict]) -> Words:
    return say(
        "Before looking at the results: up to {n} studies were simulated with about as many therapists, clients and "
        "sessions as this one, in which the truth is known, fewer where that was enough to tell. A question counts as "
        "answered where four of five such studies would find an effect that is worth finding.",
        n=Given(str(max(row["n_cohorts"] for row in rows))),
    )


def _item(row: dict, answer: CanAnswer) -> str | Words:
    if answer is not CanAnswer.NO:
        return row["question"]
    return say("{question} {reason}", question=row["question"], reason=Given(row["reason"], Kind.REASON))


def _table(rows: list[dict]) -> Block:
    head = (
        "Question",
        "Smallest effect detected",
        "Worth detecting from",
        "Intervals that hold the truth",
        "Effect detected",
    )
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
    return Estimate(*values, FitStatus.CONVERGED, PERCENT)


def _note() -> Block:
    return note(
        say(
            "Smallest effect detected: by {power} of such studies. Intervals should hold the truth in {level} of "
            "studies; brackets show what so few simulated studies leave open. Effect detected: in the simulated "
            "world, whose effects are as strong as the field has seen. For a verdict the last columns are: nothing "
            "claimed where there is nothing, and fit to the wish recognised. All scales run from {low} to {high} in "
            "the simulation. Intervals are quick approximations of those in this report, and ratings are about as "
            "complete as in a typical study.",
            power=Given("80%"),
            level=Given("95%"),
            low=Given("0"),
            high=Given("10"),
        )
    )


SECTION = ReportSection("recovery", "Can these data answer this?", _blocks)
