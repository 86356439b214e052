"""Linked effects that are too many for an exact elimination: an approximate fit, held against the exact one."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
import scipy.sparse as sp

import outcomes.mixed.elimination.packing as packing
import outcomes.mixed.linear.probed.modes as probed_modes
import outcomes.mixed.linear.probed.search as probed_search
import outcomes.mixed.linear.probed.system as system
from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import (
    FitStatus,
    bootstrap_linear,
    compare,
    fit_binomial,
    fit_linear,
    prepare_linear,
    profile_intervals,
    wald_test,
)
from outcomes.mixed.linear.deviance import deviance, gradient, solve
from outcomes.mixed.linear.probed.evaluation import evaluate
from outcomes.mixed.linear.problem import linear_problem

MOVERS = """
with clients as (
    select i as client, i % 40 as therapist, (random() * 39)::int as other, random() < 0.25 as moves,
        random() - 0.5 as level, random() - 0.5 as slope
    from range(600) t(i)
),
rows as (select *, unnest(range(6)) as session, random() - 0.5 as x from clients)
select
    client, case when moves and session > 2 then other else therapist end as therapist, session % 3 as place, x,
    level + slope * x + sin(case when moves and session > 2 then other else therapist end) * (1 + x) + 0.3 * x
        + random() as y
