"""Which rows of `guidance_effects` a report quotes."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.answers.guidance.run import settled
from outcomes.answers.guidance.tables import EFFECTS
from outcomes.report.reading.rows import answer_rows


@dataclass(frozen=True)
class Quoted:
    """The rows to quote, all rows, and whether a simpler model speaks for one whose variance is zero."""

    rows: tuple[dict, ...]
    everything: tuple[dict, ...]
    is_simpler: bool


def quoted_effects(con: duckdb.DuckDBPyConnection) -> Quoted:
    """One row per question and part; where a model has a variance at zero, the next simpler one speaks."""
    everything = answer_rows(con, EFFECTS)
    chosen = [(row, settled(row, everything)) for row in everything if row["is_quoted"]]
    is_simpler = any(found is not row for row, found in chosen)
    return Quoted(tuple(found for _, found in chosen), tuple(everything), is_simpler)
