"""Can these data answer this? Every estimator tried on simulated cohorts of the study's size, before the results.

The cohorts have the study's numbers of therapists and clients, its sessions for each client and its share of dropout,
rounded to two digits, so that a study that grows a little finds the cards of the last release in its folder again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, astuple, replace
from pathlib import Path

import duckdb
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.balance.tables import Verdict
from outcomes.answers.common.tables import filled
from outcomes.answers.recovery.cards import (
    ESTIMATORS,
    LOGIT_SD,
    VERDICTS,
    Card,
    Simulated,
    card,
    verdict_card,
)
from outcomes.answers.recovery.cohort import Tried, World, simulated_study, try_cohort
from outcomes.answers.recovery.distances import true_distances
from outcomes.answers.recovery.stopping import is_settled, is_verdict_settled, rounds, settled_worlds, where_tried
from outcomes.answers.recovery.tables import CARDS, TABLES, CanAnswer, TriedVerdict
from outcomes.answers.recovery.world import StudySize, measure, world_of
from outcomes.errors import FitRefused
from outcomes.mixed import FitStatus
from outcomes.models.refusals import SENTENCES, RefusalRule, few_people, first_that_holds
from outcomes.progress import tracked
from outcomes.release.identity import code_version
from outcomes.simulate import Truth, slope_truth
from outcomes.store.files import read_json, write_json
from outcomes.study import StudySettings
from outcomes.study.settings import AnalysisName
from outcomes.workers import Cluster, Processes, workers

MEMORY = "recovery.json"
"""File of the study folder with the cards of the sizes that were simulated last."""
MAX_KEPT = 8

SEED = 1  # of the first cohort
LARGE_CLIENTS, LARGE_SEEDS = 4_000, (1_000_001, 1_000_002)
"""Cohorts whose estimates stand for truths that have no closed form."""
_NO_ENDINGS = SENTENCES[RefusalRule.ENDINGS]
_NO_RATINGS = "This study does not have the ratings that this question needs."
POSITIVE = frozenset(Verdict) - {Verdict.NO_EFFECT, Verdict.UNDECIDED}


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings, memory: Path | None = None) -> dict[str, pl.DataFrame]:
    """Answer with table `recovery_cards`.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Tells the study's size.
    settings : StudySettings
        `recovery.cohorts` says how many cohorts at most; 0 refuses.
    memory : Path, optional
        Where the cards of the last simulated sizes are kept.

    Raises
    ------
    FitRefused
        If the study wants no simulation, or has no rated session.
    """
    if not settings.recovery.cohorts:
        raise FitRefused("The study file asks for no simulation, so how much these data can tell is not known.")
    size = measure(con, settings).rounded
    if not size.clients:
        raise FitRefused("No session has a rating of guidance, so the study has no size.")
    key = _key(size, settings)
    cards = _remembered(memory, key)
    if cards is None:
        cards = simulated_cards(size, settings)
        if memory:
            made = {"key": key, "size": asdict(size), "cards": [asdict(one) for one in cards]}
            write_json(memory, {"sizes": [made, *_kept(memory)][:MAX_KEPT]})
    missing = _missing(con)  # by estimator, why it cannot be asked
    simulated = {
        "n_clients": size.capped.clients,
        "n_therapists": size.capped.therapists,
        "sessions_per_client": size.sessions_per_client,
    }
    told = [asdict(_refused(one, missing)) | simulated for one in cards]
    return {CARDS.name: filled(CARDS, told)}


def simulated_cards(size: StudySize, settings: StudySettings) -> tuple[Card, ...]:
    """Simulate cohorts of a size and summarise every estimator, on all processors or on the study's cluster.

    The same size gives the same cards, whoever computes them.
    A card whose class is certain is tried no more: its number of cohorts is its own (`stopping`).

    Parameters
    ----------
    size : StudySize
    settings : StudySettings
        Gives the number of cohorts, the thresholds, the definition of dropout and the cluster.
    """
    if first_that_holds(few_people(size.clients, size.therapists, settings.disclosure)):
        return _all_refused(settings.recovery.cohorts)
    declared = (settings.disclosure, settings.dropout)
    world = world_of(size.capped, simulated_study(*declared))
    per_therapist = world.clients / world.therapists
    large = replace(world, clients=LARGE_CLIENTS, therapists=max(round(LARGE_CLIENTS / per_therapist), 2))
    cohorts = range(SEED, SEED + settings.recovery.cohorts)
    truth = slope_truth(world)
    distances = true_distances(world, settings.dropout.definition)
    ahead = [(world, cohorts[0], *declared, truth)]
    ahead += [(large, seed, *declared, None, _known_ahead(distances)) for seed in LARGE_SEEDS]
    with workers(settings.cluster.address) as pool:
        # The first cohort goes ahead, beside the very large ones: where its searches end, those of the others start.
        first, *very_large = _all_tried(pool, ahead)
        small, settled = [first], frozenset[str | World]()
        for numbers in rounds(len(cohorts)):
            jobs = [(world, cohorts[number], *declared, truth, settled, first.ends) for number in numbers if number]
            small += _all_tried(pool, jobs)
            found = _together(small, very_large, distances)
            settled = _settled(found, small, len(cohorts))
            if settled >= {*(one.name for one in ESTIMATORS), *VERDICTS}:
                break
    tried_on = [one.tried for one in small]
    verdicts = [verdict_card(name, *_verdicts_of(name, small), POSITIVE) for name in VERDICTS]
    return (*(card(one, where_tried(found, tried_on, one.name)) for one in ESTIMATORS), *verdicts)


def _all_tried(pool: Processes | Cluster, jobs: list[tuple]) -> list[Tried]:
    """What all jobs gave, by seed."""
    done = tracked(pool.run(try_cohort, jobs), "Recovery on simulated cohorts", len(jobs))
    return sorted(done, key=lambda one: one.seed)


def _together(small: list[Tried], very_large: list[Tried], distances: dict[str, float]) -> Simulated:
    """What the cohorts so far gave; `distances` are truths that are the same for all of them."""
    return Simulated(
        cohorts=[one.quotes for one in small],
        large=[one.quotes for one in very_large],
        known=_means([one.slopes for one in small]) | distances,
        sds=_means([one.sds for one in small]) | {"logit": LOGIT_SD},
    )


def _known_ahead(distances: dict[str, float]) -> frozenset[str]:
    """Estimators whose truth has a closed form: very large cohorts are not asked for it."""
    known = defaultdict(float, distances)  # slopes have one in any world
    return frozenset(one.name for one in ESTIMATORS if one.truth and not math.isnan(one.truth(known)))


def _settled(found: Simulated, small: list[Tried], n_cohorts: int) -> frozenset[str | World]:
    """Estimators, verdicts and verdicts' worlds that further cohorts would not change the class of."""
    tried_on = [one.tried for one in small]
    n_left = n_cohorts - len(small)
    settled: set[str | World] = {
        one.name for one in ESTIMATORS
        if is_settled(one, own := where_tried(found, tried_on, one.name), len(own.cohorts) + n_left)
    }  # fmt: skip
    for name in VERDICTS:
        null, fit = _verdicts_of(name, small)
        told = (null, fit, POSITIVE, max(len(null), len(fit)) + n_left)
        worlds = dict(zip((Truth.NO_EFFECT, Truth.FIT), settled_worlds(*told), strict=True))
        settled |= {(name, truth) for truth, is_certain in worlds.items() if is_certain}
        if all(worlds.values()) or is_verdict_settled(*told):
            settled.add(name)
    return frozenset(settled)


