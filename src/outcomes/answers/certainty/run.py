"""How sure each finding is: the states of its grounds, and the word that the rule makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from operator import itemgetter

import duckdb
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.balance.tables import REACTANCE, VERDICTS, ReactanceGuidance, ReactanceQuantity
from outcomes.answers.certainty.grounds import Release
from outcomes.answers.certainty.rule import Agreement, Ground, IntervalState, RecoveryState, certainty, taken_away
from outcomes.answers.certainty.tables import CERTAINTIES, TABLES, FindingName
from outcomes.answers.common.tables import filled
from outcomes.answers.common.words import Cause, Grain, HazardTerm, Outcome
from outcomes.answers.connection.tables import EFFECTS as CONNECTION
from outcomes.answers.connection.tables import PathWords
from outcomes.answers.contrasts.tables import DROPOUT as CONTRASTS_DROPOUT
from outcomes.answers.contrasts.tables import SATISFACTION as CONTRASTS_SATISFACTION
from outcomes.answers.contrasts.tables import ContrastBy, ContrastQuantity
from outcomes.answers.dropout.tables import INCIDENCE, GuidanceLevel, told_session
from outcomes.answers.guidance.tables import EFFECTS as GUIDANCE
from outcomes.answers.guidance.tables import GuidanceQuestion, SlopePart
from outcomes.answers.missing.tables import LadderEffect
from outcomes.answers.recovery.distances import OF_DROPOUT, OF_SATISFACTION
from outcomes.answers.recovery.tables import EstimatorName, TriedVerdict
from outcomes.answers.therapists.tables import VARIATION, TherapistOutcome, TherapistQuantity
from outcomes.mixed import FitStatus
from outcomes.release.codebook.vocabulary import TableText
from outcomes.study.settings import AnalysisName, StudySettings

_OF_VERDICTS = {
    FindingName.SATISFACTION_VERDICT: (Outcome.SATISFACTION, Grain.SESSION),
    FindingName.CLIENTS_VERDICT: (Outcome.SATISFACTION, Grain.CLIENT),
    FindingName.DROPOUT_VERDICT: (Outcome.DROPOUT, Grain.SESSION),
}

SIDES = 2
"""Too little guidance and too much are asked about together, and one that differs is enough for a finding."""
NEXT_TO_NOTHING = 0.1
"""Share of a spread under which the lower end of its interval counts as no spread at all."""


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Rate every finding; it reads what the other answers wrote and fits nothing."""
    release = Release(con)
    rows = [_row(name, states, release) for name, states in _findings(release)]
    return {CERTAINTIES.name: filled(CERTAINTIES, rows)}


def _row(name: FindingName, states: tuple[StrEnum, ...], release: Release) -> dict:
    grounds: Mapping[Ground, StrEnum] = dict(zip(Ground, (*states, release.sealing()), strict=True))
    rated = {"points": taken_away(grounds), "certainty": certainty(grounds)}
    return {"finding": name, **{ground.value: state for ground, state in grounds.items()}, **rated}


