"""From the tables of the answers to pieces that a report may print."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from outcomes.disclosure import shown_text
from outcomes.models.state import ModelStatus
from outcomes.report.page.pieces import PLAIN, Direction, Estimate, Form, Given, Kind, Told, Unsaid, direction
from outcomes.study.settings import Disclosure

_AT_EDGE = "no number, because a part of its model is estimated as zero"
_UNSETTLED = "no number, because the calculation did not settle"


def table_rows(con: duckdb.DuckDBPyConnection, name: str, condition: str = "true") -> list[dict]:
    """Rows of a table as dicts in stored order; none where the release has no such table."""
    known = con.execute("select count(*) from duckdb_tables() where table_name = ?", [name]).fetchall()[0][0]
    return con.sql(f"select * from {name} where {condition} order by rowid").pl().rows(named=True) if known else []


def told(row: Mapping, rule: Disclosure, form: Form = PLAIN) -> Told:
    """The estimate of a row, or words in its place.

    Parameters
    ----------
    row : mapping
        With estimate, conf_low, conf_high, status and, where the table has one, reason.
    rule : Disclosure
        Whole numbers in a reason are treated as counts.
    form : Form
        How it is printed.
    """
    state = ModelStatus(row["status"])
    values = [row[name] for name in ("estimate", "conf_low", "conf_high")]
    if state is ModelStatus.REFUSED:
        reason = shown_text(row.get("reason") or "", rule)
        return Unsaid(state, f"not calculated: {reason}" if reason else "not calculated")
    if state is ModelStatus.NOT_CONVERGED:
        return Unsaid(state, _UNSETTLED)
    if None in values:
        return Unsaid(state, "no number, because it has no interval")
    if state is ModelStatus.CONVERGED:
        return Estimate(*values, state, form)
    if not form.up:
        return Unsaid(state, _AT_EDGE)
    side = direction(*values[1:])
    said = {Direction.MORE: form.up, Direction.LESS: form.down, Direction.UNCLEAR: "no clear difference"}[side]
    return Unsaid(state, f"{said} ({_AT_EDGE})", side)


def refusal(con: duckdb.DuckDBPyConnection, analysis: str, rule: Disclosure) -> Given | None:
    """Why an analysis gave no numbers; None where it did."""
    states = table_rows(con, "answer_states", f"analysis = '{analysis}'")
    if not states:
        return Given("This question was not asked of these data.", Kind.REASON)
    if states[0]["status"] == "answered":
        return None
    reason = shown_text(states[0]["reason"], rule)
    return Given(f"{reason[:1].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}", Kind.REASON)


def p_words(p_value: float) -> str:
    """A p-value as it is printed."""
    return "p < .001" if p_value < 0.001 else f"p = {p_value:.3f}".replace("0.", ".", 1)
