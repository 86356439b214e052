"""What more guidance goes with: within clients, between clients, between therapists, and from session to session."""

from __future__ import annotations

import duckdb

from outcomes.report.blocks import Section, fold, headline, note, paragraph, table
from outcomes.report.pieces import Estimate, Form, Unsaid, Words, say
from outcomes.report.rows import refusal, table_rows, told
from outcomes.study.settings import StudySettings

NAME = "effects"
TITLE = "What more guidance goes with"

_PARTS = {
    "within client": "The same client, in a session with one {unit} more guidance than usual",
    "between clients": "A client who usually gets one {unit} more than other clients of the same therapist",
    "between therapists": "A therapist who usually gives one {unit} more than other therapists",
}
_LAGS = {
    "guidance to next satisfaction": "Satisfaction with the next session, after one {unit} more guidance in this one",
    "satisfaction to next guidance": "Guidance in the next session, after this one was rated one {rated} better",
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Differences in satisfaction per point of guidance; table `guidance_effects`."""
    if reason := refusal(con, "guidance", settings.disclosure):
        return Section(NAME, TITLE, (headline("These data cannot answer this."), paragraph(reason)))
    rows = [row for row in table_rows(con, "guidance_effects") if row["is_quoted"]]
    unit, rated = (settings.scales[name].unit.removesuffix("s") for name in ("directiveness", "satisfaction"))
    form = Form(is_signed=True, unit=f" {rated}s")

    def lines(said: dict[str, str], key: str, chosen: list[dict]) -> list[tuple]:
        found = {row[key]: told(row, settings.disclosure, form) for row in chosen}
        return [(text.format(unit=unit, rated=rated), found[name]) for name, text in said.items() if name in found]

    levels, lags = (
        lines(_PARTS, "part", [row for row in rows if row["question"] == "slope"]),
        lines(_LAGS, "question", rows),
    )
    return Section(
        NAME,
        TITLE,
        (
            headline(_headline(levels[0][1])),
            table(("Compared", f"Difference in satisfaction, in {rated}s (interval)"), levels),
            note("The three lines answer different questions and are kept apart. None of them shows a cause."),
            fold("From one session to the next", table(("Order in time", "Difference (interval)"), lags)),
        ),
    )


def _headline(within: Estimate | Unsaid) -> Words:
    if isinstance(within, Unsaid):
        return say("More guidance than usual for a client, and satisfaction: {told}.", told=within)
    if within.low > 0:
        return say("Clients were more satisfied with sessions that had more guidance than usual for them.")
    if within.high < 0:
        return say("Clients were less satisfied with sessions that had more guidance than usual for them.")
    return say("No clear link shows between more guidance than usual and satisfaction.")
