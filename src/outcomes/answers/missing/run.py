"""What if ratings are missing for a reason: one question under assumptions that grow less comfortable.

As observed, a rating that is missing because a client left is taken to be what the ratings before let expect. The rungs
above it give that up one after the other; how far they differ is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.common.estimates import REFUSED, Numbers, as_table, attempt, in_words, numbers, refuse_all
from outcomes.answers.common.fitting import LEVEL, Answered, fit_hazard_answer, fit_linear_answer
from outcomes.answers.common.risk_set import baseline
from outcomes.answers.missing.rows import MissingRows, missing_rows, people
from outcomes.answers.missing.staying import OUTCOME, USUAL, staying_weights
from outcomes.errors import FitRefused, UsageError
from outcomes.methods.inference.contrasts import Estimate, linear_estimate
from outcomes.methods.inference.robust_ols import robust_ols
from outcomes.methods.missing.rubins_rules import pool_imputations
from outcomes.methods.missing.tipping_point import tipping_point
from outcomes.mixed import (
    LinearFit,
    fit_shared_parameter,
    impute_linear,
    prepare_linear,
    refit_linear,
    shift_outcome,
)
from outcomes.models.state import ModelStatus
from outcomes.progress import tracked
from outcomes.study.settings import StudySettings

NAME = "missing"
TABLE = "missing_ladder"
TABLES = (TABLE,)
WORDS = ("rung", "effect")

OBSERVED, WEIGHTED, IMPUTED = "as observed", "weighted by the chance of staying", "multiple imputation"
SHARED, SHIFTED = "shared-parameter model", "shifted by delta"
SIGN, SIGNIFICANCE = "shift at which the sign flips", "shift at which significance flips"
EFFECTS = {"directiveness_within": "within client", "directiveness_client": "between clients"}
ASSOCIATIONS = {
    "client_id": "dropout on the client's level of satisfaction",
    "therapist_id": "dropout on the therapist's level of satisfaction",
}
"""Change of the log odds of dropping out per point of satisfaction; in the shared-parameter model alone."""

FIXED = "satisfaction_score ~ directiveness_within + directiveness_client + directiveness_therapist + log_session"
INTERCEPTS = "(1 | client_id) + (1 | therapist_id)"
SLOPES = {group: f"(0 + directiveness_within | {group})" for group in ("client_id", "therapist_id")}
ZERO_SD = 1e-3
"""Of a slope, relative to the residual standard deviation: below it the slope does not vary."""

N_IMPUTATIONS = 20
"""About one for each percent of information that is missing (White, Royston & Wood 2011, doi 10.1002/sim.4067)."""
SHIFTS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
"""Of the missing ratings, in standard deviations of the observed ones; wider than any reason to leave makes likely."""
SEED = 2_021
_WEIGHTS_APART = 0.1  # mean of the weights less one, above which the model of who stays fits poorly


@dataclass(frozen=True)
class Ground:
    """The first rung and what the others take from it: rows, structure of the random effects, degrees of freedom."""

    rows: MissingRows
    formula: str
    model: Answered


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with table `missing_ladder`.

    Raises
    ------
    FitRefused
        Where no ending is known, or the data as observed cannot be answered (few therapists or clients).
    """
    return {TABLE: ladder(con, settings)}


def ladder(con: duckdb.DuckDBPyConnection, settings: StudySettings, n_imputations: int = N_IMPUTATIONS) -> pl.DataFrame:
    """Rows of table `missing_ladder`; see `run`."""
    rows = missing_rows(con)
    formula, model = _as_observed(rows, settings)
    ground = Ground(rows, formula, model)
    rungs = {
        OBSERVED: lambda: _told(ground, {term: model.estimate(term) for term in EFFECTS}),
        WEIGHTED: lambda: _weighted(ground),
        IMPUTED: lambda: _imputed(ground, n_imputations),
        SHARED: lambda: _shared(ground, settings),
    }
    found = []
    for rung, compute in tracked(list(rungs.items()), "Ratings missing for a reason"):
        labels = {"rung": rung, "effect": "all", "delta": None, "n_imputed": None}
        found += attempt(labels, compute)
    refuse_all(found)
    table = as_table(found, WORDS)
    return table.with_columns(pl.col("delta").cast(pl.Float64), pl.col("n_imputed").cast(pl.Int64))


def _as_observed(rows: MissingRows, settings: StudySettings) -> tuple[str, Answered]:
    """The mixed model; a slope that does not vary is left out, here and on every other rung."""
    formula = " + ".join([FIXED, INTERCEPTS, *SLOPES.values()])
    model = fit_linear_answer(formula, rows.ratings, settings.disclosure)
    sloped = {block.group: block.sd[0] for block in model.fit.variances if block.names != ("(Intercept)",)}
    varying = [slope for group, slope in SLOPES.items() if sloped[group] > ZERO_SD * model.fit.sigma]
    if len(varying) < len(SLOPES):
        formula = " + ".join([FIXED, INTERCEPTS, *varying])
        model = fit_linear_answer(formula, rows.ratings, settings.disclosure)
    return formula, model


