"""Every estimate that a report quotes, from one simulated cohort: the answers' own models, with Wald intervals.

Where an answer takes its interval from a bootstrap, a Wald interval stands in for it here (delta method on the fixed
effects; on the logarithm for a standard deviation between therapists): a bootstrap in every cohort would take hours.
Distances from the preference (`distances`) have the answer's own bootstrap, which takes no refit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from functools import partial

import duckdb
import numpy as np
import polars as pl
from scipy import stats

from outcomes.answers.balance.reactance import reactance_rows
from outcomes.answers.balance.tables import ReactanceGuidance, ReactanceQuantity
from outcomes.answers.common.fitting import Answered, fit_hazard_answer, fit_linear_answer
from outcomes.answers.common.risk_set import baseline, risk_set
from outcomes.answers.common.sessions import SESSIONS, session_rows
from outcomes.answers.common.words import Cause, HazardTerm, Outcome, Reading
from outcomes.answers.connection.run import PATHS, SINGLE, Leg, Path, along, one_leg
from outcomes.answers.connection.tables import ConnectionQuestion, Timing
from outcomes.answers.dropout.incidence import LEVELS, cause_model, risks_by_level
from outcomes.answers.dropout.run import effect_rows
from outcomes.answers.guidance.run import INTERCEPTS, LAGGED, MODELS, QUOTED, STARTS, lag_rows, level_rows, settled
from outcomes.answers.guidance.tables import GuidanceModel, GuidanceQuestion, SlopePart
from outcomes.answers.recovery.cards import FINDABLE, POWER
from outcomes.answers.recovery.distances import OF_DROPOUT, OF_SATISFACTION, dropout_distances, satisfaction_distances
from outcomes.answers.recovery.quote import ALPHA, RISK_SESSION, Quote
from outcomes.answers.recovery.tables import EstimatorName
from outcomes.errors import FitRefused
from outcomes.methods.therapists.therapist_effects import (
    boundary_p_value,
    detectable_variance,
    median_odds_ratio,
    variance_share,
)
from outcomes.mixed import FitStatus, fit_cluster_robust, fit_linear
from outcomes.study import StudySettings

READ = ("mart_session_directiveness", "mart_person_session", "mart_clients", "core_dropout_labels", "core_episodes")
"""Tables of a release that the quotes are estimated from."""


def quotes(con: duckdb.DuckDBPyConnection, settings: StudySettings, settled: Collection[str] = ()) -> tuple[Quote, ...]:
    """Estimate everything on one cohort; what it cannot answer is a refused quote.

    Parameters
    ----------
    con : connection
    settings : StudySettings
    settled : collection of str
        Estimators that need no further quote; see `tried`.
    """
    session_rows(con)
    found: list[Quote] = []
    for part, names in PARTS.items():
        if set(names) <= set(settled):
            continue
        try:
            found += part(con, settings)
        except FitRefused:  # no quote is a refused one
            continue
    return tuple(found)


def tried(settled: Collection[str]) -> frozenset[EstimatorName]:
    """Estimators that `quotes` tries all the same: those that share their models with one that is not settled."""
    return frozenset(name for names in PARTS.values() if not set(names) <= set(settled) for name in names)


_SLOPES = {
    GuidanceModel.SLOPE_BY_THERAPIST: {
        (GuidanceQuestion.SLOPE, SlopePart.WITHIN): EstimatorName.WITHIN,
        (GuidanceQuestion.CONTEXT, SlopePart.CLIENTS_LESS_WITHIN): EstimatorName.CLIENT_CONTEXT,
        (GuidanceQuestion.CONTEXT, SlopePart.THERAPISTS_LESS_WITHIN): EstimatorName.THERAPIST_CONTEXT,
    },
    GuidanceModel.THREE_LEVELS: {
        (GuidanceQuestion.SLOPE, SlopePart.CLIENTS): EstimatorName.CLIENTS,
        (GuidanceQuestion.SLOPE, SlopePart.THERAPISTS): EstimatorName.THERAPISTS,
        (GuidanceQuestion.CORRECTED, SlopePart.CLIENTS): EstimatorName.CLIENTS_CORRECTED,
    },
}
"""What is quoted from each of the models of the three levels."""
_LAGGED = {
    GuidanceQuestion.NEXT_SATISFACTION: EstimatorName.NEXT_SATISFACTION,
    GuidanceQuestion.NEXT_GUIDANCE: EstimatorName.NEXT_GUIDANCE,
}


def _slopes(model: GuidanceModel, con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """What one model is quoted for; simpler models are fitted only while a singular one must give way to them."""
    mart, rule = con.table("mart_session_directiveness"), settings.disclosure
    corrected = tuple(MODELS) if QUOTED["directiveness_client"] is model else ()
    names, rows, found = _SLOPES[model], [], {}
    for one in list(MODELS)[list(MODELS).index(model) :: -1]:
        rows += level_rows(mart, rule, "satisfaction_score", (one,), corrected)
        quoted = [row for row in rows if row["is_quoted"] and (row["question"], row["part"]) in names]
        found = {names[row["question"], row["part"]]: settled(row, rows) for row in quoted}
        if all(row["status"] != FitStatus.SINGULAR for row in found.values()):
            break
    yield from (_of_row(name, row) for name, row in found.items())


def _lag(question: GuidanceQuestion, con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    (row,) = lag_rows(con.table(SESSIONS), settings.disclosure, question, GuidanceModel.FIRST_RATINGS)
    yield _of_row(_LAGGED[question], row)


def _reactance(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    rows = reactance_rows(con, settings, (Outcome.SATISFACTION,)).filter(
        pl.col("quantity") == ReactanceQuantity.CHANGE, pl.col("guidance") == ReactanceGuidance.WITHIN
    )
    for row in rows.iter_rows(named=True):
        yield _of_row(EstimatorName.REACTANCE, row)


_DROPOUT = {HazardTerm.SO_FAR: EstimatorName.DROPOUT_SO_FAR, HazardTerm.CHANGE: EstimatorName.DROPOUT_CHANGE}


def _dropout(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    for row in effect_rows(con, settings, settings.dropout.definition.value, Cause.DROPOUT, Reading.AS_RECORDED):
        if row["status"] != FitStatus.REFUSED:
            yield _of_row(_DROPOUT[row["effect"]], row)


def _risk(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """The difference of risks by session 8, high less low guidance; delta method on both hazards' fixed effects."""
    sessions = risk_set(con, settings.dropout.definition.value, Reading.AS_RECORDED, settings.dropout.silent_days)
    causes = (cause_model(sessions, "is_dropout", settings), cause_model(sessions, "is_another", settings))
    mean, sd = sessions.aggregate("avg(directiveness_so_far), stddev_samp(directiveness_so_far)").fetchall()[0]
    designs = [cause.rows(mean + sd * np.array(list(LEVELS.values()))) for cause in causes]
    is_possible = [cause.is_possible() for cause in causes]
    variances = [float(cause.model.fit.variances[0].cov[0, 0]) for cause in causes]
    betas = [cause.model.fit.beta for cause in causes]

    def difference(moved: list[np.ndarray]) -> float:
        return float(risks_by_level(designs, is_possible, moved, variances)[0, -1, RISK_SESSION - 1])

    variance = 0.0
    for k, cause in enumerate(causes):
        gradient = np.empty(betas[k].size)
        for j in range(betas[k].size):
            step = np.zeros(betas[k].size)
            step[j] = 1e-4
            up, down = ([b + s * step if i == k else b for i, b in enumerate(betas)] for s in (1, -1))
            gradient[j] = (difference(up) - difference(down)) / 2e-4
        variance += gradient @ cause.model.fit.vcov @ gradient
    yield _wald(EstimatorName.DROPOUT_RISK, difference(betas), math.sqrt(variance))


