"""The rounds of a plan as files in one folder: a question, then one masked answer a site.

Which question comes next follows from the plan and the answers so far, and from nothing else: whoever looks at the
folder gets the same one, and a site answers no other. Nobody steers the fit, and nobody can ask for what it does not
need.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from outcomes.errors import StudyError
from outcomes.federation.masks import unmask_sum
from outcomes.federation.plan import MAX_ROUNDS, Plan
from outcomes.mixed.linear.places.pooled import fit_shares
from outcomes.mixed.linear.places.shares import Share
from outcomes.mixed.linear.places.sums import PooledSums, read_sums
from outcomes.mixed.linear.result import LinearFit
from outcomes.store.files import read_json

KEYS = "keys"
_ANEW = "start anew in an empty folder"
_SAME = {"rtol": 1e-6, "atol": 1e-9}  # the same question on machines whose last digits differ


@dataclass(frozen=True)
class Question:
    """What all sites are asked at once.

    Parameters
    ----------
    number : int
        1 is the round of sums; later rounds evaluate the model.
    theta : tuple of float
        Covariance parameters to evaluate at; empty in round 1.
    """

    number: int
    theta: tuple[float, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the question, which masks and answers name."""
        return hashlib.sha256(json.dumps([self.number, [value.hex() for value in self.theta]]).encode()).hexdigest()


@dataclass(frozen=True)
class Standing:
    """Where a plan stands.

    Parameters
    ----------
    waits_for : tuple of str
        Sites whose key or answer is missing.
    question : Question or None
        The open question; None before all keys are there and after the end.
    sums : PooledSums or None
        Known once round 1 is complete.
    asked : tuple of ndarray
        Covariance parameters of all rounds so far, the open one included.
    fit : LinearFit or None
        The result.
    """

    waits_for: tuple[str, ...] = ()
    question: Question | None = None
    sums: PooledSums | None = None
    asked: tuple[np.ndarray, ...] = ()
    fit: LinearFit | None = None


class _Open(Exception):
    def __init__(self, question: Question, missing: tuple[str, ...]) -> None:
        self.question, self.missing = question, missing


def read_keys(folder: Path, plan: Plan) -> dict[str, str]:
    """Public keys of the sites that have joined."""
    paths = {site: folder / KEYS / f"{site}.json" for site in plan.sites}
    return {site: _of_plan(path, plan)["public_key"] for site, path in paths.items() if path.exists()}


def standing(folder: Path, plan: Plan) -> Standing:
    """Say where the rounds stand: what is asked, who is waited for, or the result.

    Raises
    ------
    StudyError
        A file of the folder is damaged, of another plan, or answers another question.
    """
    if missing := tuple(site for site in plan.sites if site not in read_keys(folder, plan)):
        return Standing(waits_for=missing)
    first = Question(1)
    summed = _sum(folder, plan, first)
    if isinstance(summed, tuple):
        return Standing(summed, first)
    sums = read_sums(plan.design, summed)
    frame = sums.frame(plan.design)
    asked: list[np.ndarray] = []

    def ask(theta: np.ndarray) -> Share:
        asked.append(theta)
        question = _asked_before(folder, plan, Question(1 + len(asked), tuple(map(float, theta))))
        answer = _sum(folder, plan, question)
        if isinstance(answer, tuple):
            raise _Open(question, answer)
        return Share.from_vector(answer, frame)

    try:
        fit = fit_shares(plan.formula, frame, ask, n_missing=sums.n_missing, reml=plan.reml)
    except _Open as still:
        if still.question.number > MAX_ROUNDS:
            raise StudyError(f"The fit has not converged in {MAX_ROUNDS} rounds", "try a simpler model") from None
        return Standing(still.missing, still.question, sums, tuple(asked))
    return Standing(sums=sums, asked=tuple(asked), fit=fit)


def answer_path(folder: Path, question: Question, site: str) -> Path:
    """Where a site's answer lies."""
    return folder / "rounds" / f"{question.number:04}" / f"{site}.json"


def message(plan: Plan, question: Question, site: str, masked: list[str]) -> dict:
    """A site's answer as it is written down."""
    theta = [value.hex() for value in question.theta]
    return {"plan": plan.id, "site": site, "theta": theta, "question": question.sha256, "masked": masked}


def _asked_before(folder: Path, plan: Plan, question: Question) -> Question:
    """The question as whoever answered first read it: machines may differ in its last digits."""
    for site in plan.sites:
        path = answer_path(folder, question, site)
        if path.exists():
            theta = tuple(float.fromhex(value) for value in _of_plan(path, plan)["theta"])
            if len(theta) != len(question.theta) or not np.allclose(theta, question.theta, **_SAME):
                raise StudyError(f"{path} answers another question than this plan's round {question.number}", _ANEW)
            return Question(question.number, theta)
    return question


def _sum(folder: Path, plan: Plan, question: Question) -> np.ndarray | tuple[str, ...]:
    """The sum of all answers; or the names of the sites that have not answered."""
    paths = {site: answer_path(folder, question, site) for site in plan.sites}
    if missing := tuple(site for site, path in paths.items() if not path.exists()):
        return missing
    answers = [_of_plan(path, plan) for path in paths.values()]
    if any(answer["question"] != question.sha256 for answer in answers):
        raise StudyError(f"The answers of round {question.number} answer different questions", _ANEW)
    try:
        return unmask_sum([answer["masked"] for answer in answers])
    except ValueError:
        raise StudyError(f"The answers of round {question.number} differ in length", _ANEW) from None


def _of_plan(path: Path, plan: Plan) -> dict:
    """A message, checked to be of this plan."""
    try:
        content = read_json(path)
        if content["plan"] == plan.id:
            return content
    except (ValueError, TypeError, KeyError):
        raise StudyError(f"{path} cannot be read", _ANEW) from None
    raise StudyError(f"{path} is a message of another plan", _ANEW)
