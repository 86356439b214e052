"""Which rows of `guidance_effects` a report quotes."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.models.state import ModelStatus
from outcomes.report.rows import table_rows

WITHIN = "within client"
_MODELS = ("three levels, slope by therapist", "three levels", "two levels")
"""From the richest down. Where a model is singular it has a variance at zero, and the next one does without it."""


@dataclass(frozen=True)
class Quoted:
    """The rows to quote, all rows, and whether a simpler model speaks for one whose variance is zero."""

    rows: tuple[dict, ...]
    everything: tuple[dict, ...]
    is_simpler: bool


def quoted_effects(con: duckdb.DuckDBPyConnection) -> Quoted:
    """One row a question and part; two levels speak within clients only, their errors between are too small."""
    everything = table_rows(con, "guidance_effects")
    chosen = [(row, _settled(row, everything)) for row in everything if row["is_quoted"]]
    is_simpler = any(found is not row for row, found in chosen)
    return Quoted(tuple(found for _, found in chosen), tuple(everything), is_simpler)


def _settled(row: dict, everything: list[dict]) -> dict:
    """The row itself, or where it is singular the same one of the next simpler model that converged."""
    if row["status"] != ModelStatus.SINGULAR or row["model"] not in _MODELS:
        return row
    simpler = _MODELS[_MODELS.index(row["model"]) + 1 :]
    for model in simpler if row["part"] == WITHIN else [name for name in simpler if name != "two levels"]:
        for other in everything:
            same = (other["question"], other["part"], other["model"]) == (row["question"], row["part"], model)
            if same and other["status"] == ModelStatus.CONVERGED:
                return other
    return row
