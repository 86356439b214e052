"""From a declared model to its fit; what cannot be fitted becomes a state with a reason, never an exception."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np

from outcomes.disclosure import estimates_may_be_shown
from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed import FitStatus, fit_binomial, fit_cluster_robust, fit_linear
from outcomes.mixed.results.fit import MixedFit
from outcomes.models.curves import dropout_curves, satisfaction_curve
from outcomes.models.flow import flow_of
from outcomes.models.population import Population, count_population, refusal_of
from outcomes.models.refusals import Refusal, RefusalRule
from outcomes.models.specs import columns_read, grouping_columns
from outcomes.models.state import CurvePoint, Estimates, Fit, FitState, VarianceTerm
from outcomes.release.withholding import reason_withheld
from outcomes.study.settings import Disclosure, ModelSpec


def fit_spec(con: duckdb.DuckDBPyConnection, spec: ModelSpec, rule: Disclosure) -> Fit:
    """Fit one declared model to its population.

    Parameters
    ----------
    con : connection
        To a release's database.
    spec : ModelSpec
        The model; its engine and link are honoured.
    rule : Disclosure
        The study's thresholds: too few therapists are a reason to refuse.

    Returns
    -------
    Fit
        Its state says whether the numbers can be used.
    """
    found = count_population(con, spec)
    columns = columns_read(spec, tuple(con.table(spec.population).columns))
    return replace(_fitted(con, spec, rule, found), flow=flow_of(con, spec.population, columns))


def _fitted(con: duckdb.DuckDBPyConnection, spec: ModelSpec, rule: Disclosure, found: Population) -> Fit:
    if withheld := reason_withheld(con):
        return _refused(spec, found, withheld)
    if refusal := refusal_of(spec, found, rule):
        return _refused(spec, found, refusal.sentence)
    try:
        fitted = _fit(con, spec)
        beside = _beside(con, spec)
    except (FitRefused, FormulaError) as refusal:
        return _refused(spec, found, refusal.message)
    if not estimates_may_be_shown(fitted.nobs, fitted.n_parameters, rule):
        needed = fitted.n_parameters + rule.minimum_residual_df
        return _refused(spec, found, Refusal(RefusalRule.SESSIONS, fitted.nobs, needed).sentence)
    estimates = (_estimates("main", fitted), *beside)
    state = replace(_state(spec, found), status=fitted.status, reason=" ".join(fitted.messages), n_rows=fitted.nobs)
    return Fit(
        spec,
        state,
        estimates,
        _variances(fitted),
        fitted.vcov,
        fitted.llf,
        fitted.aic,
        fitted.bic,
        () if fitted.status is FitStatus.NOT_CONVERGED else _curves(con, spec, fitted, estimates[0], rule),
    )


def _fit(con: duckdb.DuckDBPyConnection, spec: ModelSpec) -> MixedFit:
    data = con.table(spec.population)
    if spec.kind == "linear":
        return fit_linear(spec.formula, data, engine=spec.engine)
    return fit_binomial(spec.formula, data, link=spec.link, engine=spec.engine)


def _beside(con: duckdb.DuckDBPyConnection, spec: ModelSpec) -> tuple[Estimates, ...]:
    """The GLM with cluster-robust errors that stands beside every hazard."""
    if spec.kind != "hazard":
        return ()
    groups = grouping_columns(spec)
    cluster = "therapist_id" if "therapist_id" in groups else groups[-1]
    fitted = fit_cluster_robust(spec.formula, con.table(spec.population), cluster, spec.link)
    return (_estimates("cluster_robust", fitted),)


def _curves(
    con: duckdb.DuckDBPyConnection, spec: ModelSpec, fitted: MixedFit, estimates: Estimates, rule: Disclosure
) -> tuple[CurvePoint, ...]:
    if spec.kind == "linear":
        return satisfaction_curve(con, spec, estimates, fitted.vcov, rule)
    intercepts = sum(
        float(block.cov[i, i])
        for block in fitted.variances
        for i, name in enumerate(block.names)
        if name == "(Intercept)"
    )
    return dropout_curves(con, spec, estimates, fitted.vcov, intercepts, rule)


def _estimates(variant: str, fitted: MixedFit) -> Estimates:
    interval = fitted.conf_int()
    return Estimates(
        variant,
        tuple(fitted.names),
        np.asarray(fitted.params, dtype=float),
        np.asarray(fitted.bse, dtype=float),
        np.asarray(fitted.df_denom, dtype=float),
        np.asarray(fitted.pvalues, dtype=float),
        np.asarray(interval[0], dtype=float),
        np.asarray(interval[1], dtype=float),
        fitted.status,
    )


def _variances(fitted: MixedFit) -> tuple[VarianceTerm, ...]:
    """Standard deviations and correlations of the random effects, and of the residual where there is one."""
    terms: list[VarianceTerm] = []
    for block in fitted.variances:
        sd, corr = block.sd, block.corr
        for i, name in enumerate(block.names):
            terms.append(VarianceTerm(block.group, name, "", float(sd[i])))
            terms += [VarianceTerm(block.group, name, block.names[j], float(corr[i, j])) for j in range(i)]
    residual = getattr(fitted, "sigma", None)
    if residual is not None:
        terms.append(VarianceTerm("residual", "", "", float(residual)))
    return tuple(terms)


def _state(spec: ModelSpec, found: Population) -> FitState:
    """A state before the fit: refused until the engine says otherwise."""
    return FitState(
        model=spec.name,
        kind=spec.kind,
        engine=spec.engine,
        status=FitStatus.REFUSED,
        reason="",
        n_rows=found.n_rows,
        n_missing=found.n_population - found.n_rows,
        n_clients=found.n_clients,
        n_therapists=found.n_therapists,
    )


def _refused(spec: ModelSpec, found: Population, reason: str) -> Fit:
    return Fit(spec, replace(_state(spec, found), reason=reason))
