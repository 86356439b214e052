"""The slope within clients in every way that the study calls defensible, and what all of them say together.

All linear specifications of one population (ratings, lag, covariates) are cut out of the same cross-products; clients
are left out of them by cells. Specifications are tested together only over dimensions whose choices the study declares
equivalent: the score contributions of whole therapists change sign, so that neither sessions of one client nor clients
of one therapist need to be independent (PIMA: Girardi et al. 2024, doi 10.1007/s11336-024-09973-6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.estimates import Numbers, numbers, of_model, refuse_all
from outcomes.answers.common.fitting import Answered, refuse_few
from outcomes.answers.common.tables import filled
from outcomes.answers.multiverse.adjusted import adjusted_estimates, adjusted_formula, adjusted_specs
from outcomes.answers.multiverse.rows import clients, session_table
from outcomes.answers.multiverse.specs import TAKES_PART, TESTED, Space, formula, space
from outcomes.answers.multiverse.tables import EFFECT, OUTCOME, SPECS, TABLES, TESTS, UNIT, Choosing, choice_words
from outcomes.errors import FitRefused
from outcomes.methods.inference.multiverse import JointInference, sign_flip_inference
from outcomes.mixed import (
    FitStatus,
    GramData,
    LinearFit,
    Scores,
    fit_many,
    prepare_linear,
    score_contributions,
    subset,
)
from outcomes.progress import tracked
from outcomes.study.settings import AnalysisName, StudySettings
from outcomes.study.tables.multiverse import Responsiveness

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Estimated:
    """One specification: its choices, its numbers, and its scores where it was estimated."""

    spec: dict[str, str]
    numbers: Numbers
    scores: Scores | None = None


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with tables `multiverse_specs` and `multiverse_tests`.

    Raises
    ------
    FitRefused
        Where no specification can be estimated.
    """
    sessions = session_table(con, settings)
    found = space(settings, sessions)
    specs = list(found.specs())
    estimated = list(tracked(_estimates(con, settings, specs), "Specifications", len(specs)))
    estimated += _adjusted(con, settings, found)
    refuse_all([{"status": one.numbers.status, "reason": one.numbers.reason} for one in estimated])
    rows, tests = [], []
    ids = {id(one): f"s{number:04d}" for number, one in enumerate(estimated, start=1)}
    for pool, members in _pools(found, estimated):
        joint, reason = _joint(members, settings)
        adjusted = iter([] if joint is None else joint.p_adjusted)
        for one in members:
            rows.append(
                {"spec": ids[id(one)], "outcome": OUTCOME, "effect": EFFECT, "unit": UNIT, "pool": pool}
                | {name: choice_words(choice) for name, choice in one.spec.items()}
                | {"formula": adjusted_formula(one.spec) if is_adjusted(one.spec) else formula(one.spec)}
                | {"p_adjusted": None if one.scores is None or joint is None else float(next(adjusted))}
                | asdict(one.numbers)
            )
        tests.append(_test(found, pool, members, joint, reason))
    rows.sort(key=lambda row: row["spec"])
    return {SPECS.name: filled(SPECS, rows), TESTS.name: filled(TESTS, tests)}


def is_adjusted(spec: dict[str, str]) -> bool:
    """Whether therapists' responses are allowed for."""
    return spec[Choosing.RESPONSIVENESS] == Responsiveness.ADJUSTED


def _adjusted(con: duckdb.DuckDBPyConnection, settings: StudySettings, found: Space) -> list[Estimated]:
    """Specifications with the dynamic model, where the study asks for them."""
    if Responsiveness.ADJUSTED not in settings.multiverse.responsiveness:
        return []
    specs = list(adjusted_specs(found))
    told = tracked(adjusted_estimates(con, settings, specs), "Adjusted specifications", len(specs))
    return [Estimated(spec, one) for spec, one in zip(specs, told, strict=True)]


def _estimates(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, specs: list[dict[str, str]]
) -> Iterator[Estimated]:
    """Every specification; the data are read once a population and cut once an exclusion."""
    starts: dict[tuple[str, ...], LinearFit] = {}
    for (rating, guidance), of_pair in groupby(
        specs, key=lambda spec: (spec[Choosing.SATISFACTION_RATING], spec[Choosing.GUIDANCE_RATING])
    ):
        sessions = session_table(con, settings, rating, guidance)
        people = clients(sessions)
        for _, of_population in groupby(of_pair, key=itemgetter(Choosing.LAG, Choosing.COVARIATES)):
            members = list(of_population)
            try:
                gram = prepare_linear(list(dict.fromkeys(map(formula, members))), sessions, by_cell=True)
            except FitRefused as refusal:
                yield from (Estimated(spec, Numbers(reason=refusal.message)) for spec in members)
                continue
            for exclusion, same_rows in groupby(members, key=itemgetter(Choosing.EXCLUSIONS)):
                of_cells = gram.levels[("client_id",)]
                keep = np.array([TAKES_PART[exclusion](*people[client]) for client in of_cells.labels])
                yield from _of_rows(gram, keep[of_cells.codes], list(same_rows), settings, starts)


