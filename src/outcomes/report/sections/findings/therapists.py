"""How much therapists differ, with intervals; nothing in it can be traced to one of them."""

from __future__ import annotations

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.therapists.tables import VARIATION, TherapistOutcome, TherapistQuantity
from outcomes.disclosure import Teller
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import Block, heading, note, table
from outcomes.report.page.pieces import PERCENT, Form, Given, Kind, Piece, Words
from outcomes.report.reading.plain_words import plain
from outcomes.report.reading.rows import answer_rows, told
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName

_TITLES = {
    TherapistOutcome.SATISFACTION: "In satisfaction",
    TherapistOutcome.DROPOUT: "In dropout",
    TherapistOutcome.RESPONSIVENESS: "In how they respond to a session that satisfied more or less",
}
_QUANTITIES = {
    TherapistQuantity.SHARE: (
        "Share of all differences that lies between therapists",
        PERCENT,
    ),
    TherapistQuantity.SPREAD: ("Typical difference of a therapist from the average, in points", Form()),
    TherapistQuantity.ODDS_RATIO: (
        "Odds of dropping out with one of two therapists, times those with the other, in the middle of all pairs "
        "(median odds ratio; one is no difference)",
        Form(),
    ),
    TherapistQuantity.RESPONSE: (
        "Points of guidance in the next session, per point of satisfaction in this one, for the average therapist",
        Form(is_signed=True, up="more guidance", down="less guidance"),
    ),
    TherapistQuantity.RESPONSE_SPREAD: (
        "Typical difference of a therapist from that average",
        Form(),
    ),
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Variance share and median odds ratio with bootstrap intervals, counts that may be shown."""
    con, teller = source.con, source.teller
    rows, blocks = answer_rows(con, VARIATION), []
    for outcome, title in _TITLES.items():
        blocks += _outcome(title, [row for row in rows if row["outcome"] == outcome], teller)
    blocks.append(
        note(
            "This report names and ranks no therapist. Differences may come from whom therapists see, from chance, or "
            "from where they work, as much as from what they do."
        )
    )
    return tuple(blocks)


def _outcome(title: str, rows: list[dict], teller: Teller) -> list[Block]:
    if not rows:
        return []
    lines: list[tuple[Piece | Words, ...]] = []
    for row in rows:
        quantity, status = TherapistQuantity(row["quantity"]), FitStatus(row["status"])
        if quantity is TherapistQuantity.ALL:
            lines.append((title, told(row, teller)))
        elif quantity in _QUANTITIES:
            label, form = _QUANTITIES[quantity]
            lines.append((label, told(row, teller, form)))
        elif status is FitStatus.REFUSED:
            lines.append((quantity.capitalize(), told(row, teller)))
        elif row["shown"] and status is FitStatus.CONVERGED:
            lines.append((quantity.capitalize(), Given(_told_now(row, teller), Kind.COUNT)))
    mix = next((row["adjusted_for"] for row in rows if row["adjusted_for"]), "")
    said: list[Block] = [heading(title), table(("What", "Estimate (interval)"), lines)]
    if mix:
        said.append(note(f"Adjusted for {', '.join(plain(name) for name in mix.split(', '))}."))
    return said


def _told_now(row: dict, teller: Teller) -> str:
    """A count of therapists beside what earlier reports told; the answer's table knows its own release only."""
    number = row["shown"].replace(",", "")
    about = f"therapists: {row['outcome']}, {row['quantity']}"
    return teller.count(about, int(number)).text if number.isdecimal() else row["shown"]


SECTION = ReportSection(
    "therapists", "Differences between therapists", _blocks, AnalysisName.THERAPISTS, findings=(FindingName.THERAPISTS,)
)
