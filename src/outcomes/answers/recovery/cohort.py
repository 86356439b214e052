"""One simulated cohort: every estimate that a report would quote of it, and its verdicts in worlds of known truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace

import duckdb

from outcomes.answers.balance import rows
from outcomes.answers.balance.evidence_for_verdict import evidence_for_verdict
from outcomes.answers.balance.sessions import judge_sessions
from outcomes.answers.balance.tables import Verdict
from outcomes.answers.balance.verdict import decide
from outcomes.answers.common.simulated import built, template_settings
from outcomes.answers.recovery.cards import VERDICTS
from outcomes.answers.recovery.quote import Quote
from outcomes.answers.recovery.quotes import READ, quotes, tried
from outcomes.answers.recovery.tables import TriedVerdict
from outcomes.errors import FitRefused
from outcomes.mixed import FitStatus, OptSummary
from outcomes.simulate import CohortParameters, SlopeTruth, Truth, attenuated_slopes, simulate_cohort, with_truth
from outcomes.study import StudySettings
from outcomes.study.settings import Disclosure, Dropout

World = tuple[TriedVerdict, Truth]
"""A verdict, and what is true of guidance where it is tried: no effect, or fit."""

_SPREADS = {
    "within": "stddev_samp(directiveness_within)",
    "client": "stddev_samp(directiveness_client)",
    "therapist": "stddev_samp(directiveness_therapist)",
    "guidance": "stddev_samp(directiveness_score)",
    "satisfaction": "stddev_samp(satisfaction_score)",
    "distance": "stddev_samp(abs(directiveness_misfit))",
    "within times reactance": "stddev_samp(directiveness_within) * stddev_samp(reactance_score)",
}


@dataclass(frozen=True)
class Tried:
    """What one cohort gave.

    Attributes
    ----------
    seed : int
    quotes : dict of str to Quote
    sds, slopes : dict of str to float
        Spreads, and true slopes as the design attenuates them; empty for a very large cohort.
    verdicts : dict of World to str
    tried : frozenset of str
        Estimators that were tried.
    ends : dict of Truth to OptSummary
        Where the search for the verdict on satisfaction ended in each world; others of its size may start there.
    """

    seed: int
    quotes: dict[str, Quote]
    sds: dict[str, float] = field(default_factory=dict)
    slopes: dict[str, float] = field(default_factory=dict)
    verdicts: dict[World, str] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()
    ends: dict[Truth, OptSummary] = field(default_factory=dict)


def simulated_study(rule: Disclosure, dropout: Dropout) -> StudySettings:
    """A study on the template's scales with a study's thresholds and its definition of dropout."""
    return template_settings(rule).model_copy(update={"dropout": dropout})


def try_cohort(
    world: CohortParameters,
    seed: int,
    rule: Disclosure,
    dropout: Dropout,
    truth: SlopeTruth | None,
    settled: frozenset[str | World] = frozenset(),
    near: Mapping[Truth, OptSummary] | None = None,
) -> Tried:
    """Simulate one cohort and take all quotes that are not settled.

    Parameters
    ----------
    world : CohortParameters
    seed : int
    rule : Disclosure
    dropout : Dropout
    truth : SlopeTruth or None
        Where it is given, the spreads and the verdicts are taken too.
    settled : frozenset
        Estimators, verdicts, and worlds of a verdict that need no further cohort.
    near : mapping of Truth to OptSummary, optional
        Where another cohort's searches ended. They save time and change no result beyond a search's tolerance.
    """
    settings = simulated_study(rule, dropout)
    with built(simulate_cohort(world, seed), settings, READ) as con:
        told = {quote.estimator: quote for quote in quotes(con, settings, settled)}
        if truth is None:
            return Tried(seed, told)
        sds, slopes = _sds(con), _slopes(con, truth)
    null = with_truth(Truth.NO_EFFECT, world)
    fit = with_truth(Truth.FIT, world)
    usual = replace(fit, satisfaction=replace(fit.satisfaction, misfit_cost=world.satisfaction.misfit_cost))
    verdicts: dict[World, str] = {}
    ends: dict[Truth, OptSummary] = {}
    for true, one in ((Truth.NO_EFFECT, null), (Truth.FIT, usual)):
        asked = frozenset(name for name in VERDICTS if not {name, (name, true)} & settled)
        if not asked:
            continue
        found, end = _verdicts(one, seed, settings, asked, (near or {}).get(true))
        verdicts |= {(name, true): verdict for name, verdict in found.items()}
        ends |= {true: end} if end else {}
    return Tried(seed, told, sds, slopes, verdicts, tried(settled), ends)


def _verdicts(
    world: CohortParameters, seed: int, settings: StudySettings, asked: frozenset[TriedVerdict], near: OptSummary | None
) -> tuple[dict[TriedVerdict, Verdict | FitStatus], OptSummary | None]:
    """The verdicts that are asked for, and where the search for that on satisfaction ended."""
    found: dict[TriedVerdict, Verdict | FitStatus] = dict.fromkeys(asked, FitStatus.REFUSED)
    end = None
    with built(simulate_cohort(world, seed), settings, rows.READ) as con:
        for name in asked:
            try:
                if name is TriedVerdict.DROPOUT:
                    found[name] = decide(evidence_for_verdict(rows.verdict_dropouts(con, settings))).verdict
                    continue
                judged = judge_sessions(rows.verdict_sessions(con, settings), near)
            except FitRefused:
                continue
            found[name] = judged.decision.verdict
            end = judged.dynamic.fit.optimizer if judged.dynamic else None
    return found, end


def _sds(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    row = con.sql(f"select {', '.join(_SPREADS.values())} from mart_session_directiveness").fetchall()[0]
    more = con.sql(
        "select stddev_samp(directiveness_so_far), stddev_samp(directiveness_change) from mart_person_session"
    ).fetchall()[0]
    return dict(zip((*_SPREADS, "so far", "change"), (*row, *more), strict=True))


def _slopes(con: duckdb.DuckDBPyConnection, truth: SlopeTruth) -> dict[str, float]:
    """True slopes as this cohort's design attenuates them (docs/simulation.md)."""
    sessions, clients = (
        con.sql(f"select count({what})::double as n from mart_session_directiveness group by {whose}").fetchnumpy()["n"]
        for what, whose in (("*", "client_id"), ("distinct client_id", "therapist_id"))
    )
    within, client, therapist = astuple(attenuated_slopes(truth, sessions, clients))
    return {
        "within": within,
        "client": client,
        "therapist": therapist,
        "client exactly": truth.observed.client,
        "context of clients": client - within,
        "context of therapists": therapist - within,
    }
