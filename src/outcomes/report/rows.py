"""From the tables of the answers to pieces that a report may print."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from outcomes.disclosure import shown_text
from outcomes.models.state import ModelStatus
from outcomes.report.pieces import PLAIN, Estimate, Form, Given, Unsaid
from outcomes.study.settings import Disclosure

_STATES = {
    ModelStatus.SINGULAR: "not told: a part of the model is estimated as zero, so its intervals cannot be trusted",
    ModelStatus.NOT_CONVERGED: "not told: the calculation did not settle",
    ModelStatus.REFUSED: "not calculated",
}


def table_rows(con: duckdb.DuckDBPyConnection, name: str, condition: str = "true") -> list[dict]:
    """Rows of a table as dicts in stored order; none where the release has no such table."""
    known = con.execute("select count(*) from duckdb_tables() where table_name = ?", [name]).fetchall()[0][0]
    return con.sql(f"select * from {name} where {condition} order by rowid").pl().rows(named=True) if known else []


def told(row: Mapping, rule: Disclosure, form: Form = PLAIN) -> Estimate | Unsaid:
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
    if state is ModelStatus.CONVERGED and None not in values:
        return Estimate(*values, state, form)
    if state is ModelStatus.CONVERGED:
        return Unsaid(state, "not told: it has no interval")
    reason = shown_text(row.get("reason") or "", rule)
    return Unsaid(state, f"{_STATES[state]}: {reason}" if state is ModelStatus.REFUSED and reason else _STATES[state])


def refusal(con: duckdb.DuckDBPyConnection, analysis: str, rule: Disclosure) -> Given | None:
    """Why an analysis was refused; None where it was answered."""
    (state,) = table_rows(con, "answer_states", f"analysis = '{analysis}'") or ({"status": "refused", "reason": ""},)
    if state["status"] != "refused":
        return None
    return Given(shown_text(state["reason"], rule) or "This question was not asked of these data.")
