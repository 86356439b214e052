"""The verdicts on guidance as sentences, sessions first."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.answers.balance.verdict import Verdict
from outcomes.models.state import ModelStatus
from outcomes.report.reading.tables import table_rows
from outcomes.report.reading.words import NULL, verdict_words


@dataclass(frozen=True)
class Judged:
    """One verdict: a sentence, with notes on how far it can be trusted, and the steps that led to it."""

    outcome: str
    level: str
    verdict: Verdict
    sentence: str
    notes: tuple[str, ...]
    trace: str


def judged(con: duckdb.DuckDBPyConnection) -> tuple[Judged, ...]:
    """Satisfaction by session, satisfaction by client, dropout; none where the analysis was refused."""
    states = {
        (row["outcome"], row["level"]): row["status"]
        for row in table_rows(con, "balance_evidence", "quantity in ('slope within clients', 'slope between clients')")
    }
    return tuple(_judged(row, states.get((row["outcome"], row["level"]))) for row in table_rows(con, "verdicts"))


def _judged(row: dict, state: str | None) -> Judged:
    verdict = Verdict(row["verdict"])
    sentence = verdict_words(verdict, row["outcome"])
    null = f" {NULL}" if verdict is Verdict.NO_EFFECT else ""
    notes = []
    if state == ModelStatus.SINGULAR:
        notes.append("A part of the model behind this is estimated as zero: read it with care.")
    if verdict is not Verdict.UNDECIDED:
        notes.append("An association: nobody was assigned to more or less guidance.")
    return Judged(
        row["outcome"],
        row["level"],
        verdict,
        sentence + null,
        tuple(notes),
        row["trace"],
    )
