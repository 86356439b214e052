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

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.estimates import Numbers, attempt, numbers, refuse_all
from outcomes.answers.common.fitting import LEVEL, Answered
from outcomes.answers.common.replicates import replicates
from outcomes.answers.common.simplify import RandomEffect, fit_simplest
from outcomes.answers.common.tables import filled
from outcomes.answers.guidance.run import INTERCEPTS
from outcomes.answers.missing.imputations import OUTCOME, SHIFTS, Imputations, Refitted, refitted
from outcomes.answers.missing.rows import MissingRows, missing_rows, people
from outcomes.answers.missing.shared import shared_fits
from outcomes.answers.missing.staying import staying_weights
from outcomes.answers.missing.tables import LADDER, TABLES, LadderEffect, Rung
from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import Estimate, linear_estimate
from outcomes.methods.inference.robust_ols import robust_ols
from outcomes.methods.missing.rubins_rules import pool_imputations
from outcomes.methods.missing.tipping_point import tipping_point
from outcomes.mixed import FitStatus, SharedParameterFit, Sharing
from outcomes.progress import tracked
from outcomes.study.settings import AnalysisName, StudySettings

EFFECTS = {"directiveness_within": LadderEffect.WITHIN, "directiveness_client": LadderEffect.CLIENTS}
ASSOCIATIONS = {
    "client_id": LadderEffect.DROPOUT_ON_CLIENT,
    "therapist_id": LadderEffect.DROPOUT_ON_THERAPIST,
}
"""Change of the log odds of dropping out per point of satisfaction; in the shared-parameter model alone."""
ASSOCIATED = {(Sharing.INTERCEPT, group, str(Sharing.INTERCEPT)): told for group, told in ASSOCIATIONS.items()} | {
    (Sharing.BOTH, "client_id", str(Sharing.SLOPE)): LadderEffect.DROPOUT_ON_SLOPE,
    (Sharing.CURRENT_VALUE, "client_id", str(Sharing.CURRENT_VALUE)): LadderEffect.DROPOUT_ON_VALUE,
}
"""Which association of which model is told; each once."""

FIXED = "satisfaction_score ~ directiveness_within + directiveness_client + directiveness_therapist + log_session"
SLOPES = tuple(RandomEffect(group, "directiveness_within") for group in ("client_id", "therapist_id"))
"""One that does not vary is left out, here and on every other rung."""

N_IMPUTATIONS = 20
"""About one for each percent of information that is missing (White, Royston & Wood 2011, doi 10.1002/sim.4067)."""
_WEIGHTS_APART = 0.1  # mean of the weights less one, above which the model of who stays fits poorly


