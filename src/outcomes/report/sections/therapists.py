"""How much therapists differ, with intervals; nothing in it can be traced to one of them."""

from __future__ import annotations

import duckdb

from outcomes.disclosure import shown_count
from outcomes.report.page.blocks import Block, Section, heading, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Form, Given, Kind, Piece, Words
from outcomes.report.reading.tables import refusal, table_rows, told
from outcomes.report.reading.words import plain
from outcomes.report.sections.dropout import CANNOT
from outcomes.study.settings import Disclosure, StudySettings

NAME, TITLE = "therapists", "Differences between therapists"
_TITLES = {
    "satisfaction": "In satisfaction",
    "dropout": "In dropout",
    "responsiveness": "In how they respond to a session that satisfied more or less",
}
_QUANTITIES = {
    "share of the variance that lies between therapists": (
        "Share of all differences that lies between therapists",
        PERCENT,
    ),
    "standard deviation between therapists": ("Typical difference of a therapist from the average, in points", Form()),
    "median odds ratio between two therapists": (
        "Odds of dropping out with one of two therapists, times those with the other, in the middle of all pairs "
        "(median odds ratio; one is no difference)",
        Form(),
    ),
    "next guidance per point of satisfaction, average therapist": (
        "Points of guidance in the next session, per point of satisfaction in this one, for the average therapist",
        Form(is_signed=True, up="more guidance", down="less guidance"),
    ),
    "next guidance per point of satisfaction, standard deviation between therapists": (
        "Typical difference of a therapist from that average",
        Form(),
    ),
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Variance share and median odds ratio with bootstrap intervals, counts that may be shown."""
    if reason := refusal(con, "therapists", settings.disclosure):
        return Section(NAME, TITLE, (headline(CANNOT), paragraph(reason)))
    rows, blocks = table_rows(con, "therapist_variation"), []
    for outcome, title in _TITLES.items():
        blocks += _outcome(title, [row for row in rows if row["outcome"] == outcome], settings.disclosure)
    blocks.append(
        note(
            "This report names and ranks no therapist. Differences may come from whom therapists see, from chance, or "
            "from where they work, as much as from what they do."
        )
    )
    return Section(NAME, TITLE, tuple(blocks))


def _outcome(title: str, rows: list[dict], rule: Disclosure) -> list[Block]:
    if not rows:
        return []
    lines: list[tuple[Piece | Words, ...]] = []
    for row in rows:
        if row["quantity"] in _QUANTITIES or row["status"] == "refused":
            label, form = _QUANTITIES.get(row["quantity"], (row["quantity"].capitalize(), Form()))
            lines.append((title if row["quantity"] == "all" else label, told(row, rule, form)))
        elif row["shown"] and row["status"] == "converged":
            lines.append((row["quantity"].capitalize(), Given(_told_now(row, rule), Kind.COUNT)))
    mix = next((row["adjusted_for"] for row in rows if row["adjusted_for"]), "")
    said: list[Block] = [heading(title), table(("What", "Estimate (interval)"), lines)]
    if mix:
        said.append(note(f"Adjusted for {', '.join(plain(name) for name in mix.split(', '))}."))
    return said


def _told_now(row: dict, rule: Disclosure) -> str:
    """A count of therapists beside what earlier reports told; the answer's table knows its own release only."""
    number = row["shown"].replace(",", "")
    about = f"therapists: {row['outcome']}, {row['quantity']}"
    return shown_count(int(number), rule, about).text if number.isdecimal() else row["shown"]
