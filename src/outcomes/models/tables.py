"""Fits as tables of the release, written in one transaction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple

import duckdb

from outcomes.models.state import Fit
from outcomes.release.codebook.comments import describe
from outcomes.release.codebook.tables import TABLES as DESCRIBED
from outcomes.store.warehouse import insert_rows, transaction
from outcomes.study.settings import StudySettings

Row = tuple[object, ...]

TABLES = tuple(name for name in DESCRIBED if name.startswith("model_"))
"""Their columns, types and meaning are said in `outcomes.release.codebook.tables`."""


def write_tables(con: duckdb.DuckDBPyConnection, fits: Sequence[Fit], settings: StudySettings) -> None:
    """Replace all model tables by these fits, and describe them in the codebook, in one transaction."""
    contents = {
        "model_specs": _specs(fits),
        "model_fits": _fits(fits),
        "model_flow": _flow(fits),
        "model_estimates": _estimates(fits),
        "model_variances": _variances(fits),
        "model_covariances": _covariances(fits),
        "model_curves": _curves(fits),
    }
    with transaction(con):
        for table in TABLES:
            con.execute(f"create or replace table {DESCRIBED[table].sql}")
            insert_rows(con, table, list(contents[table]))
        describe(con, TABLES, settings)


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


def _flow(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        for place, step in enumerate(fit.flow, start=1):
            yield fit.spec.name, place, *astuple(step)


def _estimates(fits: Sequence[Fit]) -> Iterator[Row]:
    for fit in fits:
        for variant in fit.estimates:
            numbers = (
                variant.beta, variant.std_error, variant.df_denom, variant.p_value, variant.conf_low, variant.conf_high,
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
