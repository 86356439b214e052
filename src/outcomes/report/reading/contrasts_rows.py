"""The contrasts of guidance that several sections tell: by level, and by session where they are risks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from outcomes.answers.contrasts.tables import DROPOUT, SATISFACTION, ContrastBy, ContrastLevel, ContrastQuantity
from outcomes.disclosure import Teller
from outcomes.report.page.pieces import Direction, Form, Told
from outcomes.report.reading.rows import answer_rows, told

OF_100 = Form(digits=0, times=100)
MORE_OF_100 = Form(digits=0, times=100, is_signed=True, up="more", down="fewer")
MEAN = Form()
DIFFERENCE = Form(is_signed=True, up="higher", down="lower")

BELOW = (ContrastLevel.FAR_BELOW, ContrastLevel.BELOW)
ABOVE = (ContrastLevel.ABOVE, ContrastLevel.FAR_ABOVE)
DISTANCES = (*BELOW, ContrastLevel.AT, *ABOVE)
AMOUNTS = (ContrastLevel.LOW, ContrastLevel.MEDIUM, ContrastLevel.HIGH)
LEVELS = {ContrastBy.DISTANCE: DISTANCES, ContrastBy.AMOUNT: AMOUNTS}
"""In the order of a table."""


@dataclass(frozen=True)
class Contrasts:
    """What is told of one outcome under one contrast.

    Attributes
    ----------
    points : mapping of ContrastLevel to float
        Where each level is.
    at, apart : mapping of (ContrastLevel, session) to Told
        Risks or means, and their differences from the reference; session is None for means, and where a level is not
        told.
    refused : Told or None
        Where nothing could be told at all.
    """

    points: Mapping[ContrastLevel, float]
    at: Mapping[tuple[ContrastLevel, int | None], Told]
    apart: Mapping[tuple[ContrastLevel, int | None], Told]
    refused: Told | None

    @property
    def sessions(self) -> tuple[int, ...]:
        """Sessions by which risks are told, in order."""
        return tuple(sorted({t for _, t in self.at if t is not None}))

    def of(self, level: ContrastLevel, session: int | None) -> Told | None:
        """Risk or mean at a level; a level that is not told says why under every session."""
        return self.at.get((level, session)) or self.at.get((level, None))

    def difference(self, level: ContrastLevel, session: int | None) -> Told | None:
        """Difference of a level from the reference; None for the reference itself."""
        return self.apart.get((level, session)) or self.apart.get((level, None))

    def direction(self, levels: tuple[ContrastLevel, ...], session: int | None) -> Direction:
        """What the differences of these levels say together: one way if any does and none says the opposite."""
        found = [one.direction for level in levels if (one := self.difference(level, session))]
        said = {way for way in found if way in (Direction.MORE, Direction.LESS)}
        if len(said) == 1:
            return said.pop()
        return Direction.UNCLEAR if any(way is not Direction.UNTOLD for way in found) else Direction.UNTOLD


def contrasts_dropout(con: duckdb.DuckDBPyConnection, by: ContrastBy, teller: Teller) -> Contrasts:
    """Risks of dropout, of 100 clients."""
    return _read(answer_rows(con, DROPOUT), by, teller, OF_100, MORE_OF_100)


def contrasts_satisfaction(con: duckdb.DuckDBPyConnection, by: ContrastBy, teller: Teller) -> Contrasts:
    """Mean satisfaction, in points."""
    return _read(answer_rows(con, SATISFACTION), by, teller, MEAN, DIFFERENCE)


def _read(rows: list[dict], by: ContrastBy, teller: Teller, form: Form, apart: Form) -> Contrasts:
    own = [row for row in rows if row["contrast"] == by]
    refused = [row for row in rows if row["level"] == ContrastLevel.ALL and (row["contrast"] == by or not own)]
    points: dict[ContrastLevel, float] = {}
    found: tuple[dict, dict] = ({}, {})
    for row in own:
        level = ContrastLevel(row["level"])
        if level is ContrastLevel.ALL or row["quantity"] == ContrastQuantity.HELD:
            continue
        points[level] = row["points"]
        is_difference = row["quantity"] == ContrastQuantity.DIFFERENCE
        found[is_difference][level, row.get("session")] = told(row, teller, apart if is_difference else form)
    return Contrasts(points, *found, told(refused[0], teller) if refused else None)
