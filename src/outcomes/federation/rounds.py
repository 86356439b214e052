"""The rounds of a plan as files in one folder: a question, then one masked answer a site.

Which question comes next follows from the plan and the answers so far, and from nothing else: whoever looks at the
folder gets the same one, and a site answers no other. Nobody can ask for what the search does not need; a site that
answers falsely can lead the search astray, so each site looks at what is asked of it, wherever it comes from.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from outcomes.errors import StudyError
from outcomes.federation import binomial, linear
from outcomes.federation.masks import unmask_sum
from outcomes.federation.plan import MAX_ROUNDS, Plan
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.linear.places.sums import PooledSums
from outcomes.mixed.linear.result import LinearFit
from outcomes.store.files import read_json

KEYS = "keys"
SUMS = "sums"
_JOINED, _ANSWERED = {"public_key", "scales"}, {"asked", "at", "question", "masked"}
_ANEW = "start anew in an empty folder"
_SAME = {"rtol": 1e-6, "atol": 1e-9}  # the same question on machines whose last digits differ


@dataclass(frozen=True)
class Question:
    """What all sites are asked at once.

    Parameters
    ----------
    number : int
        1 is the round of sums; later rounds evaluate the model.
    asked : str
        What: the sums of round 1, the share of a linear model, or one of `outcomes.mixed.binomial.shares.Asked`.
    at : tuple of float
        Parameters to evaluate at; empty in round 1.
    """

    number: int
    asked: str = SUMS
    at: tuple[float, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the question, which masks and answers name."""
        content = [self.number, self.asked, [value.hex() for value in self.at]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True)
class Standing:
    """Where a plan stands.

    Parameters
    ----------
    waits_for : tuple of str
        Sites whose key or answer is missing.
    question : Question or None
        The open question; None before all keys are there and after the end.
    sums : PooledSums, BinomialSums or None
        Known once round 1 is complete.
    asked : tuple of (str, ndarray)
        What was asked in all rounds after the first, the open one included, and at which parameters.
    fit : LinearFit, BinomialFit or None
        The result.
    """

    waits_for: tuple[str, ...] = ()
    question: Question | None = None
    sums: PooledSums | BinomialSums | None = None
    asked: tuple[tuple[str, np.ndarray], ...] = ()
    fit: LinearFit | BinomialFit | None = None


class _Open(Exception):
    def __init__(self, question: Question, missing: tuple[str, ...]) -> None:
        self.question, self.missing = question, missing


def read_keys(folder: Path, plan: Plan) -> dict[str, str]:
    """Public keys of the sites that have joined."""
    return {site: joined["public_key"] for site, joined in _joined(folder, plan).items()}


def read_scales(folder: Path, plan: Plan) -> dict[str, dict[str, list[float]]]:
    """Ends of the scales by which the sites that have joined rate what the formula is about."""
    return {site: joined["scales"] for site, joined in _joined(folder, plan).items()}


def _joined(folder: Path, plan: Plan) -> dict[str, dict]:
    paths = {site: folder / KEYS / f"{site}.json" for site in plan.sites}
    joined = {site: _of_plan(path, plan, site, _JOINED) for site, path in paths.items() if path.exists()}
    for site, message in joined.items():
        if not re.fullmatch("[0-9a-f]{64}", str(message["public_key"])):
            raise StudyError(f"{paths[site]} has no public key", _ANEW)
    return joined


def model_of(plan: Plan) -> ModuleType:
    """The module that knows the rounds of the plan's model."""
    return binomial if plan.link else linear


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
    model = model_of(plan)
    sums = model.read(plan, summed)
    asked: list[tuple[str, np.ndarray]] = []

    def ask(what: str, at: np.ndarray) -> np.ndarray:
        question = _asked_before(folder, plan, Question(2 + len(asked), what, tuple(map(float, at))))
        asked.append((what, np.array(question.at)))
        answer = _sum(folder, plan, question)
        if isinstance(answer, tuple):
            raise _Open(question, answer)
        return answer

    try:
        fit = model.fit(plan, sums, ask)
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
    content = {"plan": plan.id, "site": site, "asked": question.asked, "at": [value.hex() for value in question.at]}
    return content | {"question": question.sha256, "masked": masked}


def _asked_before(folder: Path, plan: Plan, question: Question) -> Question:
    """The question as whoever answered first read it: machines may differ in its last digits."""
    for site in plan.sites:
        path = answer_path(folder, question, site)
        if path.exists():
            before = _of_plan(path, plan, site, _ANSWERED)
            at = tuple(float.fromhex(value) for value in before["at"])
            is_same = before["asked"] == question.asked and len(at) == len(question.at)
            if not is_same or not np.allclose(at, question.at, **_SAME):
                raise StudyError(f"{path} answers another question than this plan's round {question.number}", _ANEW)
            return Question(question.number, question.asked, at)
    return question


def _sum(folder: Path, plan: Plan, question: Question) -> np.ndarray | tuple[str, ...]:
    """The sum of all answers; or the names of the sites that have not answered."""
    paths = {site: answer_path(folder, question, site) for site in plan.sites}
    if missing := tuple(site for site, path in paths.items() if not path.exists()):
        return missing
    answers = [_of_plan(path, plan, site, _ANSWERED) for site, path in paths.items()]
    if any(answer["question"] != question.sha256 for answer in answers):
        raise StudyError(f"The answers of round {question.number} answer different questions", _ANEW)
    try:
        return unmask_sum([answer["masked"] for answer in answers])
    except (ValueError, TypeError):
        raise StudyError(f"The answers of round {question.number} differ in length or are no numbers", _ANEW) from None


def _of_plan(path: Path, plan: Plan, site: str, parts: set[str]) -> dict:
    """A message of a site, checked to be of this plan and site and to have its parts."""
    try:
        content = read_json(path)
        of_plan, of_site, is_whole = content["plan"] == plan.id, content["site"] == site, parts <= content.keys()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StudyError(f"{path} cannot be read", _ANEW) from None
    if not of_plan:
        raise StudyError(f"{path} is a message of another plan", _ANEW)
    if not of_site:
        raise StudyError(f"{path} is a message of another site", _ANEW)
    if not is_whole:
        raise StudyError(f"{path} lacks {', '.join(sorted(parts - content.keys()))}", _ANEW)
    return content
