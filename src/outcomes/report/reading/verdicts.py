"""The verdicts on guidance as sentences, sessions first."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.answers.balance.tables import EVIDENCE, VERDICT_SENTENCES, VERDICTS, EvidenceQuantity, Verdict
from outcomes.answers.common.words import Grain, Outcome
from outcomes.mixed import FitStatus
from outcomes.report.reading.plain_words import NULL
from outcomes.report.reading.rows import answer_rows

_WITH_CARE = {
    FitStatus.SINGULAR: "A part of the model behind this is estimated as zero: read it with care.",
    FitStatus.APPROXIMATE: "The model behind this could be calculated approximately only: read it with care.",
}


@dataclass(frozen=True)
class Judged:
    """One verdict: a sentence, with notes on how far it can be trusted, and the steps that led to it."""

    outcome: Outcome
    level: Grain
    verdict: Verdict
    sentence: str
    notes: tuple[str, ...]
    trace: str


def judged(con: duckdb.DuckDBPyConnection) -> tuple[Judged, ...]:
    """Satisfaction by session, satisfaction by client, dropout; none where the analysis was refused."""
    states = {
        (row["outcome"], row["level"]): row["status"]
        for row in answer_rows(con, EVIDENCE)
        if row["quantity"] in (EvidenceQuantity.SLOPE_WITHIN, EvidenceQuantity.SLOPE_CLIENTS)
    }
    return tuple(_judged(row, states.get((row["outcome"], row["level"]))) for row in answer_rows(con, VERDICTS))


def _judged(row: dict, state: str | None) -> Judged:
    verdict, outcome = Verdict(row["verdict"]), Outcome(row["outcome"])
    sentence = VERDICT_SENTENCES[verdict].format(outcome=outcome)
    null = f" {NULL}" if verdict is Verdict.NO_EFFECT else ""
    notes = []
    if state in _WITH_CARE:
        notes.append(_WITH_CARE[state])
    if verdict is not Verdict.UNDECIDED:
        notes.append("An association: nobody was assigned to more or less guidance.")
    notes += [row[name] for name in ("disagreement", "apart") if row[name]]
    return Judged(
        outcome,
        Grain(row["level"]),
        verdict,
        sentence + null,
        tuple(notes),
        row["trace"],
    )
