"""Specifications in which therapists' responses are adjusted for: the dynamic model's same-session slope.

Its usual levels are latent and its intercepts those of clients and therapists, so neither the centring nor the
structure is open to choice; it is fitted to all clients, on the study's own ratings.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np

from outcomes.answers.common.dynamics import SERIES, with_errors
from outcomes.answers.common.estimates import Numbers, numbers
from outcomes.answers.common.fitting import LEVEL, Answered, refuse_few
from outcomes.answers.multiverse.rows import session_table
from outcomes.answers.multiverse.specs import COVARIATES, TREND, Space
from outcomes.answers.multiverse.tables import Choosing
from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import linear_estimate
from outcomes.mixed import DynamicFit, FitStatus, fit_dynamic
from outcomes.study.settings import StudySettings
from outcomes.study.tables.multiverse import Exclusion, Lag, Responsiveness, Structure

GUIDANCE = "d"


def adjusted_specs(found: Space) -> Iterator[dict[str, str]]:
    """What is held constant varies; all else is settled by the model."""
    for covariates in found.choices[Choosing.COVARIATES]:
        for detrending in found.choices[Choosing.DETRENDING]:
            yield {name: choices[0] for name, choices in found.choices.items()} | {
                Choosing.LAG: Lag.SAME_SESSION,
                Choosing.EXCLUSIONS: Exclusion.NONE,
                Choosing.STRUCTURE: Structure.THREE_LEVELS,
                Choosing.CENTRING: "",
                Choosing.COVARIATES: covariates,
                Choosing.DETRENDING: detrending,
                Choosing.RESPONSIVENESS: Responsiveness.ADJUSTED,
            }


def adjusted_formula(spec: dict[str, str]) -> str:
    """Satisfaction's equation; guidance has the same covariates."""
    return "y ~ " + " + ".join([GUIDANCE, *_held(spec)])


def adjusted_estimates(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, specs: list[dict[str, str]]
) -> Iterator[Numbers]:
    """The estimate of each specification, from where the last search ended."""
    sessions = session_table(con, settings)
    last: DynamicFit | None = None
    for spec in specs:
        try:
            fit = _fit(spec, sessions, settings, last)
        except FitRefused as refusal:
            yield Numbers(reason=refusal.message)
            continue
        last = fit
        row = np.array([float(name == GUIDANCE) for name in fit.names])
        people = fit.n_groups[SERIES], fit.n_groups["therapist_id"]
        model = Answered(fit, fit.n_rated, *people, n_events=fit.n_rated)
        used = with_errors(fit)
        yield numbers(linear_estimate(row, used.beta, used.vcov, LEVEL, float(people[1] - 1)), model)


def _fit(
    spec: dict[str, str], sessions: duckdb.DuckDBPyRelation, settings: StudySettings, last: DynamicFit | None
) -> DynamicFit:
    rows = sessions.filter("y is not null and therapist_id is not null")
    people = rows.aggregate(
        "count(*) as n_sessions, count(distinct client_id) as n_clients, count(distinct therapist_id) as n_therapists"
    )
    refuse_few(dict(zip(people.columns, people.fetchall()[0], strict=True)), settings.disclosure)
    fit = fit_dynamic(
        adjusted_formula(spec), sessions, guidance=GUIDANCE, client=SERIES, therapist="therapist_id", time="session",
        guidance_covariates=" + ".join(_held(spec)) or "1", start=last,
    )  # fmt: skip
    if fit.status is not FitStatus.CONVERGED:
        raise FitRefused("The dynamic model of this specification did not converge or is singular.")
    return fit


def _held(spec: dict[str, str]) -> tuple[str, ...]:
    return (*TREND[spec[Choosing.DETRENDING]], *COVARIATES[spec[Choosing.COVARIATES]])
