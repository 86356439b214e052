"""Evaluations side by side are the evaluations one by one; sums in memory are the database's."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outcomes.errors import FitRefused
from outcomes.mixed import Start, bootstrap_linear, fit_linear, fit_many, prepare_linear, refit_many, shift_outcome
from outcomes.mixed.inference import bootstrap_linear as bootstrapping
from outcomes.mixed.linear import many, refit, sums
from outcomes.mixed.linear.batch import Batch, is_small
from outcomes.mixed.linear.deviance import deviance, gradient, solve
from outcomes.mixed.linear.fit import profiled
from outcomes.mixed.linear.problem import linear_problem
from outcomes.mixed.optimise import HESSIAN_STEP, numeric_hessian

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
@pytest.mark.parametrize("reml", [True, False])
def test_a_batch_gives_each_members_deviance_and_gradient(sessions, structure, reml):
    formulas = [f"{fixed} + {structure}" for fixed in FIXED]
    gram = prepare_linear(formulas, sessions)
    problems = [linear_problem(gram, gram.design(formula)) for formula in formulas]
    batch = Batch.of(problems)
    rng = np.random.default_rng(1)
    who = np.arange(12) % len(problems)
    thetas = rng.normal(0.4, 0.3, (12, problems[0].n_theta))
    values, slopes = batch.evaluate(who, thetas, reml=reml)
    for i, theta, value, slope in zip(who, thetas, values, slopes, strict=True):
        state = solve(problems[i], theta)
        assert value == pytest.approx(deviance(problems[i], state, reml=reml), rel=1e-12)
        np.testing.assert_allclose(slope, gradient(problems[i], state, theta, reml=reml), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_hessians_of_a_batch_are_those_of_each_alone(sessions, structure):
    gram = prepare_linear(f"y ~ x + z + {structure}", sessions)
    problem = linear_problem(gram, gram.design(f"y ~ x + z + {structure}"))
    theta = np.full(problem.n_theta, 0.4)
    found = Batch.of([problem]).hessians(np.zeros(1, dtype=int), theta[None], HESSIAN_STEP, reml=True)[0]
    np.testing.assert_allclose(found, numeric_hessian(profiled(problem, reml=True), theta), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("is_known", [True, False])
def test_many_specifications_are_fitted_as_each_is_alone(sessions, structure, is_known):
    formulas = [f"{fixed} + {structure}" for fixed in FIXED]
    gram = prepare_linear(formulas, sessions, by_cell=True)
    alone = [fit_linear(formula, gram) for formula in formulas]
    start = Start(alone[1].theta, alone[1].optimizer.hessian) if is_known else None
    for one, other in zip(fit_many(formulas, gram, start), alone, strict=True):
        assert one.status is other.status
        assert one.criterion == pytest.approx(other.criterion, abs=1e-6)
        np.testing.assert_allclose(one.beta, other.beta, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-4, atol=1e-8)
        np.testing.assert_allclose(one.df_denom, other.df_denom, rtol=1e-3)


def test_a_search_that_does_not_settle_side_by_side_is_done_alone(sessions, monkeypatch):
    formulas = [f"{fixed} + {STRUCTURES[3]}" for fixed in FIXED]
    gram = prepare_linear(formulas, sessions)
    alone = [fit_linear(formula, gram) for formula in formulas]

    def nowhere(evaluate, starts, hessian):
        return starts, np.full(len(starts), np.inf), np.zeros(len(starts), dtype=bool)

    monkeypatch.setattr(many, "refine_many", nowhere)
    for one, other in zip(fit_many(formulas, gram), alone, strict=True):
        assert one.status is other.status
        np.testing.assert_allclose(one.beta, other.beta, rtol=1e-5, atol=1e-6)


def test_a_specification_that_is_refused_holds_up_no_other(sessions):
    constant = sessions.with_columns(c=pl.lit(2.0))
    gram = prepare_linear(["y ~ x + (1 | client)", "c ~ x + (1 | client)"], constant)
    refused, fitted = fit_many(["c ~ x + (1 | client)", "y ~ x + (1 | client)"], gram)
    assert isinstance(refused, FitRefused)
    assert fitted.optimizer.is_converged


def test_bootstrap_draws_side_by_side_are_the_same_draws_as_one_by_one(sessions, monkeypatch):
    fit = fit_linear(f"y ~ x + z + {STRUCTURES[3]}", sessions)
    together = bootstrap_linear(fit, 25, 3, show_progress=False)
    monkeypatch.setattr(bootstrapping, "is_small", lambda problem: False)
    alone = bootstrap_linear(fit, 25, 3, show_progress=False)
    assert together.converged.all()
    # both searches end where the gradient is below 1e-4 of a standard error
    np.testing.assert_allclose(together.beta, alone.beta, atol=3e-3 * alone.beta.std(axis=0).min())
    np.testing.assert_allclose(together.sigma, alone.sigma, atol=3e-3 * alone.sigma.std())


def test_outcomes_that_are_shifted_together_are_fitted_as_each_is_alone(sessions, monkeypatch):
    formulas = [f"y ~ x + {STRUCTURES[3]}", "t ~ 1 + (1 | client)"]
    gram = prepare_linear(formulas, sessions)
    fit = fit_linear(formulas[0], gram)
    y, by = (gram.population.design(formula).outcome for formula in formulas)
    grams = [shift_outcome(gram, y, by, amount) for amount in (-0.2, 0.0, 0.2)]
    together = refit_many(fit, grams)
    monkeypatch.setattr(refit, "is_small", lambda problem: False)
    for one, other in zip(together, refit_many(fit, grams), strict=True):
        assert one.optimizer.is_converged
        np.testing.assert_allclose(one.beta, other.beta, rtol=1e-3, atol=1e-5)


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


def test_what_is_too_large_for_a_batch_is_not_small(sessions):
    gram = prepare_linear("y ~ x + (1 | client)", sessions)
    problem = linear_problem(gram, gram.design("y ~ x + (1 | client)"))
    assert is_small(problem)
    n = 200_000
    client = np.arange(n) // 2
    large = pl.DataFrame({"client": client, "x": np.sin(np.arange(n)), "y": np.cos(np.arange(n) * 1.7)})
    gram = prepare_linear("y ~ x + (1 | client)", large)
    assert not is_small(linear_problem(gram, gram.design("y ~ x + (1 | client)")))
