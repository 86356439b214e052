"""The states of a finding's grounds, read from the tables of the other answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from outcomes.answers.balance.tables import EVIDENCE, VERDICTS, EvidenceQuantity, Verdict, VerdictModel
from outcomes.answers.certainty.rule import (
    TAKEN_AWAY,
    Agreement,
    Ground,
    IntervalState,
    RecoveryState,
    SealingState,
)
from outcomes.answers.common.words import Cause, Grain, HazardTerm, Outcome, Reading
from outcomes.answers.dropout.tables import EFFECTS
from outcomes.answers.missing.tables import LADDER, LadderEffect, Rung
from outcomes.answers.multiverse.tables import TESTS
from outcomes.answers.recovery.cards import MIN_COVERAGE
from outcomes.answers.recovery.tables import CARDS, CanAnswer
from outcomes.mixed import FitStatus
from outcomes.release.codebook.vocabulary import TableText
from outcomes.study.sealing import SealState

SAME_SIGN, SMALL_P = 0.95, 0.05
"""Share of a pool's estimates with one sign, and its joint test, from which all its analyses say the same."""
_READINGS = (Rung.OBSERVED, Rung.WEIGHTED, Rung.IMPUTED, Rung.SHARED)


@dataclass(frozen=True)
class Release:
    """The tables of a release that certainties rest on."""

    con: duckdb.DuckDBPyConnection

    def rows(self, table: TableText | str, **words: object) -> list[dict]:
        """Rows whose columns hold the given words; none where the release has no such table."""
        name = table if isinstance(table, str) else table.name
        if not self.con.execute("select 1 from duckdb_tables() where table_name = ?", [name]).fetchall():
            return []
        found = self.con.sql(f"select * from {name} order by rowid").pl().rows(named=True)
        return [row for row in found if all(row[column] == word for column, word in words.items())]

    def of_verdict(self, outcome: Outcome, level: Grain) -> IntervalState:
        """Whether a verdict decides."""
        rows = self.rows(VERDICTS, outcome=outcome, level=level)
        if not rows:
            return IntervalState.NONE
        return IntervalState.OPEN if rows[0]["verdict"] == Verdict.UNDECIDED else IntervalState.DECIDED

    def of_intervals(self, rows: Iterable[Mapping], worth: float | None = None, chances: int = 1) -> IntervalState:
        """Whether one of some intervals excludes zero, or all of them every effect of size `worth` and more.

        Of several questions (`chances`) that are asked together the answer must be as sure as one is alone: its p-value
        is at most 0.05 divided by their number (Bonferroni).
        """
        told = [
            row
            for row in rows
            if row["status"] == FitStatus.CONVERGED and None not in (row["conf_low"], row["conf_high"])
        ]
        if not told:
            return IntervalState.NONE
        are_little = worth is not None and all(-worth < row["conf_low"] and row["conf_high"] < worth for row in told)
        is_decided = are_little or any(
            (row["conf_low"] > 0 or row["conf_high"] < 0)
            and (chances == 1 or (row["p_value"] is not None and row["p_value"] <= SMALL_P / chances))
            for row in told
        )
        return IntervalState.DECIDED if is_decided else IntervalState.OPEN

    def recovery(self, *estimators: str) -> RecoveryState:
        """What the recovery cards say; of several, the one that takes most away."""
        found = [self.rows(CARDS, estimator=estimator) for estimator in estimators]
        states = [_of_card(rows[0]) if rows else RecoveryState.NOT_TRIED for rows in found]
        return max(states, key=lambda state: TAKEN_AWAY[Ground.RECOVERY][state])

    def worth(self, estimator: str) -> float | None:
        """The effect from which on it matters; None where it was not tried."""
        rows = self.rows(CARDS, estimator=estimator)
        return rows[0]["effect_worth_finding"] if rows else None

    def missing_ratings(self, effect: LadderEffect) -> Agreement:
        """Whether every reading of the missing ratings gives the slope the same sign."""
        rows = [row for row in self.rows(LADDER, effect=effect) if row["rung"] in _READINGS]
        return _same(rows)

    def unknown_endings(self, effect: HazardTerm) -> Agreement:
        """Whether every reading of the unknown endings says the same of the study's own definition."""
        return _same(self.rows(EFFECTS, is_declared=True, cause=Cause.DROPOUT, effect=effect))

    def definitions(self, effect: HazardTerm) -> Agreement:
        """Whether every definition of dropout says the same."""
        return _same(self.rows(EFFECTS, cause=Cause.DROPOUT, effect=effect, reading=Reading.AS_RECORDED))

    def multiverse(self) -> Agreement:
        """Whether the defensible analyses of the slope within clients agree beyond chance."""
        rows = self.rows(TESTS)
        if not rows or rows[0]["p_value"] is None or rows[0]["same_sign_prop"] is None:
            return Agreement.NOT_TRIED
        agree = rows[0]["same_sign_prop"] >= SAME_SIGN and rows[0]["p_value"] <= SMALL_P
        return Agreement.SAME if agree else Agreement.ANOTHER

    def responsiveness(self) -> Agreement:
        """Whether satisfaction's verdict on sessions rests on a model that allows for therapists who respond."""
        rows = self.rows(VERDICTS, outcome=Outcome.SATISFACTION, level=Grain.SESSION)
        is_allowed_for = bool(rows) and rows[0]["model"] == VerdictModel.DYNAMIC
        return Agreement.SAME if is_allowed_for else Agreement.NOT_TRIED

    def link_with_responses(self, is_slope: bool) -> Agreement:
        """Whether a link that a model without therapists' responses finds stands in the model that allows for them.

        It does not where the dynamic model rules out what matters. A slope (`is_slope`) must also point the same way in
        both.
        """
        allowed = self.responsiveness()
        if allowed is not Agreement.SAME:
            return allowed
        at = {"outcome": Outcome.SATISFACTION, "level": Grain.SESSION}
        if self.rows(VERDICTS, **at)[0]["verdict"] == Verdict.NO_EFFECT:
            return Agreement.ANOTHER
        own, mixed = (
            _sides(self.rows(EVIDENCE, quantity=quantity, **at))
            for quantity in (EvidenceQuantity.SAME_SESSION, EvidenceQuantity.SAME_SESSION_MIXED)
        )
        return Agreement.ANOTHER if is_slope and mixed and own != mixed else Agreement.SAME

    def stands(self, told: Iterable[Mapping], held: Iterable[Mapping]) -> Agreement:
        """Whether what differences say at some `points` stands in the model that holds the satisfaction before.

        One of those that exclude zero does so there, to the same side; where none does, none does there.
        """
        own, other = ({row["points"]: side for row in rows for side in _sides([row])} for rows in (told, held))
        if not other:
            return Agreement.NOT_TRIED
        shown = {(at, side) for at, side in own.items() if side}
        also = {(at, side) for at, side in other.items() if side}
        return Agreement.SAME if shown & also or not shown | also else Agreement.ANOTHER

    def sealing(self) -> SealingState:
        """Whether the analysis was fixed before outcomes were seen."""
        rows = self.rows("seal")
        is_sealed = bool(rows) and rows[0]["status"] == SealState.SEALED_BEFORE
        return SealingState.SEALED if is_sealed else SealingState.EXPLORATORY


def _of_card(card: Mapping) -> RecoveryState:
    """Whether a card's estimator can answer; whose intervals hold the truth is imprecise at worst."""
    is_honest = card["coverage_high"] is not None and card["coverage_high"] >= MIN_COVERAGE
    if card["answer"] == CanAnswer.NO and is_honest:
        return RecoveryState.FEW
    return RecoveryState(card["answer"])


def _same(rows: Iterable[Mapping]) -> Agreement:
    """Whether intervals point the same way; those without one say nothing, and one alone agrees with nobody."""
    sides = _sides(rows)
    if len(sides) < 2:
        return Agreement.NOT_TRIED
    return Agreement.SAME if len(set(sides)) == 1 else Agreement.ANOTHER


def _sides(rows: Iterable[Mapping]) -> list[int]:
    """Where each interval lies: 1 above zero, -1 below, 0 around it; rows without one are left out."""
    return [
        (row["conf_low"] > 0) - (row["conf_high"] < 0)
        for row in rows
        if row["status"] == FitStatus.CONVERGED and None not in (row["conf_low"], row["conf_high"])
    ]
