"""From the tables of the answers to pieces that a report may print."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from outcomes.answers.states import STATES, AnswerStatus
from outcomes.disclosure import Teller
from outcomes.errors import UsageError
from outcomes.languages import later
from outcomes.mixed import FitStatus
from outcomes.release.codebook.vocabulary import TableText
from outcomes.report.page.pieces import PLAIN, Direction, Estimate, Form, Given, Kind, Told, Unsaid, direction
from outcomes.study.settings import AnalysisName

NOT_ASKED = later("This question was not asked of these data.")
SAME = later("What this question compares hardly differs in these data, so nothing can be said.")
DOES_NOT_VARY = "does not vary"
"""A reason with these words is a model's, of a column that nobody but it knows."""
_AT_EDGE = "no number, because a part of its model is estimated as zero"
_APPROXIMATE = "no number, because its model could be calculated approximately only"
_NOT_CONVERGED = "no number, because the calculation did not converge"


def table_rows(con: duckdb.DuckDBPyConnection, name: str, condition: str = "true") -> list[dict]:
    """Rows of a table as dicts in stored order; none where the release has no such table."""
    try:
        return con.sql(f"select * from {name} where {condition} order by rowid").pl().rows(named=True)
    except duckdb.CatalogException:
        return []


def answer_rows(con: duckdb.DuckDBPyConnection, table: TableText, **words: str) -> list[dict]:
    """Rows of an answer's table whose columns hold the given words, in stored order.

    Raises
    ------
    UsageError
        If a column holds a word that is not on its closed list: a report would leave it out unseen.
    """
    rows = table_rows(con, table.name)
    for name, column in table.columns.items():
        if column.values and (unknown := {row.get(name) for row in rows} - {*column.values, "", None}):
            raise UsageError(
                f"{table.name}.{name} has {len(unknown)} words that this version does not know",
                "run `outcomes answer` and `outcomes report` with the same version",
            )
    return [row for row in rows if all(row[column] == word for column, word in words.items())]


def told(row: Mapping, teller: Teller, form: Form = PLAIN) -> Told:
    """The estimate of a row, or words in its place.

    Parameters
    ----------
    row : mapping
        With estimate, conf_low, conf_high, status and, where the table has one, reason.
    teller : Teller
        Whole numbers in a reason are treated as counts.
    form : Form
        How it is printed.
    """
    state = FitStatus(row["status"])
    values = [row[name] for name in ("estimate", "conf_low", "conf_high")]
    if state is FitStatus.REFUSED:
        reason = teller.text(row.get("reason") or "")
        return Unsaid(state, f"not calculated: {reason}" if reason else "not calculated")
    if state is FitStatus.NOT_CONVERGED:
        return Unsaid(state, _NOT_CONVERGED)
    if None in values:
        return Unsaid(state, "no number, because it has no interval")
    if state is FitStatus.CONVERGED:
        return Estimate(*values, state, form)
    why = _APPROXIMATE if state is FitStatus.APPROXIMATE else _AT_EDGE
    if not form.up:
        return Unsaid(state, why)
    side = direction(*values[1:])
    said = {Direction.MORE: form.up, Direction.LESS: form.down, Direction.UNCLEAR: "no clear difference"}[side]
    return Unsaid(state, f"{said} ({why})", side)


def refusal(con: duckdb.DuckDBPyConnection, analysis: AnalysisName, teller: Teller) -> Given | None:
    """Why an analysis gave no numbers; None where it did."""
    states = answer_rows(con, STATES, analysis=analysis)
    if not states:
        return Given(NOT_ASKED, Kind.REASON)
    if AnswerStatus(states[0]["status"]) is AnswerStatus.ANSWERED:
        return None
    reason = teller.text(states[0]["reason"])
    reason = f"{reason[:1].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}"
    return Given(f"{SAME} In the model's words: {reason}" if DOES_NOT_VARY in reason else reason, Kind.REASON)


def p_words(p_value: float) -> str:
    """A p-value as it is printed."""
    return "p < .001" if p_value < 0.001 else f"p = {p_value:.3f}".replace("0.", ".", 1)
