"""Estimates as rows of tables: every row says in words what it is, how sure it is, and in what state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from outcomes.answers.common.fitting import Answered
from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import Estimate

REFUSED = "refused"
BROKE_DOWN = "The calculation broke down on these data, so there is no number; please report it."

NUMBERS = {
    "estimate": pl.Float64,
    "std_error": pl.Float64,
    "p_value": pl.Float64,
    "conf_low": pl.Float64,
    "conf_high": pl.Float64,
    "status": pl.String,
    "reason": pl.String,
    "n_sessions": pl.Int64,
    "n_clients": pl.Int64,
    "n_therapists": pl.Int64,
}
"""Columns behind the words of every row."""


@dataclass(frozen=True)
class Numbers:
    """What stands behind the words of a row; empty where it was refused or has no such number."""

    estimate: float | None = None
    std_error: float | None = None
    p_value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    status: str = REFUSED
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


def as_table(rows: list[dict], words: tuple[str, ...]) -> pl.DataFrame:
    """Make a table: first the words, then what else the rows hold, then the numbers that every table has."""
    others = [name for name in (rows[0] if rows else {}) if name not in words and name not in NUMBERS]
    schema = dict.fromkeys(words, pl.String) | NUMBERS
    frame = pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)
    return frame.select(*words, *others, *NUMBERS)


def refuse_all(rows: list[dict]) -> None:
    """Refuse the whole analysis where every part of it was, with the reasons."""
    if all(row["status"] == REFUSED for row in rows):
        raise FitRefused(" ".join(dict.fromkeys(row["reason"] for row in rows)))


def in_words(row: dict, unit: str) -> str:
    """Say an estimate with its unit and interval; no row of these tables shows a cause, and the words say so."""
    value, low, high = (f"{round(row[name], 3) + 0.0:+.3f}" for name in ("estimate", "conf_low", "conf_high"))
    return f"{value} {unit} (95% interval {low} to {high}). An association: not shown to be causal."
