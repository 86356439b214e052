"""Table `answer_states`: whether each analysis gave numbers, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from outcomes.answers.common.tables import answer_table
from outcomes.release.codebook.vocabulary import text
from outcomes.study.settings import AnalysisName


class AnswerStatus(StrEnum):
    """Whether an analysis gave numbers."""

    ANSWERED = "answered"
    REFUSED = "refused"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class AnswerState:
    """One row of `answer_states`; `reason` says in plain words why there are no numbers; empty where there are."""

    analysis: AnalysisName
    status: AnswerStatus
    reason: str


STATES = answer_table(
    "answer_states",
    "One analysis and whether it gave an answer",
    {
        "analysis": text("Name of the analysis", AnalysisName),
        "status": text("Whether it gave numbers", AnswerStatus),
        "reason": text("Why there are none, in plain words; empty where there are"),
    },
)
