"""Estimates as rows of tables: every row says in words what it is, how sure it is, and in what state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from outcomes.answers.common.fitting import Answered
from outcomes.errors import FitRefused
from outcomes.languages import later
from outcomes.methods.inference.contrasts import Estimate
from outcomes.mixed import FitStatus

BROKE_DOWN = later("The calculation broke down on these data, so there is no number; please report it.")


@dataclass(frozen=True)
class Numbers:
    """What stands behind the words of a row; empty where it was refused or has no such number."""

    estimate: float | None = None
    std_error: float | None = None
    p_value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    status: FitStatus = FitStatus.REFUSED
    reason: str = ""
    n_sessions: int | None = None
    n_clients: int | None = None
    n_therapists: int | None = None


def numbers(estimate: Estimate, model: Answered) -> Numbers:
    """Put an estimate and the model it is from into a row's numbers."""
    values = (estimate.value, estimate.std_error, estimate.p_value, estimate.conf_low, estimate.conf_high)
    return of_model(model, *values)


def of_model(
    model: Answered,
    value: float | None,
    std_error: float | None = None,
    p_value: float | None = None,
    conf_low: float | None = None,
    conf_high: float | None = None,
) -> Numbers:
    """Put numbers that come from one model into a row, with its state and the people behind it."""
    finite = [None if x is None or not math.isfinite(x) else float(x) for x in
              (value, std_error, p_value, conf_low, conf_high)]  # fmt: skip
    people = (model.n_sessions, model.n_clients, model.n_therapists)
    return Numbers(*finite, model.status, " ".join(model.fit.messages), *people)


def attempt(labels: dict[str, str], compute: Callable[[], Iterable[tuple[dict[str, str], Numbers]]]) -> list[dict]:
    """Give the rows that `compute` yields; where the data refuse, one row that says why.

    Parameters
    ----------
    labels : dict
        Words of the refused row, and of every row where `compute` does not say otherwise.
    compute : callable
        Yields (words, numbers).
    """
    try:
        return [labels | words | asdict(found) for words, found in compute()]
    except FitRefused as refusal:
        return [labels | asdict(Numbers(reason=refusal.message))]
    except np.linalg.LinAlgError:
        return [labels | asdict(Numbers(reason=BROKE_DOWN))]


def refuse_all(rows: list[dict]) -> None:
    """Refuse the whole analysis where every part of it was, with the reasons."""
    if all(row["status"] == FitStatus.REFUSED for row in rows):
        raise FitRefused(" ".join(dict.fromkeys(row["reason"] for row in rows)))