def _told(ground: Ground, found: dict[str, Estimate], **more: Any) -> Iterator[tuple]:
    for term, estimate in found.items():
        yield {"effect": EFFECTS[term], **more}, numbers(estimate, ground.model)


def _weighted(ground: Ground) -> Iterator[tuple]:
    """Weighted regression without random effects, errors robust to therapists (Robins, Hernan & Brumback 2000)."""
    weights, summary = staying_weights(ground.rows.risk_set)
    names = ground.model.fit.names
    rows = ground.rows.ratings.pl().drop_nulls(["satisfaction_score", *names[1:]])
    rows = rows.join(weights, on="session_id", how="inner", maintain_order="left")
    X = np.column_stack([np.ones(rows.height), *(rows[name].to_numpy() for name in names[1:])])
    fit = robust_ols(
        rows["satisfaction_score"].to_numpy(), X, rows["therapist_id"].to_numpy(), rows["weight"].to_numpy()
    )
    apart = abs(summary.mean_untruncated - 1) > _WEIGHTS_APART
    reason = "The weights do not average one: the model of who stays fits poorly." if apart else ""
    for term, words in EFFECTS.items():
        row = np.array([float(name == term) for name in names])
        found = linear_estimate(row, fit.beta, fit.covariance, LEVEL, fit.df)
        yield {"effect": words}, _numbers(found, ModelStatus.CONVERGED, people(rows), reason)


def _imputed(ground: Ground, n_imputations: int) -> Iterator[tuple]:
    """Ratings that were not given and those of lost sessions, drawn from the model; then the same, shifted."""
    fit, rows = ground.model.fit, ground.rows
    frame = pl.concat([rows.ratings.pl(), rows.lost], how="diagonal")
    y = frame["satisfaction_score"].fill_null(np.nan).to_numpy()
    is_imputed = np.isnan(y)
    if not is_imputed.any():
        raise FitRefused("No rating is missing: no session was left unrated and none was lost to dropout.")
    guidance = frame["directiveness_within"].fill_null(np.nan).to_numpy()
    spread = float(np.nanstd(guidance))
    scale = float(np.nanstd(y))
    fits: dict[float, list[LinearFit]] = {shift: [] for shift in SHIFTS}
    rng = np.random.default_rng(SEED)
    indicator = "is_imputed ~ 1 + (1 | client_id)"
    for k in tracked(range(n_imputations), "Imputations"):
        # Guidance in a lost session varies around the client's usual level as it did in the others.
        within = np.where(np.isnan(guidance), rng.normal(0.0, spread, y.size), guidance)
        frame = frame.with_columns(directiveness_within=pl.Series(within), is_imputed=pl.Series(is_imputed * 1.0))
        (drawn,) = impute_linear(fit, frame, y, 1, SEED + 1 + k)
        completed = y.copy()
        completed[is_imputed] = drawn
        gram = prepare_linear([ground.formula, indicator], frame.with_columns(satisfaction_score=pl.Series(completed)))
        outcome, by = (gram.population.design(formula).outcome for formula in (ground.formula, indicator))
        for shift in SHIFTS:
            fits[shift].append(refit_linear(fit, shift_outcome(gram, outcome, by, shift * scale)))
    settled = all(one.optimizer.is_converged for many in fits.values() for one in many)
    status = ModelStatus(ground.model.status) if settled else ModelStatus.NOT_CONVERGED
    n_imputed = int(is_imputed.sum())
    for term, words in EFFECTS.items():
        pooled = {shift: _pooled(many, term, ground) for shift, many in fits.items()}
        told = {"effect": words, "n_imputed": n_imputed}
        yield told, _numbers(pooled[0.0], status, people(frame))
        for shift, found in pooled.items():
            yield (
                told | {"rung": SHIFTED, "delta": shift * scale},
                _numbers(found, status, people(frame)),
            )
        yield from _tipping(pooled, scale, told, status, people(frame))


def _pooled(fits: list[LinearFit], term: str, ground: Ground) -> Estimate:
    at = fits[0].names.index(term)
    df = float(ground.model.fit.df_denom.iloc[ground.model.fit.names.index(term)])
    return pool_imputations([f.beta[at] for f in fits], [f.vcov[at, at] for f in fits], df, LEVEL).pooled