def _of_rows(
    gram: GramData,
    keep: np.ndarray,
    specs: list[dict[str, str]],
    settings: StudySettings,
    starts: dict[tuple[str, ...], LinearFit],
) -> Iterator[Estimated]:
    """Specifications of the same sessions; `starts` has the last model of each kind, and is kept up."""
    try:
        left = subset(gram, keep)
        counted = {
            "n_sessions": left.n_rows,
            "n_clients": left.levels[("client_id",)].n_levels,
            "n_therapists": left.levels[("therapist_id",)].n_levels,
        }
        refuse_few(counted, settings.disclosure)
    except FitRefused as refusal:
        yield from (Estimated(spec, Numbers(reason=refusal.message)) for spec in specs)
        return
    kinds: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for spec in specs:
        kinds.setdefault((spec[Choosing.LAG], spec[Choosing.STRUCTURE]), []).append(spec)
    found = {}
    for kind, members in kinds.items():
        for spec, fit in zip(members, fit_many(list(map(formula, members)), left, starts.get(kind)), strict=True):
            found[id(spec)] = _of_spec(spec, fit, counted)
            if isinstance(fit, LinearFit) and fit.optimizer.is_converged:
                starts[kind] = fit
    yield from (found[id(spec)] for spec in specs)


def _of_spec(spec: dict[str, str], fit: LinearFit | FitRefused, counted: dict[str, int]) -> Estimated:
    """One specification; one that did not converge or is singular keeps its state and gives no estimate."""
    if isinstance(fit, FitRefused):
        return Estimated(spec, Numbers(reason=fit.message))
    try:
        answered = Answered(fit, **counted, n_events=counted["n_sessions"])
        if fit.status is not FitStatus.CONVERGED:
            return Estimated(spec, of_model(answered, None))
        estimate = answered.estimate(TESTED)
    except FitRefused as refusal:
        return Estimated(spec, Numbers(reason=refusal.message))
    return Estimated(spec, numbers(estimate, answered), score_contributions(fit, TESTED, "therapist_id"))


def _pools(found: Space, estimated: list[Estimated]) -> Iterator[tuple[str, list[Estimated]]]:
    """Specifications that differ in equivalent choices only, with what they share in words."""
    pools: dict[str, list[Estimated]] = {}
    apart = (*found.apart, *([Choosing.RESPONSIVENESS] if any(is_adjusted(one.spec) for one in estimated) else []))
    for one in estimated:
        shared = "; ".join(f"{choice_words(name)}: {choice_words(one.spec[name])}" for name in apart)
        pools.setdefault(shared or "all specifications", []).append(one)
    yield from pools.items()


def _joint(members: list[Estimated], settings: StudySettings) -> tuple[JointInference | None, str]:
    """Joint inference over the members that were estimated, or why there is none."""
    scores = [one.scores for one in members if one.scores is not None]
    if not scores and any(one.numbers.estimate is not None for one in members):
        return None, "The joint test is not made for the dynamic model."
    if not scores:
        return None, "No specification of these could be estimated."
    labels = sorted(set().union(*(one.labels for one in scores)))
    at = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(scores)))
    for column, one in enumerate(scores):
        matrix[[at[label] for label in one.labels], column] = one.values
    try:
        rng = np.random.default_rng(settings.multiverse.seed)
        return sign_flip_inference(matrix, rng, settings.multiverse.flips), ""
    except FitRefused:
        return None, "There are too few therapists for a test of all specifications together."


def _test(found: Space, pool: str, members: list[Estimated], joint: JointInference | None, reason: str) -> dict:
    """One row of `multiverse_tests`: the middle specification stands for all, the joint p-value tests all."""
    values = sorted((one.numbers for one in members if one.numbers.estimate is not None), key=lambda one: one.estimate)
    middle = values[(len(values) - 1) // 2] if values else Numbers()
    states = [one.numbers.status for one in members]
    row = {
        "outcome": OUTCOME, "effect": EFFECT, "unit": UNIT, "pool": pool,
        "pooled_over": ", ".join(map(choice_words, found.pooled)), "left_out": "; ".join(found.left_out),
        "n_specs": len(members), "n_estimated": len(values), "n_singular": states.count(FitStatus.SINGULAR),
        "n_not_converged": states.count(FitStatus.NOT_CONVERGED), "n_refused": states.count(FitStatus.REFUSED),
        "lowest": values[0].estimate if values else None, "highest": values[-1].estimate if values else None,
        "same_sign_prop": _share(values, lambda one: (one.estimate > 0) == (middle.estimate > 0)),
        "significant_prop": _share(values, lambda one: one.p_value < SIGNIFICANT),
        "n_flips": None if joint is None else joint.n_resamples,
    }  # fmt: skip
    return row | asdict(middle) | {"p_value": None if joint is None else joint.p_global, "reason": reason}


def _share(values: list[Numbers], holds) -> float | None:
    return sum(map(holds, values)) / len(values) if values else None


ANALYSIS = Analysis(AnalysisName.MULTIVERSE, TABLES, run)
