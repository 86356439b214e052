"""How therapists change guidance after the session before, and whether being nearer to the preference pays.

Satisfaction is followed by the dynamic model, which takes the client's and the therapist's lasting levels out. How much
therapists differ in their responses needs a slope by therapist, which only the mixed model has; it is given the
episode's first ratings, because a lagged rating goes with the client's intercept (docs/answers.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.dynamics import SERIES, TIME, with_errors
from outcomes.answers.common.estimates import Numbers, attempt, numbers, of_model, refuse_all
from outcomes.answers.common.fitting import LEVEL, Answered, fit_linear_answer, refuse_few
from outcomes.answers.common.sessions import refuse_steady, session_rows
from outcomes.answers.common.tables import filled
from outcomes.answers.responsiveness.tables import RESPONSES, TABLES, After, ResponseModel, ResponseQuantity
from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import linear_estimate
from outcomes.mixed import (
    CARRY_OVER_OF_GUIDANCE,
    RESPONSIVENESS,
    DynamicFit,
    FitStatus,
    compare,
    fit_dynamic,
    fit_linear,
    profile_intervals,
)
from outcomes.store.warehouse import sql_table
from outcomes.study.settings import AnalysisName, Disclosure, StudySettings

_INTERCEPTS = "(1 | client_id) + (1 | therapist_id)"
_TO_GUIDANCE = "points of guidance per point"


@dataclass(frozen=True)
class Response:
    """One response of therapists in the mixed model.

    Attributes
    ----------
    fixed : str
        Outcome and covariates.
    term : str
        The rating of the session before.
    varies : str
        Its departure from the client's mean, whose slope differs between therapists.
    is_spread_only : bool
        The average response is biased here (the mean holds later sessions); how therapists differ in it is not.
    """

    fixed: str
    term: str
    varies: str
    is_spread_only: bool = False


_PREFERRED = "directiveness_preferred_score"
_RESPONSES = {
    After.SATISFACTION: Response(
        "directiveness_next ~ satisfaction_score + directiveness_score + log_session + satisfaction_first "
        "+ directiveness_first",
        "satisfaction_score",
        "satisfaction_within",
    ),
    After.OVERWHELM: Response(
        "directiveness_next ~ felt_overwhelmed_score + directiveness_score + log_session + felt_overwhelmed_first "
        "+ directiveness_first",
        "felt_overwhelmed_score",
        "felt_overwhelmed_within",
    ),
    After.MISFIT: Response(
        f"directiveness_next ~ directiveness_within + directiveness_client_mean + {_PREFERRED} + log_session",
        "directiveness_within",
        "directiveness_within",
        is_spread_only=True,
    ),
}
"""The preference of a client does not change, so a departure from it is a departure of guidance, with the preference
held."""

_DYNAMICS = {
    After.SATISFACTION: (RESPONSIVENESS, "of satisfaction"),
    After.MISFIT: (CARRY_OVER_OF_GUIDANCE, "of guidance"),
}
_NOW = {"misfit_size": -1.0, "misfit_squared": -3.0}
_BEFORE = {"misfit_previous": -1.0, "misfit_previous_squared": -3.0}
"""From two points away from the preference to one: b1 (1 - 2) + b2 (1 - 4)."""


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with table `responsiveness_effects`.

    Raises
    ------
    FitRefused
        Where no part can be answered: too few therapists or clients, above all.
    """
    session_rows(con)
    sessions = sql_table(con, "answers/answer_responsiveness").filter("therapist_id is not null")
    refuse_steady(sessions)
    rule = settings.disclosure
    labels = {"quantity": ResponseQuantity.NEXT_GUIDANCE, "model": ResponseModel.DYNAMIC, "unit": "", "is_quoted": True}
    rows = attempt(labels | {"after": After.SATISFACTION}, lambda: _by_dynamics(sessions, rule))
    for after, response in _RESPONSES.items():
        mixed = labels | {"after": after, "model": ResponseModel.MIXED, "unit": _TO_GUIDANCE}
        rows += attempt(mixed, lambda r=response, a=after: _by_therapist(sessions, r, a, rule))
    toward = labels | {"after": After.TOWARD, "quantity": ResponseQuantity.ALL}
    rows += attempt(toward, lambda: _toward(sessions, rule))
    mixed = toward | {"quantity": ResponseQuantity.NEXT_MISFIT, "model": ResponseModel.MIXED}
    rows += attempt(mixed, lambda: _next_misfit(sessions, rule))
    refuse_all(rows)
    return {RESPONSES.name: filled(RESPONSES, rows)}


