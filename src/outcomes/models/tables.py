"""Fits as tables of the release: what each table holds, and writing all of them in one transaction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import duckdb

from outcomes.models.state import Fit
from outcomes.warehouse import transaction

Row = tuple[object, ...]

TABLES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "model_specs": (
        "One declared model",
        {
            "model": ("varchar", "Name of the model"),
            "kind": ("varchar", "linear or hazard"),
            "question": ("varchar", "The question in plain words"),
            "population": ("varchar", "Table whose rows the model is fitted to"),
            "outcome": ("varchar", "Column that is explained"),
            "formula": ("varchar", "The model in lme4's syntax"),
            "link": ("varchar", "identity, logit or cloglog"),
            "engine": ("varchar", "What fits it: outcomes or statsmodels"),
        },
    ),
    "model_fits": (
        "How the fit of one model ended",
        {
            "model": ("varchar", "Name of the model"),
            "status": ("varchar", "converged, singular, not_converged or refused"),
            "reason": ("varchar", "Why, in plain words; empty for a converged fit"),
            "engine": ("varchar", "What fitted it"),
            "n_rows": ("bigint", "Rows used, or complete rows where refused"),
            "n_missing": ("bigint", "Rows of the population left out because a column of the model is empty"),
            "n_clients": ("bigint", "Clients behind the rows used"),
            "n_therapists": ("bigint", "Therapists behind the rows used"),
            "log_likelihood": ("double", "Log-likelihood (restricted for a linear model); empty where refused"),
            "aic": ("double", "Akaike's information criterion"),
            "bic": ("double", "Bayesian information criterion"),
        },
    ),
    "model_estimates": (
        "One fixed effect of one variant of a model",
        {
            "model": ("varchar", "Name of the model"),
            "variant": ("varchar", "main (mixed model) or cluster_robust (GLM with errors robust to therapists)"),
            "term": ("varchar", "Fixed effect"),
            "estimate": ("double", "Outcome's units, or the link's scale for a hazard, per unit of the term"),
            "std_error": ("double", "Standard error of the estimate"),
            "df": ("double", "Denominator degrees of freedom; empty where normal theory is used"),
            "p_value": ("double", "Two-sided p-value of the estimate being zero, 0 to 1"),
            "conf_low": ("double", "Lower limit of the 95% interval"),
            "conf_high": ("double", "Upper limit of the 95% interval"),
            "status": ("varchar", "How the fit ended"),
        },
    ),
    "model_variances": (
        "One standard deviation or correlation of a model's random effects",
        {
            "model": ("varchar", "Name of the model"),
            "group_name": ("varchar", "Grouping factor, or residual"),
            "term": ("varchar", "Random effect; empty for the residual"),
            "term_2": ("varchar", "The other random effect of a correlation; empty for a standard deviation"),
            "value": ("double", "Standard deviation (outcome's units or link's scale) or correlation (-1 to 1)"),
            "status": ("varchar", "How the fit ended"),
        },
    ),
    "model_covariances": (
        "One entry of the covariance matrix of a model's fixed effects",
        {
            "model": ("varchar", "Name of the model"),
            "term": ("varchar", "Fixed effect"),
            "term_2": ("varchar", "Fixed effect"),
            "covariance": ("double", "Covariance of the two estimates"),
        },
    ),
    "model_curves": (
        "One point of a curve that a model implies",
        {
            "model": ("varchar", "Name of the model"),
            "curve": ("varchar", "satisfaction (scale points) or dropout_by_session_N (probability, 0 to 1)"),
            "x_name": ("varchar", "Column that varies along the curve"),
            "x": ("double", "Its value, scale points, between the 5th and the 95th percentile"),
            "estimate": ("double", "The curve's value at x"),
            "conf_low": ("double", "Lower limit of the pointwise 95% interval"),
            "conf_high": ("double", "Upper limit of the pointwise 95% interval"),
            "status": ("varchar", "How the fit ended"),
        },
    ),
}


def write_tables(con: duckdb.DuckDBPyConnection, fits: Sequence[Fit]) -> None:
    """Replace all model tables by these fits, with their comments, in one transaction."""
    contents = {
        "model_specs": _specs(fits),
        "model_fits": _fits(fits),
        "model_estimates": _estimates(fits),
        "model_variances": _variances(fits),
        "model_covariances": _covariances(fits),
        "model_curves": _curves(fits),
    }
    with transaction(con):
        for table, (description, columns) in TABLES.items():
            declared = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
            con.execute(f"create or replace table {table} ({declared})")
            if rows := list(contents[table]):
                con.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows)
            con.execute(f"comment on table {table} is '{_quoted(description)}'")
            for name, (_, says) in columns.items():
                con.execute(f"comment on column {table}.{name} is '{_quoted(says)}'")


def _specs(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        spec = fit.spec
        link = spec.link if spec.kind == "hazard" else "identity"
        yield (
            spec.name, spec.kind, spec.question, spec.population, spec.outcome, spec.formula, link, spec.engine,
        )  # fmt: skip


def _fits(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        state = fit.state
        yield (
            state.model, state.status, state.reason, state.engine, state.n_rows, state.n_missing, state.n_clients,
            state.n_therapists, *(_number(value) for value in (fit.log_likelihood, fit.aic, fit.bic)),
        )  # fmt: skip


def _estimates(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        for variant in fit.estimates:
            numbers = (
                variant.beta, variant.std_error, variant.df, variant.p_value, variant.conf_low, variant.conf_high,
            )  # fmt: skip
            for term, *values in zip(variant.terms, *numbers, strict=True):
                yield (fit.spec.name, variant.variant, term, *map(_number, values), variant.status)


def _variances(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        for part in fit.variances:
            yield fit.spec.name, part.group, part.term, part.term_2, _number(part.value), fit.state.status


def _covariances(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        if fit.covariance is None:
            continue
        terms = fit.estimates[0].terms
        for i, term in enumerate(terms):
            for j, other in enumerate(terms):
                yield fit.spec.name, term, other, _number(fit.covariance[i, j])


def _curves(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        for point in fit.curves:
            yield (
                fit.spec.name, point.curve, point.x_name, point.x, point.estimate, point.conf_low, point.conf_high,
                fit.state.status,
            )  # fmt: skip


def _number(value: float | None) -> float | None:
    """A number that a table may hold: nothing where it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def _quoted(text: str) -> str:
    return text.replace("'", "''")
