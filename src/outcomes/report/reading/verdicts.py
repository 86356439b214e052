"""The verdicts on guidance as sentences, sessions first."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from outcomes.answers.balance.tables import EVIDENCE, VERDICT_SENTENCES, VERDICTS, EvidenceQuantity, Verdict
from outcomes.answers.common.words import Certainty, Grain, Outcome
from outcomes.mixed import FitStatus
from outcomes.report.reading.plain_words import NULL
from outcomes.report.reading.rows import answer_rows

_WITH_CARE = {
    FitStatus.SINGULAR: "A part of the model behind this is estimated as zero: read it with care.",
    FitStatus.APPROXIMATE: "The model behind this could be calculated approximately only: read it with care.",
}
_UNSURE = "Taken alone the analysis says: {sentence} The certainty of this is very low, so it decides nothing."
_SHARE = re.compile(r"%|\.\d")


@dataclass(frozen=True)
class Judged:
    """One verdict as readers are told it: what is of very low certainty is undecided, as in brief and report.

    Attributes
    ----------
    outcome : Outcome
    level : Grain
    verdict : Verdict
    sentence : str
    why : str
        Why nothing is decided; empty where something is.
    notes : tuple of str
        How far it can be trusted.
    trace : str
        The steps that led to it.
    """

    outcome: Outcome
    level: Grain
    verdict: Verdict
    sentence: str
    why: str
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
    found, outcome = Verdict(row["verdict"]), Outcome(row["outcome"])
    is_enough = not row["certainty"] or Certainty(row["certainty"]).is_enough
    verdict = found if is_enough else Verdict.UNDECIDED
    null = f" {NULL}" if verdict is Verdict.NO_EFFECT else ""
    why = ""
    if verdict is Verdict.UNDECIDED:
        why = _open(row["trace"]) if found is verdict else _UNSURE.format(sentence=_sentence(found, outcome))
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
        _sentence(verdict, outcome) + null,
        why,
        tuple(notes),
        row["trace"],
    )


def _sentence(verdict: Verdict, outcome: Outcome) -> str:
    return VERDICT_SENTENCES[verdict].format(outcome=outcome)


def _open(trace: str) -> str:
    """The last step of a verdict that stays open."""
    why = trace.rsplit(". ", 1)[-1].removeprefix("But ")
    if _SHARE.search(why):  # a share without an interval stays in the trace
        return "Why it stays open, the last part of this section says."
    return why[:1].upper() + why[1:]
