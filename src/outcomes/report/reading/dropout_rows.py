"""The rows on dropout that several sections tell: risks by session, and the effect under each definition."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from outcomes.answers.common.words import ALL, Cause, HazardTerm, Reading
from outcomes.answers.dropout.tables import EFFECTS, INCIDENCE, GuidanceLevel, RiskCause
from outcomes.disclosure import Teller
from outcomes.report.page.pieces import PERCENT, PERCENT_POINTS, Direction, Form, Told
from outcomes.report.reading.rows import answer_rows, told
from outcomes.study.settings import DropoutDefinition

LEVELS = (GuidanceLevel.LOW, GuidanceLevel.AVERAGE, GuidanceLevel.HIGH)
ODDS = Form(is_log=True, unit=" times", up="more dropout", down="less dropout")


@dataclass(frozen=True)
class Effect:
    """One effect of guidance on dropout under one definition and reading of the unknown endings."""

    definition: DropoutDefinition
    reading: Reading
    is_declared: bool
    told: Told

    @property
    def direction(self) -> Direction:
        """What its interval says."""
        return self.told.direction


def risks(con: duckdb.DuckDBPyConnection, teller: Teller) -> dict[int, dict[GuidanceLevel, Told]]:
    """Risk of dropout by session, then by level of guidance, and the difference; empty where refused."""
    found: dict[int, dict[GuidanceLevel, Told]] = {}
    for row in answer_rows(con, INCIDENCE, cause=RiskCause.DROPOUT):
        if row["session"] is not None:
            level = GuidanceLevel(row["guidance"])
            form = PERCENT_POINTS if level is GuidanceLevel.DIFFERENCE else PERCENT
            found.setdefault(row["session"], {})[level] = told(row, teller, form)
    return found


def risk_refusal(con: duckdb.DuckDBPyConnection, teller: Teller) -> Told | None:
    """Why there are no risks; None where there are."""
    refused = [row for row in answer_rows(con, INCIDENCE, cause=RiskCause.DROPOUT) if row["session"] is None]
    return told(refused[0], teller) if refused else None


def guidance_levels(con: duckdb.DuckDBPyConnection) -> dict[GuidanceLevel, float]:
    """The level of guidance behind low, average and high, in points of the scale."""
    rows = [row for row in answer_rows(con, INCIDENCE) if row["guidance_level"] is not None]
    return {GuidanceLevel(row["guidance"]): row["guidance_level"] for row in rows}


def effects(con: duckdb.DuckDBPyConnection, effect: HazardTerm, teller: Teller) -> tuple[Effect, ...]:
    """One effect on dropout under all definitions and readings, the study's own first; a refusal stands for all."""
    rows = [row for row in answer_rows(con, EFFECTS, cause=Cause.DROPOUT) if row["effect"] in (effect, ALL)]
    rows.sort(key=lambda row: not row["is_declared"])
    return tuple(
        Effect(DropoutDefinition(r["definition"]), Reading(r["reading"]), r["is_declared"], told(r, teller, ODDS))
        for r in rows
    )


def declared(found: tuple[Effect, ...]) -> Effect | None:
    """The one under the study's own definition, unknown endings left out."""
    return next((e for e in found if e.is_declared and e.reading is Reading.AS_RECORDED), None)
