"""Which of the study's questions some columns can answer: fully, partly, or not at all, and what lacks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from outcomes.study.settings import AnalysisName
from outcomes.study.tables.layouts import LayoutName
from outcomes.study.tables.questions import CENTRAL_NEEDS


class Answerable(StrEnum):
    """How far a question can be answered."""

    FULLY = "fully"
    PARTLY = "partly"
    NOT = "not"


@dataclass(frozen=True)
class Need:
    """What a question needs.

    Attributes
    ----------
    question : str
        In plain words.
    every : tuple of tuple of str
        Each is a choice of columns of which one at least must be there; without it there is no answer.
    more : tuple of str
        Columns that the full answer takes too.
    """

    question: str
    every: tuple[tuple[str, ...], ...]
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """How far one question can be answered, and the columns that lack for more, or what is said in their place."""

    analysis: AnalysisName
    question: str
    answerable: Answerable
    lacking: tuple[str, ...]


OF_A_SOURCE: dict[LayoutName, str] = {
    LayoutName.PMHC: "dropout by therapist only: it has contacts that were missed and how episodes ended, but no "
    "rating of directiveness, satisfaction or alliance by session; the survey of experience (YES-PHN) is anonymous "
    "and cannot be joined to clients",
    LayoutName.IAPT: "whether clients had a preference, were offered it and how they ended (PEQ, EndCode), and dropout "
    "by therapist; no item rates directiveness or satisfaction by session, and where a discharge has no reason the "
    "ending stays open",
}
"""What of the study's questions national data sets can and cannot answer, whatever columns an extract has."""

_WHO = (("client_id",), ("therapist_id",))
_ENDED = ("ending", "end")
"""What tells that a course of therapy ended: without it every definition of dropout is left out."""
_SAID = {_ENDED: "no endings are recorded (ending or end)"}
"""What is said where none of a choice of columns is there; else the columns are named."""
NEEDS: dict[AnalysisName, Need] = {
    AnalysisName.RECOVERY: Need("Can data of this size answer at all?", _WHO),
    AnalysisName.GUIDANCE: Need(
        "Is satisfaction higher where there is more guidance: within clients, between clients, between therapists?",
        _WHO,
    ),
    AnalysisName.BALANCE: Need(
        "Is there a best level of guidance, or does it depend on what the client prefers?",
        _WHO, ("directiveness_preferred", "reactance"),
    ),
    AnalysisName.RESPONSIVENESS: Need(
        "Do therapists respond to how the last session went, and does it pay to be nearer to the preference?",
        _WHO, ("felt_overwhelmed", "directiveness_preferred"),
    ),
    AnalysisName.DROPOUT: Need(
        "How often do clients drop out, at which session, and does guidance matter?",
        (*_WHO, _ENDED), ("ending", "directiveness"),
    ),
    AnalysisName.CONTRASTS: Need(
        "How many clients drop out, and how satisfied are they, near to and far from what they prefer?",
        (*_WHO, ("directiveness_preferred",)), ("ending", "satisfaction"),
    ),
    AnalysisName.CONNECTION: Need(
        "Do alliance, feeling overwhelmed, empowerment and asking go with guidance?",
        (*_WHO, ("alliance", "felt_overwhelmed", "empowerment", "asked_about_guidance")),
        ("satisfaction", "alliance", "felt_overwhelmed", "empowerment", "asked_about_guidance"),
    ),
    AnalysisName.THERAPISTS: Need(
        "How much do therapists differ in satisfaction and dropout?",
        (*_WHO, ("satisfaction", *_ENDED)), ("satisfaction", "ending"),
    ),
    AnalysisName.MISSING: Need("What if ratings are missing for a reason?", (*_WHO, _ENDED), ("ending",)),
    AnalysisName.MULTIVERSE: Need(
        "Does the effect of guidance hold in every defensible way of estimating it?",
        _WHO, ("intake_severity", "directiveness_preferred"),
    ),
    AnalysisName.CERTAINTY: Need("How sure is each finding?", _WHO),
}  # fmt: skip


def answers_of(columns: Collection[str]) -> tuple[Answer, ...]:
    """Say how far each question can be answered from these columns of the contract, in the order of the report."""
    return tuple(_answer(analysis, need, columns) for analysis, need in NEEDS.items())


def _answer(analysis: AnalysisName, need: Need, columns: Collection[str]) -> Answer:
    every = (*need.every, *((scale,) for scale in CENTRAL_NEEDS[analysis]))
    lacking = tuple(_SAID.get(choice, " or ".join(choice)) for choice in every if not set(choice) & set(columns))
    if lacking:
        return Answer(analysis, need.question, Answerable.NOT, lacking)
    more = tuple(name for name in need.more if name not in columns)
    return Answer(analysis, need.question, Answerable.PARTLY if more else Answerable.FULLY, more)