def _path(path: Path, con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    (_, product) = list(along(path, con.table(SESSIONS), settings.disclosure))[-1]
    # The Monte-Carlo interval is nearly symmetric at these sizes; its width stands for the error.
    half = (product.conf_high - product.conf_low) / 2
    found = product.conf_low > 0 or product.conf_high < 0
    limits = (product.conf_low, product.conf_high, found)
    yield Quote(EstimatorName(path.question), product.estimate, half / stats.norm.ppf(1 - ALPHA / 2), *limits)


def _leg(leg: Leg, con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    ((_, told),) = one_leg(leg, con.table(SESSIONS), settings.disclosure)
    limits = (told.conf_low, told.conf_high, told.p_value < ALPHA)
    yield Quote(EstimatorName(leg.words), told.estimate, told.std_error, *limits)


def _share(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """Therapists' share of the variance of satisfaction; Wald on the log of their standard deviation, LRT."""
    mart = con.table("mart_session_directiveness").filter("therapist_id is not null")
    fixed = "satisfaction_score ~ log_session"
    answered = fit_linear_answer(f"{fixed} + {INTERCEPTS}", mart, settings.disclosure)
    model = answered.fit
    without = fit_linear(f"{fixed} + (1 | client_id)", mart)
    client = next(float(block.cov[0, 0]) for block in model.variances if block.group == "client_id")
    lrt = max(without.criterion - model.criterion, 0.0)
    yield _spread(
        EstimatorName.THERAPIST_SHARE, answered, lrt, lambda sd: variance_share(sd**2, client, model.sigma**2)
    )


def _odds(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """The median odds ratio of dropout between therapists, as its logarithm."""
    rows = risk_set(con, settings.dropout.definition.value, Reading.AS_RECORDED, settings.dropout.silent_days)
    at_risk, course = baseline(rows, "is_dropout")
    formula = " + ".join(["is_dropout ~ 1", *course])
    answered = fit_hazard_answer(f"{formula} + (1 | therapist_id)", at_risk, settings.disclosure)
    without = fit_cluster_robust(formula, at_risk.filter("therapist_id is not null"), "therapist_id")
    lrt = max(without.criterion - answered.fit.criterion, 0.0)
    yield _spread(EstimatorName.THERAPIST_ODDS, answered, lrt, lambda sd: math.log(median_odds_ratio(sd**2)))


def _spread(name: EstimatorName, answered: Answered, lrt: float, of: Callable[[float], float]) -> Quote:
    """A measure that rises with the therapists' standard deviation, with the limits of the latter carried over.

    Its error is the one that the test sees: an effect of `FINDABLE` of them is found in `POWER` of studies.
    """
    row = answered.fit.sd_conf_int(1 - ALPHA).row(by_predicate=pl.col("group") == "therapist_id", named=True)
    if row["conf_low"] is None:  # estimated as none: there is no Wald interval
        return Quote(name)
    value, low, high = (of(row[limit]) for limit in ("sd", "conf_low", "conf_high"))
    smallest = of(math.sqrt(detectable_variance(row["sd"] ** 2, lrt, answered.n_therapists, ALPHA, POWER)))
    return Quote(name, value, smallest / FINDABLE, low, high, boundary_p_value(lrt) < ALPHA)


def _responsiveness(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[Quote]:
    """The average therapist's response; its model has a slope by therapist, as in the answer."""
    fixed, term = LAGGED[GuidanceQuestion.NEXT_GUIDANCE]
    start = STARTS[GuidanceModel.FIRST_RATINGS]
    formula = f"{fixed}{start} + {INTERCEPTS} + (0 + satisfaction_within | therapist_id)"
    model = fit_linear_answer(formula, con.table(SESSIONS), settings.disclosure)
    told = model.estimate(term)
    limits = (told.conf_low, told.conf_high, told.p_value < ALPHA)
    yield Quote(EstimatorName.RESPONSE, told.value, told.std_error, *limits)


def _of_row(name: EstimatorName, row: dict) -> Quote:
    values = [row[column] for column in ("estimate", "std_error", "conf_low", "conf_high")]
    if row["status"] == FitStatus.REFUSED or None in values:
        return Quote(name)
    return Quote(name, *values, is_found=values[2] > 0 or values[3] < 0)


def _wald(name: EstimatorName, value: float, error: float) -> Quote:
    half = float(stats.norm.ppf(1 - ALPHA / 2)) * error
    return Quote(name, value, error, value - half, value + half, abs(value) > half)


PARTS: dict[Callable[[duckdb.DuckDBPyConnection, StudySettings], Iterator[Quote]], tuple[EstimatorName, ...]] = {
    **{partial(_slopes, model): tuple(names.values()) for model, names in _SLOPES.items()},
    **{partial(_lag, question): (name,) for question, name in _LAGGED.items()},
    _reactance: (EstimatorName.REACTANCE,),
    _dropout: tuple(_DROPOUT.values()),
    _risk: (EstimatorName.DROPOUT_RISK,),
    **{partial(_path, path): (EstimatorName(path.question),) for path in PATHS if path.timing is Timing.NEXT},
    **{
        partial(_leg, leg): (EstimatorName(leg.words),)
        for question, leg, _ in SINGLE
        if question is ConnectionQuestion.ASKING
    },
    _share: (EstimatorName.THERAPIST_SHARE,),
    _odds: (EstimatorName.THERAPIST_ODDS,),
    _responsiveness: (EstimatorName.RESPONSE,),
    dropout_distances: tuple(OF_DROPOUT.values()),
    satisfaction_distances: tuple(OF_SATISFACTION.values()),
}
"""What is estimated together, and the estimators that it gives."""