def _findings(release: Release) -> Iterator[tuple[FindingName, tuple[StrEnum, ...]]]:
    """Every finding with the states of its grounds, in the order of `Ground`, sealing left out."""
    satisfied = (release.missing_ratings(LadderEffect.WITHIN), release.multiverse())
    verdict_card, dropout_card = release.recovery(TriedVerdict.SATISFACTION), release.recovery(TriedVerdict.DROPOUT)
    states = {name: release.of_verdict(*at) for name, at in _OF_VERDICTS.items()}
    verdict = states[FindingName.SATISFACTION_VERDICT]
    yield FindingName.SATISFACTION_VERDICT, (verdict, verdict_card, *satisfied, release.responsiveness())
    yield (
        FindingName.CLIENTS_VERDICT,
        (
            states[FindingName.CLIENTS_VERDICT],
            release.recovery(EstimatorName.CLIENTS),
            release.missing_ratings(LadderEffect.CLIENTS),
            Agreement.NOT_TRIED,
            Agreement.NOT_TRIED,
        ),
    )
    untried = (Agreement.NOT_TRIED,) * 3
    if far := _far(release, CONTRASTS_SATISFACTION):
        cards = release.recovery(*OF_SATISFACTION.values())
        link = release.link_with_responses(is_slope=False)
        yield FindingName.FIT_SATISFACTION, (release.of_intervals(far, chances=SIDES), cards, *satisfied, link)
    if far := _far(release, CONTRASTS_DROPOUT):
        worth = release.worth(EstimatorName.DROPOUT_RISK)
        cards = release.recovery(*OF_DROPOUT.values())
        stands = release.stands(far, _far(release, CONTRASTS_DROPOUT, ContrastQuantity.HELD))
        yield FindingName.FIT_DROPOUT, (release.of_intervals(far, worth, SIDES), cards, *untried[:2], stands)
    yield FindingName.DROPOUT_VERDICT, (states[FindingName.DROPOUT_VERDICT], dropout_card, *untried)
    risks = release.rows(INCIDENCE, cause=Cause.DROPOUT, guidance=GuidanceLevel.DIFFERENCE)
    amount = [row for row in risks if row["session"] == told_session(risks)]
    yield (
        FindingName.AMOUNT_DROPOUT,
        (
            release.of_intervals(amount, release.worth(EstimatorName.DROPOUT_RISK)),
            release.recovery(EstimatorName.DROPOUT_RISK),
            release.unknown_endings(HazardTerm.SO_FAR),
            release.definitions(HazardTerm.SO_FAR),
            Agreement.NOT_TRIED,
        ),
    )
    within = [
        row
        for row in release.rows(GUIDANCE, question=GuidanceQuestion.SLOPE, part=SlopePart.WITHIN)
        if row["is_quoted"]
    ]
    yield (
        FindingName.MORE_SATISFACTION,
        (
            release.of_intervals(within),
            release.recovery(EstimatorName.WITHIN),
            *satisfied,
            release.link_with_responses(is_slope=True),
        ),
    )
    yield FindingName.ASKING, _simple(release, release.rows(CONNECTION, path=PathWords.ASKED_DISTANCE),
                                      EstimatorName.ASKED_DISTANCE, Agreement.NOT_TRIED)  # fmt: skip
    reactance = release.rows(
        REACTANCE, outcome=Outcome.SATISFACTION, guidance=ReactanceGuidance.WITHIN, quantity=ReactanceQuantity.CHANGE
    )
    yield FindingName.REACTANCE, _simple(release, reactance, EstimatorName.REACTANCE, Agreement.NOT_TRIED)
    therapists = release.rows(VARIATION, outcome=TherapistOutcome.SATISFACTION, quantity=TherapistQuantity.SPREAD)
    therapists = [row | {"conf_low": _spread_low(row)} for row in therapists]
    yield FindingName.THERAPISTS, _simple(release, therapists, EstimatorName.THERAPIST_SHARE, Agreement.NOT_NEEDED)


def _spread_low(row: Mapping) -> float | None:
    """The lower end of a spread's interval, zero where it is next to nothing: a spread is never below zero."""
    low, spread = row["conf_low"], row["estimate"]
    return 0.0 if None not in (low, spread) and low < NEXT_TO_NOTHING * spread else low


def _far(release: Release, table: TableText, quantity: ContrastQuantity = ContrastQuantity.DIFFERENCE) -> list[dict]:
    """On either side of the preference, the difference that is told from guidance as preferred: that farthest away."""
    found = release.rows(table, contrast=ContrastBy.DISTANCE, quantity=quantity)
    if "session" in table.columns:
        found = [row for row in found if row["session"] == told_session(found)]
    told = sorted((row for row in found if None not in (row["points"], row["conf_low"])), key=itemgetter("points"))
    if not told:
        return found
    below, above = told[0], told[-1]
    return [row for row, side in ((below, -1), (above, 1)) if row["points"] * side > 0]


def _simple(
    release: Release, rows: list[dict], estimator: EstimatorName, responsiveness: Agreement
) -> tuple[IntervalState | RecoveryState | Agreement, ...]:
    """States of a finding that no other reading and no other analysis was tried for."""
    untried = (Agreement.NOT_TRIED, Agreement.NOT_TRIED)
    return release.of_intervals(rows), release.recovery(estimator), *untried, responsiveness


_OF_DISTANCES = (
    (FindingName.FIT_DROPOUT, CONTRASTS_DROPOUT),
    (FindingName.FIT_SATISFACTION, CONTRASTS_SATISFACTION),
)


def mark(con: duckdb.DuckDBPyConnection) -> None:
    """Write the certainty of each verdict, and of each difference by distance, beside it."""
    for name, (outcome, level) in _OF_VERDICTS.items():
        con.execute(
            f"""update {VERDICTS.name} set certainty = (select certainty from {CERTAINTIES.name} where finding = ?)
            where outcome = ? and level = ?""",
            [name, outcome, level],
        )
    for finding, table in _OF_DISTANCES:
        con.execute(
            f"""update {table.name} set certainty = (select certainty from {CERTAINTIES.name} where finding = ?)
            where contrast = ? and quantity = ? and status = ?""",
            [finding, ContrastBy.DISTANCE, ContrastQuantity.DIFFERENCE, FitStatus.CONVERGED],
        )


ANALYSIS = Analysis(AnalysisName.CERTAINTY, TABLES, run, marks=mark, reads_all=True)