@dataclass(frozen=True)
class Ground:
    """The first rung and what the others take from it: rows, structure of the random effects, degrees of freedom."""

    rows: MissingRows
    model: Answered

    @property
    def formula(self) -> str:
        """Of the model, with the random effects that vary."""
        return self.model.fit.formula


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with table `missing_ladder`.

    Raises
    ------
    FitRefused
        Where no ending is known, or the data as observed cannot be answered (few therapists or clients).
    """
    return {LADDER.name: ladder(con, settings)}


def ladder(con: duckdb.DuckDBPyConnection, settings: StudySettings, n_imputations: int = N_IMPUTATIONS) -> pl.DataFrame:
    """Rows of table `missing_ladder`; see `run`."""
    rows = missing_rows(con)
    model = fit_simplest(f"{FIXED} + {INTERCEPTS}", SLOPES, rows.ratings, settings.disclosure)
    ground = Ground(rows, model)
    rungs = {
        Rung.OBSERVED: lambda: _told(ground, {term: model.estimate(term) for term in EFFECTS}),
        Rung.WEIGHTED: lambda: _weighted(ground),
        Rung.IMPUTED: lambda: _imputed(ground, settings, n_imputations),
        Rung.SHARED: lambda: _shared(ground, settings),
    }
    found = []
    for rung, compute in tracked(list(rungs.items()), "Ratings missing for a reason"):
        found += attempt({"rung": rung, "effect": LadderEffect.ALL}, compute)
    refuse_all(found)
    return filled(LADDER, found)


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
        yield {"effect": words}, _numbers(found, FitStatus.CONVERGED, people(rows), reason)


def _imputed(ground: Ground, settings: StudySettings, n_imputations: int) -> Iterator[tuple]:
    """Ratings that were not given and those of lost sessions, drawn from the model; then the same, shifted."""
    rows = ground.rows
    frame = pl.concat([rows.ratings.pl(), rows.lost], how="diagonal")
    n_imputed = frame[OUTCOME].null_count()
    if not n_imputed:
        raise FitRefused("No rating is missing: no session was left unrated and none was lost to dropout.")
    prepared = Imputations.of(ground.model.fit, frame)
    fits = replicates(refitted, prepared, n_imputations, "Imputations", settings.cluster.address)
    settled, scale = all(one.is_settled for one in fits), prepared.scale
    status = ground.model.status if settled else FitStatus.NOT_CONVERGED
    for term, words in EFFECTS.items():
        pooled = {shift: _pooled(fits, at, term, ground) for at, shift in enumerate(SHIFTS)}
        told = {"effect": words, "n_imputed": n_imputed}
        yield told, _numbers(pooled[0.0], status, people(frame))
        for shift, found in pooled.items():
            yield (
                told | {"rung": Rung.SHIFTED, "delta": shift * scale},
                _numbers(found, status, people(frame)),
            )
        yield from _tipping(pooled, scale, told, status, people(frame))


def _pooled(fits: list[Refitted], shift: int, term: str, ground: Ground) -> Estimate:
    at = ground.model.fit.names.index(term)
    df = float(ground.model.fit.df_denom.iloc[at])
    values, variances = [one.beta[shift, at] for one in fits], [one.variance[shift, at] for one in fits]
    return pool_imputations(values, variances, df, LEVEL).pooled


def _tipping(
    pooled: dict[float, Estimate], scale: float, told: dict, status: FitStatus, counts: tuple[int, int, int]
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
    for rung, shift in ((Rung.SIGN, found.sign), (Rung.SIGNIFICANCE, found.significance)):
        none = np.isnan(shift)
        reason = f"No shift between {shifts[0]:.1f} and {shifts[-1]:.1f} points does." if none else ""
        yield (
            told | {"rung": rung, "delta": None if none else float(shift)},
            replace(_counted(status, counts), reason=reason),
        )


def _shared(ground: Ground, settings: StudySettings) -> Iterator[tuple]:
    """Satisfaction and dropout with shared effects; the slopes of the model that describes them best."""
    fits = shared_fits(ground.formula, ground.rows, settings)
    best = min(fits, key=lambda fit: (fit.status is FitStatus.NOT_CONVERGED, fit.aic))
    counts = people(ground.rows.ratings.filter("satisfaction_score is not null").pl())

    def of(fit: SharedParameterFit) -> tuple[dict, FitStatus, str]:
        return {"sharing": fit.sharing, "aic": fit.aic}, fit.status, " ".join(fit.messages)

    words, status, reason = of(best)
    for term, effect in EFFECTS.items():
        row = np.array([float(name == term) for name in best.names])
        df = float(ground.model.fit.df_denom.iloc[ground.model.fit.names.index(term)])
        found = linear_estimate(row, best.beta, best.vcov, LEVEL, df)
        yield words | {"effect": effect}, _numbers(found, status, counts, reason)
    for fit in fits:
        words, status, reason = of(fit)
        yield words | {"effect": LadderEffect.MODEL}, replace(_counted(status, counts), reason=reason)
        for group, effect, value, error in fit.association.select("group", "effect", "estimate", "std_error").rows():
            told = ASSOCIATED.get((fit.sharing, group, effect))
            if value is not None and told:
                found = linear_estimate([1.0], [value], [[error**2]], LEVEL)
                yield words | {"effect": told}, _numbers(found, status, counts, reason)


def _numbers(found: Estimate, status: FitStatus, counts: tuple[int, int, int], reason: str = "") -> Numbers:
    return replace(
        _counted(status, counts),
        estimate=found.value,
        std_error=found.std_error,
        p_value=found.p_value,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        reason=reason,
    )


def _counted(status: FitStatus, counts: tuple[int, int, int]) -> Numbers:
    sessions, clients, therapists = counts
    return Numbers(status=status, n_sessions=sessions, n_clients=clients, n_therapists=therapists)


ANALYSIS = Analysis(AnalysisName.MISSING, TABLES, run)
