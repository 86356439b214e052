"""What must hold for any cohort: invariances, additivity, and an optimum that nothing nearby beats."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from cohorts import FORMULA, cohort
from hypothesis import given, settings
from hypothesis import strategies as st
from references import close

from outcomes.errors import UsageError
from outcomes.mixed import FitStatus, fit_linear, prepare_linear
from outcomes.mixed.design.data import Source
from outcomes.mixed.linear import sums
from outcomes.mixed.linear.deviance import deviance, solve

DATA = cohort()
FIT = fit_linear(FORMULA, DATA)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed):
    fit = fit_linear(FORMULA, DATA.sample(fraction=1.0, shuffle=True, seed=seed))
    close(fit.criterion, FIT.criterion, 1e-12)
    close(fit.beta, FIT.beta, 1e-7, 1e-9)


@settings(max_examples=15, deadline=None)
@given(
    shift=st.floats(-100, 100), scale=st.floats(1e-4, 1e4), y_shift=st.floats(-100, 100), y_scale=st.floats(1e-4, 1e4)
)
def test_shifting_and_scaling_columns_changes_the_estimates_as_algebra_says(shift, scale, y_shift, y_scale):
    shift, y_shift = shift * scale, y_shift * y_scale  # in standard deviations: further away, x:modality is collinear
    data = DATA.with_columns(
        directiveness=pl.col("directiveness") * scale + shift, satisfaction=pl.col("satisfaction") * y_scale + y_shift
    )
    fit = fit_linear(FORMULA, data)
    slope = FIT.params["directiveness"]
    close(fit.params["directiveness"], slope * y_scale / scale, 1e-5)
    intercept = FIT.params["(Intercept)"] * y_scale + y_shift - slope * y_scale / scale * shift
    close(fit.params["(Intercept)"], intercept, 1e-5, 1e-5 * fit.bse["(Intercept)"])
    close(fit.sigma, FIT.sigma * y_scale, 1e-6)
    close(fit.variances[0].sd[1], FIT.variances[0].sd[1] * y_scale / scale, 1e-4)
    close(fit.criterion - FIT.criterion, 2 * (fit.nobs - 6) * np.log(y_scale) + 2 * 3 * np.log(scale), 1e-6, 1e-6)
    assert fit.status is FIT.status


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_names_of_groups_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    names = DATA["client_id"].unique().sort()
    renamed = dict(zip(names.to_list(), rng.permutation(len(names)).tolist(), strict=True))
    fit = fit_linear(FORMULA, DATA.with_columns(client_id=pl.col("client_id").replace_strict(renamed)))
    close(fit.criterion, FIT.criterion, 1e-12)
    close(fit.beta, FIT.beta, 1e-7, 1e-9)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), parts=st.integers(2, 4))
def test_cross_products_of_partitions_add_up_to_the_pooled_fit(seed, parts):
    # row by row, so that clients and therapists are split over the partitions as well
    part = np.random.default_rng(seed).integers(0, parts, len(DATA))
    levels = {"modality": ["cbt", "pct", "pdt"]}
    grams = [prepare_linear(FORMULA, DATA.filter(part == i), levels=levels) for i in range(parts) if np.any(part == i)]
    total = grams[0]
    for gram in grams[1:]:
        total = total + gram
    pooled = fit_linear(FORMULA, total)
    close(pooled.criterion, FIT.criterion, 1e-10)
    close(pooled.beta, FIT.beta, 1e-10, 1e-10)
    close(pooled.bse, FIT.bse, 1e-9)
    close(pooled.sigma, FIT.sigma, 1e-10)
    assert pooled.nobs == FIT.nobs
    assert pooled.n_groups == FIT.n_groups


def test_partitions_with_different_levels_cannot_be_added():
    left = prepare_linear(FORMULA, DATA.filter(pl.col("modality") != "pdt"))
    with pytest.raises(UsageError, match="different columns"):
        left + prepare_linear(FORMULA, DATA)


@pytest.mark.parametrize("reml", [True, False])
def test_none_of_200_random_neighbours_beats_the_optimum(reml):
    fit = fit_linear(FORMULA, DATA, reml=reml)
    problem = fit.engine_state.problem
    rng = np.random.default_rng(0)
    for size in np.geomspace(1e-5, 1.0, 200):
        neighbour = fit.theta + size * rng.normal(size=len(fit.theta))
        assert deviance(problem, solve(problem, neighbour), reml=reml) >= fit.criterion - 1e-9


IN_MEMORY = ("levels", "how many rows", "the rows")
IN_DATABASE = ("levels", "how many rows", "survey", "totals", "cells")


@pytest.mark.parametrize(("most", "needed"), [(sums.MAX_VALUES, IN_MEMORY), (0, IN_DATABASE)])
def test_one_gram_pass_serves_every_specification_of_a_population(monkeypatch, most, needed):
    monkeypatch.setattr(sums, "MAX_VALUES", most)
    passes = []
    asked = Source._asked
    monkeypatch.setattr(Source, "_asked", lambda self, question: passes.append(question) or asked(self, question))
    formulas = [
        FORMULA,
        "satisfaction ~ directiveness + (1 | client_id) + (1 | therapist_id)",
        "satisfaction ~ directiveness + session_number + (1 | client_id)",
        "satisfaction ~ modality + (1 + directiveness || client_id)",
        "satisfaction ~ 0 + modality + (0 + directiveness | therapist_id)",
    ]
    gram = prepare_linear(formulas, DATA)
    assert len(passes) == len(needed)
    fits = [fit_linear(formula, gram, reml=reml) for formula in formulas for reml in (True, False)]
    assert len(passes) == len(needed)
    for formula, fit in zip(formulas, fits[::2], strict=True):
        alone = fit_linear(formula, DATA)
        close(fit.criterion, alone.criterion, 1e-10)
        close(fit.beta, alone.beta, 1e-6, 1e-8)
    with pytest.raises(UsageError, match="lack"):
        fit_linear("satisfaction ~ directiveness + (1 + session_number | client_id)", gram)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_cannot_change_the_verdict_on_singularity(scale):
    flat = DATA.with_columns(satisfaction=scale * np.random.default_rng(3).normal(size=len(DATA)))
    formula = "satisfaction ~ directiveness + (1 | client_id) + (1 | therapist_id)"
    assert fit_linear(formula, DATA.with_columns(pl.col("satisfaction") * scale)).status is FitStatus.CONVERGED
    fit = fit_linear(formula, flat.with_columns(satisfaction=_centred("therapist_id") - 0 * pl.col("directiveness")))
    assert fit.status is FitStatus.SINGULAR
    assert any("therapist_id is zero" in message for message in fit.messages)


def _centred(group: str) -> pl.Expr:
    """An outcome whose group means are all alike: the group's variance must be zero."""
    return pl.col("satisfaction") - pl.col("satisfaction").mean().over(group)
