"""The rows on dropout that several sections tell: risks by session, and the effect under each definition."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.report.page.pieces import PERCENT, PERCENT_POINTS, Direction, Form, Told
from outcomes.report.reading.tables import table_rows, told
from outcomes.study.settings import Disclosure

LEVELS = ("low", "average", "high")
DIFFERENCE = "high less low"
SO_FAR, CHANGE = "usual guidance up to now, per point", "more guidance than before, per point"
AS_RECORDED = "as recorded"
TOLD_SESSIONS = (8, 12, 3)
"""Of the sessions that the risk is told for, the one that the short answer uses: the first that there is."""

ODDS = Form(is_log=True, unit=" times", up="more dropout", down="less dropout")


@dataclass(frozen=True)
class Effect:
    """One effect of guidance on dropout under one definition and reading of the unknown endings."""

    definition: str
    reading: str
    is_declared: bool
    told: Told

    @property
    def direction(self) -> Direction:
        """What its interval says."""
        return self.told.direction


def risks(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> dict[int, dict[str, Told]]:
    """Risk of dropout by session, then by level of guidance, and the difference; empty where refused."""
    found: dict[int, dict[str, Told]] = {}
    for row in table_rows(con, "dropout_incidence", "cause = 'dropout' and session is not null"):
        form = PERCENT_POINTS if row["guidance"] == DIFFERENCE else PERCENT
        found.setdefault(row["session"], {})[row["guidance"]] = told(row, rule, form)
    return found


def risk_refusal(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> Told | None:
    """Why there are no risks; None where there are."""
    refused = table_rows(con, "dropout_incidence", "cause = 'dropout' and session is null")
    return told(refused[0], rule) if refused else None


def guidance_levels(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """The level of guidance behind low, average and high, in points of the scale."""
    rows = table_rows(con, "dropout_incidence", "guidance_level is not null")
    return {row["guidance"]: row["guidance_level"] for row in rows}


def effects(con: duckdb.DuckDBPyConnection, effect: str, rule: Disclosure) -> tuple[Effect, ...]:
    """One effect on dropout under all definitions and readings, the study's own first; a refusal stands for all."""
    rows = table_rows(con, "dropout_effects", f"cause = 'dropout' and effect in ('{effect}', 'all')")
    rows.sort(key=lambda row: not row["is_declared"])
    return tuple(Effect(r["definition"], r["reading"], r["is_declared"], told(r, rule, ODDS)) for r in rows)


def declared(found: tuple[Effect, ...]) -> Effect | None:
    """The one under the study's own definition, unknown endings left out."""
    return next((e for e in found if e.is_declared and e.reading == AS_RECORDED), None)