def _by_dynamics(sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Iterator[tuple]:
    """Guidance in the next session per point of satisfaction, and of guidance, above what is usual for this client."""
    fit = _dynamic(sessions, ("directiveness_score",), (), rule)
    for after, (name, of) in _DYNAMICS.items():
        yield {"after": after, "unit": f"{_TO_GUIDANCE} {of}"}, _numbers(fit, {name: 1.0})


def _by_therapist(sessions: duckdb.DuckDBPyRelation, of: Response, after: After, rule: Disclosure) -> Iterator[tuple]:
    """The response of the average therapist, and how much therapists differ in it (profile-likelihood interval)."""
    small = f"{of.fixed} + {'(1 | therapist_id)' if of.is_spread_only else _INTERCEPTS}"
    model = fit_linear_answer(f"{small} + (0 + {of.varies} | therapist_id)", sessions, rule)
    if not of.is_spread_only:
        yield {"is_quoted": after not in _DYNAMICS}, numbers(model.estimate(of.term), model)
    without = fit_linear(small, sessions)
    found = profile_intervals(model.fit, LEVEL, ()).filter(
        pl.col("component") == "therapist_id", pl.col("name") == of.varies
    )
    row = found.row(0, named=True)
    told = of_model(
        model, row["estimate"], None, compare(without, model.fit).p_value, row["conf_low"], row["conf_high"]
    )
    yield {"quantity": ResponseQuantity.SPREAD}, told


def _toward(sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Iterator[tuple]:
    """One point nearer to the preference: satisfaction in this session, and in the next with its own guidance held.

    The distance enters with its square, in both sessions: a cost that grows with the distance and is taken as a line
    would leave something of the client's usual distance to the session before.
    """
    fit = _dynamic(sessions, ("directiveness_score", *_NOW, *_BEFORE, _PREFERRED), (_PREFERRED,), rule)
    unit = {"unit": "points of satisfaction, from two points away to one"}
    yield unit | {"quantity": ResponseQuantity.SAME_SATISFACTION}, _numbers(fit, _NOW)
    yield unit | {"quantity": ResponseQuantity.NEXT_SATISFACTION}, _numbers(fit, _BEFORE)


def _next_misfit(sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Iterator[tuple]:
    """One point nearer to the preference now: how much of it is left in the next session."""
    formula = (
        f"misfit_size_next ~ misfit_size + misfit_previous + misfit_first + {_PREFERRED} + log_session + {_INTERCEPTS}"
    )
    model = fit_linear_answer(formula, sessions, rule)
    yield {"unit": "points of distance per point nearer"}, numbers(model.estimate({"misfit_size": -1.0}), model)


def _dynamic(
    sessions: duckdb.DuckDBPyRelation, terms: tuple[str, ...], of_guidance: tuple[str, ...], rule: Disclosure
) -> DynamicFit:
    """The dynamic model with the errors that the number of therapists allows."""
    needed = {"satisfaction_score", "directiveness_score", *of_guidance}
    counts = sessions.filter(" and ".join(f"{name} is not null" for name in sorted(needed))).aggregate(
        "count(*) as n_sessions, count(distinct client_id) as n_clients, count(distinct therapist_id) as n_therapists"
    )
    refuse_few(dict(zip(counts.columns, counts.fetchall()[0], strict=True)), rule)
    fit = fit_dynamic(
        "satisfaction_score ~ " + " + ".join([*terms, *TIME]), sessions, guidance="directiveness_score", client=SERIES,
        therapist="therapist_id", time=TIME[0], guidance_covariates=" + ".join([*of_guidance, *TIME]),
    )  # fmt: skip
    if fit.status is FitStatus.NOT_CONVERGED:
        raise FitRefused("The dynamic model did not converge on these data.")
    return with_errors(fit)


def _numbers(fit: DynamicFit, weights: Mapping[str, float]) -> Numbers:
    """A weighted sum of coefficients; degrees of freedom are those of the therapists."""
    row = np.zeros(len(fit.names))
    for name, weight in weights.items():
        if name not in fit.names:
            raise FitRefused(f"The effect of {name} cannot be told apart from the model's other columns.")
        row[fit.names.index(name)] = weight
    found = linear_estimate(row, fit.beta, fit.vcov, LEVEL, float(fit.n_groups["therapist_id"] - 1))
    people = Answered(fit, fit.n_rated, fit.n_groups[SERIES], fit.n_groups["therapist_id"], fit.n_rated)
    return numbers(found, people)


ANALYSIS = Analysis(AnalysisName.RESPONSIVENESS, TABLES, run)
