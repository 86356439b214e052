"""How often each verdict comes out, in simulated cohorts of a study's size in which the truth is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import duckdb
import polars as pl
from scipy import stats

from outcomes.answers.balance.curve_forms import CurveForm
from outcomes.answers.balance.evidence import Findings, between_clients, find_evidence
from outcomes.answers.balance.rows import READ, verdict_clients, verdict_dropouts, verdict_sessions
from outcomes.answers.balance.sessions import judge_sessions
from outcomes.answers.balance.tables import Verdict
from outcomes.answers.balance.verdict import decide
from outcomes.answers.common.simulated import built, template_settings
from outcomes.answers.common.words import Grain, Outcome
from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import FitStatus
from outcomes.progress import tracked
from outcomes.release.identity import code_version
from outcomes.simulate import (
    CohortParameters,
    DropoutTruth,
    Truth,
    WorldName,
    dropout_truth,
    simulate_cohort,
    with_dropout_truth,
    with_truth,
    with_worlds,
)
from outcomes.store.files import write_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, StudySettings
from outcomes.study.settings import Disclosure
from outcomes.workers import workers

POWER_FILE = "power.json"
JUDGED = (
    (Outcome.SATISFACTION, Grain.SESSION),
    (Outcome.SATISFACTION, Grain.CLIENT),
    (Outcome.DROPOUT, Grain.SESSION),
)
"""Outcome and level of each verdict."""
REFUSED = str(FitStatus.REFUSED)
OUTCOMES = (*map(str, Verdict), REFUSED)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Size:
    """How many take part."""

    clients: int
    therapists: int


@dataclass(frozen=True)
class Trial:
    """What came out of one cohort at one level; `parabola_turns` is what a Lind-Mehlum test alone would have said."""

    truth: str
    outcome: str
    level: str
    verdict: str
    parabola_turns: bool


def study_size(study: StudyFolder) -> Size:
    """Clients and therapists of the published release.

    Raises
    ------
    UsageError
        If nothing is published yet.
    """
    if not study.database.exists():
        raise UsageError("Nothing is published yet, so the study has no size", "run `outcomes refresh` first")
    with connect(study.database, read_only=True) as con:
        (found,) = con.execute(
            "select count(distinct client_id), count(distinct therapist_id) from mart_session_directiveness"
        ).fetchall()
    return Size(*found)


def trials(
    truth: Truth,
    size: Size,
    seed: int,
    rule: Disclosure,
    worlds: Sequence[WorldName] = (),
    hazard: DropoutTruth | None = None,
) -> tuple[Trial, ...]:
    """Simulate one cohort and decide on satisfaction, for sessions and clients, and on dropout.

    Parameters
    ----------
    truth, hazard
        What guidance does to satisfaction, and to dropout (where not given: what `truth` implies).
    size, seed, rule
        As in `error_rates`.
    worlds : sequence of WorldName
        What goes on beside the effect of guidance.
    """
    settings = template_settings(rule)
    parameters = with_truth(truth, CohortParameters(clients=size.clients, therapists=size.therapists))
    if hazard is not None:
        parameters = with_dropout_truth(hazard, parameters)
    with built(simulate_cohort(with_worlds(worlds, parameters), seed), settings, READ) as con:
        found = _satisfaction(con, settings) | _dropout(con, settings)
    return tuple(Trial(str(truth), *judged, *found.get(judged, (REFUSED, False))) for judged in JUDGED)


Judged = dict[tuple[str, str], tuple[str, bool]]


def _satisfaction(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Judged:
    try:
        sessions = judge_sessions(verdict_sessions(con, settings))
        clients = between_clients(
            find_evidence(verdict_clients(con, settings)), sessions.findings, sessions.decision.verdict
        )
    except FitRefused:
        return {}
    return {JUDGED[0]: _judged(sessions.findings), JUDGED[1]: _judged(clients)}


def _dropout(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Judged:
    try:
        return {JUDGED[2]: _judged(find_evidence(verdict_dropouts(con, settings)))}
    except FitRefused:
        return {}


def _judged(found: Findings) -> tuple[str, bool]:
    return str(decide(found.evidence).verdict), found.turns[CurveForm.BEST_LEVEL].lind_mehlum.is_supported


def error_rates(
    size: Size, cohorts: int, seed: int = 1, rule: Disclosure | None = None, address: str = ""
) -> pl.DataFrame:
    """Simulate cohorts under each truth and count the verdicts, on all processors of this machine or of a cluster.

    Parameters
    ----------
    size : Size
        Of each cohort. Sessions for each client are as in the simulated world (docs/simulation.md).
    cohorts : int
        For each truth.
    seed : int
        Of the first cohort; the next ones follow.
    rule : Disclosure, optional
        The study's thresholds; those of a new study where not given.
    address : str
        Of a cluster's scheduler; this machine alone where empty.

    Returns
    -------
    pl.DataFrame
        One row per truth, outcome, level and verdict: n_cohorts, n, rate (0 to 1) with its Clopper-Pearson interval
        conf_low, conf_high; `is_true` where the verdict is true of the outcome in that world; parabola_turns_rate is
        the share of the truth's cohorts in which the Lind-Mehlum test alone finds a best (for dropout: any) level.
    """
    return count_verdicts(list(_all_trials(size, cohorts, seed, rule or Disclosure(), address)))


def count_verdicts(found: Sequence[Trial]) -> pl.DataFrame:
    """Count trials as `error_rates` describes it."""
    rows = []
    for truth, (outcome, level) in product(Truth, JUDGED):
        own = [trial for trial in found if (trial.truth, trial.outcome, trial.level) == (truth, outcome, level)]
        turns = sum(trial.parabola_turns for trial in own) / len(own)
        for verdict in OUTCOMES:
            n = sum(trial.verdict == verdict for trial in own)
            interval = stats.binomtest(n, len(own)).proportion_ci(CONFIDENCE)
            counted = (len(own), n, n / len(own), interval.low, interval.high)
            rows.append((truth, outcome, level, verdict, verdict == true_verdict(truth, outcome), *counted, turns))
    names = ["truth", "outcome", "level", "verdict", "is_true", "n_cohorts", "n", "rate", "conf_low", "conf_high"]
    return pl.DataFrame(
        [(str(truth), *rest) for truth, *rest in rows], schema=[*names, "parabola_turns_rate"], orient="row"
    )


def true_verdict(truth: Truth, outcome: str) -> str:
    """The verdict that is right in a world; what rises with a logarithm is monotone."""
    if outcome == Outcome.DROPOUT:
        return str(dropout_truth(truth))
    return str(Verdict.MONOTONE if truth is Truth.LOG else truth)


def confusion(rates: pl.DataFrame, outcome: str, level: str) -> pl.DataFrame:
    """Lay the rates of one outcome and level out: one row per truth, one column per verdict, percent of the cohorts."""
    own = rates.filter(pl.col("outcome") == outcome, pl.col("level") == level)
    wide = own.with_columns((pl.col("rate") * 100).round(0).cast(pl.Int64))
    seen = set(wide.filter(pl.col("rate") > 0)["verdict"])
    shown = [verdict for verdict in OUTCOMES if verdict != REFUSED or verdict in seen]
    return wide.pivot("verdict", index="truth", values="rate", maintain_order=True).select("truth", *shown)


def as_text(rates: pl.DataFrame, outcome: str, level: str) -> str:
    """Align the confusion table for a terminal; a star stands at what is true."""
    table = confusion(rates, outcome, level)
    width = max(len(str(truth)) for truth in Truth)
    lines = ["  ".join(["truth".ljust(width), *(name.rjust(len(name) + 1) for name in table.columns[1:])])]
    for truth, *cells in table.iter_rows():
        right = true_verdict(Truth(truth), outcome)
        shown = [
            (str(cell or ".") + ("*" if name == right else " ")).rjust(len(name) + 1)
            for cell, name in zip(cells, table.columns[1:], strict=True)
        ]
        lines.append("  ".join([truth.ljust(width), *shown]))
    return "\n".join(lines)


def keep_rates(study: StudyFolder, rates: pl.DataFrame, size: Size, seed: int) -> None:
    """Write the rates to `power.json` of the study, with what they were made from.

    They lie beside the releases and not in one: a release is never changed once it is published.
    """
    write_json(
        study.root / POWER_FILE,
        {
            "clients": size.clients,
            "therapists": size.therapists,
            "first_seed": seed,
            "release_id": study.current.resolve().name,
            "code_version": code_version(),
            "rates": json.loads(rates.write_json()),
        },
    )


def _all_trials(size: Size, cohorts: int, seed: int, rule: Disclosure, address: str) -> Iterator[Trial]:
    jobs = [(truth, size, number, rule) for number in range(seed, seed + cohorts) for truth in Truth]
    with workers(address) as pool:
        for found in tracked(pool.run(trials, jobs), "Simulated cohorts", len(jobs)):
            yield from found