def _tipping(
    pooled: dict[float, Estimate], scale: float, told: dict, status: ModelStatus, counts: tuple[int, int, int]
) -> Iterator[tuple]:
    """Where the conclusion flips; a shift is no estimate, so these rows have none."""
    shifts = np.array(list(pooled)) * scale
    found = tipping_point(
        shifts,
        [one.value for one in pooled.values()],
        [one.std_error for one in pooled.values()],
        alpha=1 - LEVEL,
        df=pooled[0.0].df,
    )
    for rung, shift in ((SIGN, found.sign), (SIGNIFICANCE, found.significance)):
        none = np.isnan(shift)
        reason = f"No shift between {shifts[0]:.1f} and {shifts[-1]:.1f} points does." if none else ""
        yield (
            told | {"rung": rung, "delta": None if none else float(shift)},
            replace(_counted(status, counts), reason=reason),
        )


def _shared(ground: Ground, settings: StudySettings) -> Iterator[tuple]:
    """Satisfaction and dropout with shared client and therapist effects.

    The hazard holds the usual level of guidance over the whole course. For an effect on dropout that would be wrong (it
    knows the future); here it is held constant, as in the ratings' part, and its coefficient is not told.
    """
    at_risk, course = baseline(ground.rows.risk_set, OUTCOME)
    hazard = f"{OUTCOME} ~ {' + '.join((*USUAL, *course))} + (1 | therapist_id)"
    fit_hazard_answer(hazard, at_risk, settings.disclosure)  # refuses what dropout cannot inform
    try:
        fit = fit_shared_parameter(ground.formula, hazard, ground.rows.ratings, at_risk)
    except UsageError as error:
        raise FitRefused(error.message, error.hint) from error
    status = ModelStatus(str(fit.status).replace(" ", "_"))
    counts, reason = people(ground.rows.ratings.filter("satisfaction_score is not null").pl()), " ".join(fit.messages)
    for term, words in EFFECTS.items():
        row = np.array([float(name == term) for name in fit.names])
        df = float(ground.model.fit.df_denom.iloc[ground.model.fit.names.index(term)])
        found = linear_estimate(row, fit.beta, fit.vcov, LEVEL, df)
        yield {"effect": words}, _numbers(found, status, counts, reason)
    for group, value, error in fit.association.iter_rows():
        if value is not None:
            found = linear_estimate([1.0], [value], [[error**2]], LEVEL)
            yield {"effect": ASSOCIATIONS[group]}, _numbers(found, status, counts, reason)


def _numbers(found: Estimate, status: ModelStatus, counts: tuple[int, int, int], reason: str = "") -> Numbers:
    return replace(
        _counted(status, counts),
        estimate=found.value,
        std_error=found.std_error,
        p_value=found.p_value,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        reason=reason,
    )


def _counted(status: ModelStatus, counts: tuple[int, int, int]) -> Numbers:
    sessions, clients, therapists = counts
    return Numbers(status=status.value, n_sessions=sessions, n_clients=clients, n_therapists=therapists)


def sentences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Say in plain words whether the conclusion rests on how missing ratings are read."""
    rows = con.table(TABLE).pl().rows(named=True)
    return [line for effect in EFFECTS.values() for line in conclusion(rows, effect)]


def conclusion(rows: list[dict], effect: str) -> list[str]:
    """Judge one effect over the rungs of table `missing_ladder`."""
    refused = [row["rung"] for row in rows if row["status"] == REFUSED]
    own = [row for row in rows if row["effect"] == effect]
    rungs = [row for row in own if row["delta"] is None and row["estimate"] is not None]
    first = next((row for row in rungs if row["rung"] == OBSERVED), None)
    if first is None:
        return [f"Guidance and satisfaction, {effect}: not estimated."]
    others = [row["rung"] for row in rungs if _judgement(row) != _judgement(first)]
    state = "" if first["status"] == ModelStatus.CONVERGED else f"({first['status'].replace('_', ' ')}) "
    told = in_words(first, "points of satisfaction per point")
    lines = [
        f"{state}Guidance and satisfaction, {effect}, as observed: {told}",
        f"Read otherwise ({', '.join(others)}), the conclusion is another one."
        if others
        else "The conclusion is the same however the missing ratings are read, as far as this was tried.",
    ]
    lines += [_tipped(row) for row in own if row["rung"] in (SIGN, SIGNIFICANCE)]
    if refused:
        lines.append(f"Not estimated: {', '.join(refused)}.")
    return lines


def _judgement(row: dict) -> int:
    return int(row["conf_low"] > 0) - int(row["conf_high"] < 0)


def _tipped(row: dict) -> str:
    what = "The sign" if row["rung"] == SIGN else "Whether the interval holds zero"
    if row["delta"] is None:
        return f"{what} does not change. {row['reason']}"
    way = "lower" if row["delta"] < 0 else "higher"
    return (
        f"{what} changes if the missing ratings were {abs(row['delta']):.2f} points {way} than the others let expect."
    )