def _verdicts_of(name: TriedVerdict, small: list[Tried]) -> tuple[list[str], list[str]]:
    """A verdict in the worlds without effect and with fit, of the cohorts in which it was tried there."""
    null, fit = (
        [one.verdicts[name, truth] for one in small if (name, truth) in one.verdicts]
        for truth in (Truth.NO_EFFECT, Truth.FIT)
    )
    return null, fit


def _all_refused(n_cohorts: int) -> tuple[Card, ...]:
    """Cards of a study whose every model is refused: there is nothing to simulate."""
    none = Simulated([{}] * n_cohorts, [])
    refused = [FitStatus.REFUSED] * n_cohorts
    return (*(card(estimator, none) for estimator in ESTIMATORS),
            *(verdict_card(name, refused, refused, POSITIVE) for name in VERDICTS))  # fmt: skip


def _means(dicts: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(one[name] for one in dicts) / len(dicts) for name in dicts[0]}


def _missing(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Why the study cannot ask for some estimators at all: no endings, or not their ratings."""
    ratings = sorted({need for one in ESTIMATORS for need in one.needs} - {"ending"})
    counts = con.sql(f"select {', '.join(f'count({name})' for name in ratings)} from mart_session_directiveness")
    has = dict(zip(ratings, map(bool, counts.fetchall()[0]), strict=True))
    has["ending"] = bool(con.sql("select count(*) from core_dropout_labels").fetchall()[0][0])
    needs = {one.name: one.needs for one in ESTIMATORS} | dict.fromkeys(VERDICTS, ("directiveness_preferred_score",))
    needs[TriedVerdict.DROPOUT] += ("ending",)
    lacking = {name: {need for need in own if not has[need]} for name, own in needs.items()}
    return {name: _NO_ENDINGS if "ending" in own else _NO_RATINGS for name, own in lacking.items() if own}


def _refused(one: Card, missing: Mapping[str, str]) -> Card:
    """The card, without numbers where the study cannot ask its question."""
    if one.estimator not in missing:
        return one
    reason = missing[one.estimator]
    return Card(one.estimator, one.question, one.unit, one.n_cohorts, CanAnswer.NO, reason, FitStatus.REFUSED)


def _key(size: StudySize, settings: StudySettings) -> str:
    """Hash of all that decides the cards."""
    told = [astuple(size), settings.recovery.cohorts, settings.disclosure.model_dump_json(),
            settings.dropout.model_dump_json(), code_version()]  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _remembered(memory: Path | None, key: str) -> tuple[Card, ...] | None:
    words = {"answer": CanAnswer, "status": FitStatus}
    for kept in [] if memory is None else _kept(memory):
        if kept["key"] == key:
            return tuple(Card(**row | {name: kind(row[name]) for name, kind in words.items()}) for row in kept["cards"])
    return None


def _kept(memory: Path) -> list[dict]:
    """Cards of the sizes that were simulated last, the latest first."""
    return read_json(memory).get("sizes", []) if memory.is_file() else []


ANALYSIS = Analysis(AnalysisName.RECOVERY, TABLES, run, MEMORY, runs_beside=True)
