"""Which of the study's questions a source can answer, by the columns that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from outcomes.contract import CONTRACT, Kind, Role


class Answerable(StrEnum):
    """How far a question can be answered."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@dataclass(frozen=True)
class Question:
    """One of the study's questions and the contract columns without which it cannot be answered, or only partly."""

    name: str
    asks: str
    needs: tuple[tuple[Kind, str], ...]
    better_with: tuple[tuple[Kind, str], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a question can be answered, and why not."""

    question: str
    answerable: Answerable
    why: str


_THERAPIST = (Kind.SESSIONS, "therapist_id")
_DIRECTIVENESS = (Kind.SESSIONS, "directiveness")
_SATISFACTION = (Kind.SESSIONS, "satisfaction")
_CONNECTIONS = tuple((Kind.SESSIONS, column.name) for column in CONTRACT[Kind.SESSIONS] if column.role is Role.MEDIATOR)

QUESTIONS: tuple[Question, ...] = (
    Question("guidance", "how directiveness relates to satisfaction", (_DIRECTIVENESS, _SATISFACTION), (_THERAPIST,)),
    Question(
        "balance", "whether one level of directiveness is best, or the one that the client prefers",
        (_DIRECTIVENESS, _SATISFACTION), ((Kind.CLIENTS, "directiveness_preferred"), (Kind.CLIENTS, "reactance")),
    ),
    Question(
        "dropout", "how directiveness relates to dropout", (_DIRECTIVENESS,),
        ((Kind.EPISODES, "ending"), (Kind.EPISODES, "end"), (Kind.SESSIONS, "attended")),
    ),
    Question("connection", "whether the alliance and its kin lie between", (_DIRECTIVENESS,), _CONNECTIONS),
    Question("therapists", "how much therapists differ", (_THERAPIST, _SATISFACTION)),
)  # fmt: skip


def answerable(columns: Mapping[Kind, frozenset[str]]) -> tuple[Verdict, ...]:
    """Say of each question whether sources with these contract columns can answer it.

    Parameters
    ----------
    columns : mapping of Kind to frozenset of str
        Contract columns that the study's sources have, by kind.
    """
    return tuple(_verdict(question, columns) for question in QUESTIONS)


def _verdict(question: Question, columns: Mapping[Kind, frozenset[str]]) -> Verdict:
    missing = [one for one in question.needs if not _has(one, columns)]
    if missing:
        return Verdict(question.name, Answerable.NO, f"{question.asks}: no {_named(missing)}")
    wanting = [one for one in question.better_with if not _has(one, columns)]
    if len(wanting) == len(question.better_with) > 0:
        return Verdict(question.name, Answerable.PARTLY, f"{question.asks}: no {_named(wanting)}")
    return Verdict(question.name, Answerable.YES, question.asks)


def _has(wanted: tuple[Kind, str], columns: Mapping[Kind, frozenset[str]]) -> bool:
    kind, name = wanted
    return name in columns.get(kind, frozenset())


def _named(wanted: list[tuple[Kind, str]]) -> str:
    return ", ".join(f"{name} in {kind}" for kind, name in wanted)
