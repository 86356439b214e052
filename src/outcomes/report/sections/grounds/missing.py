"""What if ratings are missing for a reason: the same two slopes under every reading of the missing ratings."""

from __future__ import annotations

from outcomes.answers.missing.tables import LADDER, LadderEffect, Rung
from outcomes.mixed import FitStatus, Sharing
from outcomes.report.page.blocks import Block, bullets, fold, headline, note, paragraph, table
from outcomes.report.page.pieces import Direction, Estimate, Given, Kind, Piece, Told, Words, direction, say
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.findings.effects import effect_form
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

_RUNGS = {
    Rung.OBSERVED: "As the ratings that were given let expect (the rest of this report)",
    Rung.WEIGHTED: "Sessions of clients who were likely to leave also count for those who left",
    Rung.IMPUTED: "Filled in many times by a model of clients and therapists, with the doubt that this leaves",
    Rung.SHARED: "Leaving depends on how satisfied the client and the therapist's clients usually are",
}
_SHARED = {
    Sharing.BOTH: "Leaving depends on how satisfied the client usually is, and on how much guidance matters to that",
    Sharing.CURRENT_VALUE: "Leaving depends on the satisfaction that was to be expected at the session itself",
}
"""The last of these lines, where another model than that of levels describes ratings and dropout best."""
_FLIPS = {
    Rung.SIGN: "turns the difference {who} round",
    Rung.SIGNIFICANCE: "changes what the interval of the difference {who} says",
}
_WHO = {LadderEffect.WITHIN: "within clients", LadderEffect.CLIENTS: "between clients"}
_INTRODUCTION = (
    "Clients who leave give no more ratings, and some forms do not come back. If those who left were the dissatisfied "
    "ones, the ratings at hand are too good. Nobody can know the missing ratings; but one can see whether the "
    "conclusion hangs on how they are read. Each line reads them another way."
)
_SAME = "The conclusions are the same however the missing ratings are read."
_ANOTHER = "A conclusion is another one under some readings of the missing ratings: look at the lines of the table."


def _blocks(source: Source) -> tuple[Block, ...]:
    """The ladder in one table, then shifts and tipping points; table `missing_ladder`."""
    con, settings, teller = source.con, source.settings, source.teller
    rows = answer_rows(con, LADDER)
    rated = settings.unit("satisfaction").removesuffix("s")
    form = effect_form(rated)

    def line(rung: Rung, delta: float | None = None) -> list[Told]:
        chosen = [row for row in rows if row["rung"] == rung and row["delta"] == delta]
        found = [[row for row in chosen if row["effect"] in (effect, LadderEffect.ALL)] for effect in _WHO]
        return [told(some[0], teller, form) for some in found if some]

    used = [row["sharing"] for row in rows if row["rung"] == Rung.SHARED and row["effect"] in _WHO]
    labels = _RUNGS | ({Rung.SHARED: _SHARED[used[0]]} if used and used[0] in _SHARED else {})
    ladder = [(label, *line(rung)) for rung, label in labels.items() if line(rung)]
    head = (f"Difference in satisfaction per point of guidance, in {rated}s", "Same client", "Between clients")
    blocks: list[Block] = [paragraph(_INTRODUCTION), table(head, ladder)]
    shifts = sorted({row["delta"] for row in rows if row["rung"] == Rung.SHIFTED and row["delta"] is not None})
    if shifts:
        blocks.append(bullets(*_tipping(rows, rated)))
        lines = [(_shift(delta, rated), *line(Rung.SHIFTED, delta)) for delta in shifts]
        blocks.append(
            fold("How far off would the missing ratings have to be?", table(("If they were", *head[1:]), lines))
        )
    blocks.append(
        note(
            "The last line of the first table assumes that nothing else links leaving and satisfaction, which no data "
            "can show; of the models of leaving that were tried it is the one that describes these data best. "
            "Tipping: the shift of all missing ratings, away from what the others let expect, at which a conclusion "
            "changes. The larger it is, the less the conclusion hangs on ratings that nobody gave."
        )
    )
    return (headline(_headline(ladder)), *blocks)


def _headline(ladder: list[tuple]) -> str:
    """Whether the readings agree on the direction of both differences."""
    sides = [{_side(row[i]) for row in ladder} - {Direction.UNTOLD} for i in (1, 2)]
    if not any(sides):
        return "Whether the conclusion hangs on missing ratings could not be calculated."
    return _SAME if all(len(one) < 2 for one in sides) else _ANOTHER


def _side(piece: Told) -> Direction:
    return direction(piece.low, piece.high) if isinstance(piece, Estimate) else Direction.UNTOLD


def _tipping(rows: list[dict], rated: str) -> list[Piece | Words]:
    said = []
    for row in rows:
        if row["rung"] in _FLIPS and row["status"] == FitStatus.CONVERGED:
            what = _FLIPS[row["rung"]].format(who=_WHO[row["effect"]])
            if row["delta"] is None:
                said.append(f"No shift of the missing ratings that was tried {what}.")
            else:
                said.append(
                    say(f"Missing ratings that were {{shift}}: this {what}.", shift=_shift(row["delta"], rated))
                )
    return said


def _shift(delta: float, rated: str) -> Given:
    """A shift in words."""
    if round(delta, 1) == 0:
        return Given("as the others let expect", Kind.PLACE)
    return Given(f"{abs(delta):.1f} {rated}s {'lower' if delta < 0 else 'higher'}", Kind.PLACE)


SECTION = ReportSection("missing", "If ratings are missing for a reason", _blocks, AnalysisName.MISSING)