from rows
"""
FORMULA = "y ~ x + (1 + x | client) + (1 | therapist)"
SLOPES = "y ~ x + (1 | client) + (1 + x | therapist) + (1 | place)"
WITHIN = 4.0
"""Standard deviations of the error that a fit tells: more would be one in 16,000."""


@pytest.fixture(scope="module")
def movers():
    con = duckdb.connect()
    con.execute("select setseed(0.3)")
    con.execute(f"create table rows as {MOVERS}")
    return con.table("rows")


@pytest.fixture
def entangled(monkeypatch):
    """Few effects count as too many."""
    monkeypatch.setattr(packing, "MAX_FLAT", 0)


def approximate(monkeypatch, formula, data, **options):
    with monkeypatch.context() as patch:
        patch.setattr(packing, "MAX_FLAT", 0)
        return fit_linear(formula, data, **options)


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("formula", [FORMULA, SLOPES])
def test_an_approximate_fit_is_the_exact_one_within_the_error_that_it_tells(movers, monkeypatch, formula, reml):
    exact = fit_linear(formula, movers, reml=reml)
    found = approximate(monkeypatch, formula, movers, reml=reml)
    error = found.approximation
    assert found.status is FitStatus.APPROXIMATE
    assert exact.approximation is None
    assert abs(found.criterion - exact.criterion) < WITHIN * error.criterion
    assert np.all(np.abs(found.theta - exact.theta) < WITHIN * error.theta + 1e-5)
    assert error.theta_share < 0.1
    off = np.abs(found.beta - exact.beta) / exact.bse.to_numpy()
    assert off.max() < WITHIN * error.beta_share + 1e-6
    np.testing.assert_allclose(found.bse, exact.bse, rtol=0.01)
    np.testing.assert_allclose(found.df_denom, exact.df_denom, rtol=0.1)


@pytest.mark.parametrize("formula", [FORMULA, SLOPES])
@pytest.mark.parametrize("is_few", [True, False], ids=["few levels", "many levels"])
def test_modes_and_their_errors_are_those_of_the_exact_fit(movers, monkeypatch, formula, is_few):
    if not is_few:
        monkeypatch.setattr(probed_modes, "FEW_COLUMNS", 0)
    exact, found = fit_linear(formula, movers), approximate(monkeypatch, formula, movers)
    for group in exact.n_groups:
        ours, theirs = found.random_effects(group), exact.random_effects(group)
        for name in theirs.columns[1:]:
            scale = max(float(theirs[name].abs().max()), 1e-3)
            tolerance = 0.03 if is_few and group != "client" else 0.13
            np.testing.assert_allclose(ours[name], theirs[name], atol=tolerance * scale)
    np.testing.assert_allclose(found.fittedvalues, exact.fittedvalues, atol=0.01)


@pytest.mark.parametrize("formula", [FORMULA, SLOPES])
def test_criterion_and_gradient_vary_about_the_exact_ones_as_much_as_they_say(movers, monkeypatch, formula):
    gram = prepare_linear(formula, movers)
    exact = linear_problem(gram, gram.design(formula))
    theta = 0.4 + 0.1 * np.arange(exact.n_theta)
    state = solve(exact, theta)
    value, slope = deviance(exact, state, reml=True), gradient(exact, state, theta, reml=True)
    monkeypatch.setattr(packing, "MAX_FLAT", 0)
    problem = linear_problem(gram, gram.design(formula))
    off, scores = [], []
    for seed in range(60):
        found = evaluate(problem, theta, system.signs(problem.rest.n_columns, 16, seed), reml=True)
        off.append((found.value - value) / found.value_error)
        scores.append((found.gradient - slope) / (found.by_probe.std(axis=0, ddof=1) / 4))
    assert 0.7 < np.sqrt(np.mean(np.square(off))) < 1.4
    spread = np.sqrt(np.mean(np.square(scores), axis=0))
    assert np.all((spread > 0.7) & (spread < 1.5))
    assert np.all(np.abs(np.mean(scores, axis=0)) < 0.6)


def test_more_probes_begin_with_the_same_ones_and_err_less(movers, entangled):
    gram = prepare_linear(FORMULA, movers)
    problem = linear_problem(gram, gram.design(FORMULA))
    theta = np.array([0.7, 0.1, 0.3, 2.0])
    few, many = (system.signs(problem.rest.n_columns, n, 5) for n in (8, 128))
    assert np.array_equal(few, many[:, :8])
    errors = [evaluate(problem, theta, probes, reml=True).value_error for probes in (few, many)]
    assert errors[1] < errors[0] / 2


def test_probes_are_added_until_the_error_is_small(movers, monkeypatch):
    monkeypatch.setattr(probed_search, "ENOUGH", 0.0)
    monkeypatch.setattr(probed_search, "MAX_PROBES", 64)
    assert approximate(monkeypatch, FORMULA, movers).approximation.n_probes == 64


def test_a_dense_system_is_solved_and_its_log_determinant_estimated():
    rng = np.random.default_rng(2)
    factor = rng.normal(size=(80, 200))
    S = factor @ factor.T
    scale = 1 / np.sqrt(np.diag(S))
    R = scale[:, None] * S * scale - np.eye(80)
    np.fill_diagonal(R, 0.0)
    probes = system.signs(80, 200, 1)
    matrix = sp.csr_array(R)
    right = rng.normal(size=(80, 2))
    solved = system.solve_all(matrix, np.hstack([probes, right, np.zeros((80, 1))]), 200)
    np.testing.assert_allclose(solved.x[:, 200:202], np.linalg.solve(R + np.eye(80), right), rtol=1e-7)
    assert not solved.x[:, 202].any()
    found, error = system.log_determinant(matrix, probes, matrix @ probes, solved)
    assert abs(found - np.linalg.slogdet(R + np.eye(80))[1]) < WITHIN * error
    np.testing.assert_allclose(
        system.entries_at(matrix, np.array([0, 3, 5]), np.array([0, 7, 2])), [0.0, R[3, 7], R[5, 2]]
    )


def test_the_summary_names_the_state_and_the_error(movers, monkeypatch):
    text = str(approximate(monkeypatch, FORMULA, movers))
    assert "Status        approximate" in text
    assert "Their error (standard deviation): criterion" in text
    assert "of a standard error at most" in text


def test_what_needs_an_exact_elimination_is_refused_in_words(movers, monkeypatch, entangled):
    found = fit_linear(FORMULA, movers, reml=False)
    for ask in (
        lambda: found.predict(movers, "conditional"),
        lambda: bootstrap_linear(found, 2, show_progress=False),
        lambda: profile_intervals(found),
        lambda: wald_test(fit_linear(FORMULA, movers), "x", ddf="kenward-roger"),
    ):
        with pytest.raises(FitRefused, match="needs an exact elimination, and 40 random effects hang together"):
            ask()
    small = fit_linear("y ~ 1 + (1 + x | client) + (1 | therapist)", movers, reml=False)
    with pytest.raises(UsageError, match=r"fit is approximate: its likelihood has an error .*\n.*wald_test"):
        compare(small, found)
    with pytest.raises(FitRefused, match="random effects hang together"):
        fit_binomial("I(y > 0) ~ x + (1 | client) + (1 | therapist)", movers)


def test_a_system_that_does_not_settle_is_refused(movers, monkeypatch, entangled):
    monkeypatch.setattr(system, "MAX_STEPS", 2)
    with pytest.raises(FitRefused, match="40 linked random effects did not settle in 2 steps"):
        fit_linear(FORMULA, movers)


def test_more_pairs_than_can_be_listed_are_refused(movers, monkeypatch):
    monkeypatch.setattr(packing, "MAX_PAIRS", 10)
    with pytest.raises(FitRefused, match="too entangled: 40 random effects hang together and 1032 pairs"):
        fit_linear(FORMULA, movers)
