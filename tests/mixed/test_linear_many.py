"""Many fits of the same rows are the fits one by one; sums in memory are the database's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from outcomes.errors import FitRefused
from outcomes.mixed import bootstrap_linear, fit_linear, fit_many, prepare_linear, refit_many, shift_outcome
from outcomes.mixed.inference import bootstrap_linear as bootstrapping
from outcomes.mixed.linear import sums
from outcomes.mixed.linear.fit import is_small
from outcomes.mixed.linear.problem import linear_problem

STRUCTURES = (
    "(1 | client)",
    "(1 + x | client)",
    "(1 | client) + (1 | therapist)",
    "(1 + x | client) + (1 | therapist) + (0 + x | therapist)",
    "(1 + x | client) + (1 + x | therapist) + (1 | practice)",
)
FIXED = ("y ~ x", "y ~ x + z", "y ~ x + z + t", "y ~ x + u")


@pytest.fixture(scope="module")
def sessions() -> pl.DataFrame:
    """120 clients of 15 therapists in 3 practices; a twentieth of the clients change therapist."""
    rng = np.random.default_rng(7)
    n = 900
    client = rng.integers(0, 120, n)
    therapist = np.where(rng.random(n) < 0.05, rng.integers(0, 15, n), client % 15)
    x, z, t, u = rng.normal(size=(4, n))
    y = 0.4 * x + 0.2 * z + rng.normal(0, 0.7, 120)[client] + rng.normal(0, 0.5, 15)[therapist] + rng.normal(size=n)
    y += rng.normal(0, 0.3, 120)[client] * x
    columns = {"client": client, "therapist": therapist, "practice": therapist % 3, "x": x, "z": z, "t": t, "u": u}
    return pl.DataFrame(columns | {"y": y}).with_columns(pl.when(pl.col("z") < 2).then("z"))


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("is_known", [True, False])
def test_many_specifications_are_fitted_as_each_is_alone(sessions, structure, is_known):
    formulas = [f"{fixed} + {structure}" for fixed in FIXED]
    gram = prepare_linear(formulas, sessions, by_cell=True)
    alone = [fit_linear(formula, gram) for formula in formulas]
    start = alone[1] if is_known else None
    for one, other in zip(fit_many(formulas, gram, start), alone, strict=True):
        assert one.status is other.status
        assert one.criterion == pytest.approx(other.criterion, abs=1e-6)
        np.testing.assert_allclose(one.beta, other.beta, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-4, atol=1e-8)
        np.testing.assert_allclose(one.df_denom, other.df_denom, rtol=1e-3)


def test_a_start_far_from_the_optimum_costs_time_and_not_the_result(sessions):
    formula = f"{FIXED[1]} + {STRUCTURES[3]}"
    gram = prepare_linear(formula, sessions)
    alone = fit_linear(formula, gram)
    (found,) = fit_many([formula], gram, replace(alone, theta=np.full(len(alone.theta), 3.0)))
    assert found.status is alone.status
    np.testing.assert_allclose(found.beta, alone.beta, rtol=1e-5, atol=1e-6)


def test_a_specification_that_is_refused_holds_up_no_other(sessions):
    constant = sessions.with_columns(c=pl.lit(2.0))
    gram = prepare_linear(["y ~ x + (1 | client)", "c ~ x + (1 | client)"], constant)
    refused, fitted = fit_many(["c ~ x + (1 | client)", "y ~ x + (1 | client)"], gram)
    assert isinstance(refused, FitRefused)
    assert fitted.optimizer.is_converged


def test_bootstrap_draws_end_near_the_optimum_of_each(sessions, monkeypatch):
    fit = fit_linear(f"y ~ x + z + {STRUCTURES[3]}", sessions)
    quick = bootstrap_linear(fit, 25, 3, show_progress=False)
    monkeypatch.setattr(bootstrapping, "DRAW_TOLERANCE", 1e-6)
    exact = bootstrap_linear(fit, 25, 3, show_progress=False)
    assert quick.converged.all()
    np.testing.assert_allclose(quick.beta, exact.beta, atol=5e-3 * exact.beta.std(axis=0).min())
    np.testing.assert_allclose(quick.sigma, exact.sigma, atol=5e-3 * exact.sigma.std())


def test_outcomes_that_are_shifted_are_fitted_as_their_rows_would_be(sessions):
    formulas = [f"y ~ x + {STRUCTURES[3]}", "t ~ 1 + (1 | client)"]
    gram = prepare_linear(formulas, sessions)
    fit = fit_linear(formulas[0], gram)
    y, by = (gram.population.design(formula).outcome for formula in formulas)
    grams = [shift_outcome(gram, y, by, amount) for amount in (-0.2, 0.0, 0.2)]
    for amount, one in zip((-0.2, 0.0, 0.2), refit_many(fit, grams), strict=True):
        moved = sessions.with_columns(y=pl.col("y") + amount * pl.col("t"))
        other = fit_linear(formulas[0], moved)
        assert one.optimizer.is_converged
        np.testing.assert_allclose(one.beta, other.beta, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("by_cell", [True, False])
def test_sums_in_memory_are_the_databases(sessions, monkeypatch, weights, by_cell):
    data = sessions.with_columns(w=1 + pl.col("x") ** 2)
    formulas = [f"y ~ x + z + {STRUCTURES[4]}", "y ~ x + t + (1 | client)"]
    small = prepare_linear(formulas, data, weights=weights, by_cell=by_cell)
    monkeypatch.setattr(sums, "MAX_VALUES", 0)
    large = prepare_linear(formulas, data, weights=weights, by_cell=by_cell)
    assert (small.columns, small.n_random, small.n_missing) == (large.columns, large.n_random, large.n_missing)
    assert small.n_missing > 0
    for name in ("center", "scale", "total", "counts"):
        np.testing.assert_allclose(getattr(small, name), getattr(large, name), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(small.cells, large.cells, rtol=1e-9, atol=1e-9)
    assert small.log_weights == pytest.approx(large.log_weights, rel=1e-12)
    for group, levels in small.levels.items():
        np.testing.assert_array_equal(levels.codes, large.levels[group].codes)


def test_what_a_twin_pays_for_is_not_small(sessions):
    gram = prepare_linear("y ~ x + (1 | client)", sessions)
    problem = linear_problem(gram, gram.design("y ~ x + (1 | client)"))
    assert is_small(problem)
    n = 200_000
    client = np.arange(n) // 2
    large = pl.DataFrame({"client": client, "x": np.sin(np.arange(n)), "y": np.cos(np.arange(n) * 1.7)})
    gram = prepare_linear("y ~ x + (1 | client)", large)
    assert not is_small(linear_problem(gram, gram.design("y ~ x + (1 | client)")))
