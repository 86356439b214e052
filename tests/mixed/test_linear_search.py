"""Large specifications: second derivatives, sparse links, the twin that the search starts from."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

import outcomes.mixed.elimination.batched as batched
import outcomes.mixed.elimination.components as components
import outcomes.mixed.linear.fit as linear_fit
import outcomes.mixed.linear.search.twin as twin
from outcomes.errors import UsageError
from outcomes.mixed import fit_linear, prepare_linear
from outcomes.mixed.elimination.factored import factored
from outcomes.mixed.elimination.linked_matrix import Dense, Sparse, invert_in_place
from outcomes.mixed.linear.deviance import deviance, gradient, solve
from outcomes.mixed.linear.problem import linear_problem
from outcomes.mixed.linear.search.curvature import exact_hessian
from outcomes.mixed.optimise import numeric_hessian

CROSSED = """
select
    (random() * 60)::int as client, (random() * 9)::int as therapist, (random() * 5)::int as practice,
    random() as x, random() as z, random() * 3 as y
from range(600)
"""
MOVERS = """
with clients as (
    select i as client, i % 40 as therapist, (random() * 39)::int as other, random() < 0.1 as moves,
        random() - 0.5 as level, random() - 0.5 as slope
    from range(600) t(i)
),
rows as (select *, unnest(range(6)) as session, random() - 0.5 as x from clients)
select
    client, case when moves and session > 2 then other else therapist end as therapist, x,
    level + slope * x + sin(case when moves and session > 2 then other else therapist end) + 0.3 * x + random() as y
from rows
"""
FORMULAS = (
    "y ~ x + z + (1 + x | client)",
    "y ~ x + z + (1 + x | client) + (1 | therapist)",
    "y ~ x + z + (1 | client) + (1 + z | therapist) + (1 | practice)",
    "y ~ x + (1 + x | client) + (0 + z | client) + (1 + x + z | therapist)",
)


def table(sql):
    con = duckdb.connect()
    con.execute("select setseed(0.3)")
    con.execute(f"create table rows as {sql}")
    return con.table("rows")


@pytest.fixture(scope="module")
def crossed():
    return table(CROSSED)


@pytest.fixture(scope="module")
def movers():
    return table(MOVERS)


@pytest.fixture
def large_everywhere(monkeypatch):
    """Small specifications take the way of large ones."""
    monkeypatch.setattr(linear_fit, "is_small", lambda problem: False)


@pytest.mark.parametrize("is_zero", [False, True], ids=["inside", "at zero"])
@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_exact_second_derivatives_are_those_of_the_differences(crossed, formula, reml, is_zero):
    gram = prepare_linear(formula, crossed)
    problem = linear_problem(gram, gram.design(formula))
    theta = np.random.default_rng(1).normal(size=problem.n_theta) * 0.5
    if is_zero:
        theta[[0, -1]] = 0.0

    def objective(at):
        state = solve(problem, at)
        return deviance(problem, state, reml=reml), gradient(problem, state, at, reml=reml)

    differences = numeric_hessian(objective, theta)
    exact = exact_hessian(problem, solve(problem, theta), theta, reml=reml)
    assert np.abs(exact - differences).max() < 1e-7 * np.abs(differences).max()


@pytest.mark.parametrize("formula", FORMULAS[1:])
def test_sparse_links_give_the_same_deviance_gradient_and_curvature(crossed, formula, monkeypatch):
    gram = prepare_linear(formula, crossed)
    found = []
    for kind, columns in ((Dense, 10**6), (Sparse, 2)):
        monkeypatch.setattr(components, "SPARSE_COLUMNS", columns)
        monkeypatch.setattr(components, "SPARSE_SHARE", np.inf)
        problem = linear_problem(gram, gram.design(formula))
        theta = np.random.default_rng(2).normal(size=problem.n_theta) * 0.5
        state = solve(problem, theta)
        assert all(isinstance(one, kind) for one in state.N)
        slope = gradient(problem, state, theta, reml=True)
        found.append((deviance(problem, state, reml=True), slope, exact_hessian(problem, state, theta, reml=True)))
    (value, slope, curvature), (other_value, other_slope, other_curvature) = found
    assert other_value == pytest.approx(value, rel=1e-12)
    assert other_slope == pytest.approx(slope, rel=1e-9, abs=1e-9 * np.abs(slope).max())
    assert other_curvature == pytest.approx(curvature, rel=1e-9, abs=1e-9 * np.abs(curvature).max())


def test_a_matrix_is_inverted_where_it_lies():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(600, 600))
    matrix = root @ root.T / 600 + np.eye(600)
    expected, log_det = np.linalg.inv(matrix), np.linalg.slogdet(matrix)[1]
    assert invert_in_place(matrix) == pytest.approx(log_det, rel=1e-12)
    assert np.abs(matrix - expected).max() < 1e-12
    with pytest.raises(np.linalg.LinAlgError):
        invert_in_place(-np.eye(300))


@pytest.mark.parametrize(("n", "m"), [(1, 100), (5, 7)], ids=["alone", "together"])
def test_components_are_factored_from_what_stands_above_their_diagonals(n, m):
    root = np.random.default_rng(4).normal(size=(n, m, m))
    whole = root @ np.swapaxes(root, 1, 2) / m + np.eye(m)
    right = np.random.default_rng(5).normal(size=(n, m))
    found, log_det = factored(np.triu(whole) + np.tril(np.full_like(whole, 9.0), -1))
    assert log_det == pytest.approx(np.linalg.slogdet(whole)[1].sum(), rel=1e-12)
    np.testing.assert_allclose(found.solve(right), np.linalg.solve(whole, right[..., None])[..., 0], rtol=1e-9)
    np.testing.assert_allclose(found.inverse(), np.linalg.inv(whole), rtol=1e-8, atol=1e-12)
    with pytest.raises(np.linalg.LinAlgError):
        factored(-whole)


FORMULA = "y ~ x + (1 + x | client) + (1 | therapist)"


@pytest.mark.parametrize("many_levels", [20, 10**6], ids=["therapists drawn", "clients drawn"])
def test_a_search_from_the_twin_ends_where_the_plain_one_does(movers, many_levels, large_everywhere, monkeypatch):
    plain = fit_linear(FORMULA, movers)
    monkeypatch.setattr(twin, "LEAST_LEVELS", 100)
    monkeypatch.setattr(twin, "MANY_LEVELS", many_levels)
    monkeypatch.setattr(twin, "SHARE", 3)
    gram = prepare_linear(FORMULA, movers)
    problem = linear_problem(gram, gram.design(FORMULA))
    small = twin.twin_of(problem, gram, gram.design(FORMULA))
    assert max(bucket.members.shape[1] for bucket in small.problem.rest.packing.buckets) == 1  # nothing is linked
    assert (small.scale is not None) == (many_levels == 20)
    fit = fit_linear(FORMULA, movers)
    assert fit.optimizer.is_converged
    assert fit.optimizer.n_evaluations < plain.optimizer.n_evaluations
    assert fit.criterion == pytest.approx(plain.criterion, rel=1e-10)
    assert fit.theta == pytest.approx(plain.theta, rel=1e-6, abs=1e-6)
    assert fit.df_denom.to_numpy() == pytest.approx(plain.df_denom.to_numpy(), rel=5e-3)


def test_fully_crossed_factors_have_no_twin(crossed, monkeypatch):
    monkeypatch.setattr(twin, "LEAST_LEVELS", 10)
    gram = prepare_linear(FORMULA, crossed)
    design = gram.design(FORMULA)
    assert twin.twin_of(linear_problem(gram, design), gram, design) is None


def test_the_twin_of_a_model_without_that_variance_is_not_used(movers, large_everywhere, monkeypatch):
    """Its optimum lies on the boundary, where the gradient of a variance is zero whatever the data say."""
    monkeypatch.setattr(twin, "LEAST_LEVELS", 100)
    formula = "y ~ x + (1 | client) + (0 + x | therapist)"
    fit = fit_linear(formula, movers)
    monkeypatch.setattr(twin, "LEAST_LEVELS", 10**9)
    assert fit.criterion == pytest.approx(fit_linear(formula, movers).criterion, rel=1e-10)


def test_a_fit_starts_another_specification_of_its_rows(movers):
    gram = prepare_linear("y ~ x + (1 + x | client) + (1 | therapist)", movers)
    full = fit_linear("y ~ x + (1 + x | client) + (1 | therapist)", gram)
    alone = fit_linear("y ~ 1 + (1 + x | client) + (1 | therapist)", gram)
    for start in (full, full.theta):
        again = fit_linear("y ~ 1 + (1 + x | client) + (1 | therapist)", gram, start=start)
        assert again.criterion == pytest.approx(alone.criterion, rel=1e-10)
        np.testing.assert_allclose(again.theta, alone.theta, rtol=1e-4, atol=1e-6)
        assert again.optimizer.n_evaluations < alone.optimizer.n_evaluations
    shared = fit_linear("y ~ 1 + (1 + x | client) + (1 | therapist)", gram, start=full)
    assert shared.conditional.problem.rest.by_chunk is full.conditional.problem.rest.by_chunk
    elsewhere = fit_linear("y ~ 1 + (1 + x | client) + (1 | therapist)", movers, start=full)
    assert elsewhere.criterion == pytest.approx(alone.criterion, rel=1e-10)


def test_a_fit_with_other_random_terms_is_no_start(movers):
    full = fit_linear("y ~ x + (1 + x | client) + (1 | therapist)", movers)
    with pytest.raises(UsageError, match="start has 4 covariance parameters, the model 2"):
        fit_linear("y ~ x + (1 | client) + (1 | therapist)", movers, start=full)
    as_many = fit_linear("y ~ x + (1 | client) + (1 + x | therapist)", movers, start=full)
    plain = fit_linear("y ~ x + (1 | client) + (1 + x | therapist)", movers)
    assert as_many.criterion == pytest.approx(plain.criterion, rel=1e-10)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_small_matrices_by_the_thousand_are_those_of_numpy(k):
    rng = np.random.default_rng(k)
    factor = rng.normal(size=(50, k, k))
    positive = np.moveaxis(factor @ np.swapaxes(factor, 1, 2) + 0.1 * np.eye(k), 0, 2)
    other, columns = rng.normal(size=(k, k, 50)), rng.normal(size=(k, 50, 4))
    inverse, log_det = batched.inverse_and_logdet(positive)
    stacked = np.moveaxis(positive, 2, 0)
    np.testing.assert_allclose(np.moveaxis(inverse, 2, 0), np.linalg.inv(stacked), rtol=1e-9)
    assert log_det == pytest.approx(np.linalg.slogdet(stacked)[1].sum(), rel=1e-12)
    np.testing.assert_allclose(
        np.moveaxis(batched.multiply(positive, other), 2, 0), stacked @ np.moveaxis(other, 2, 0), rtol=1e-12
    )
    np.testing.assert_allclose(
        np.moveaxis(batched.apply(other, columns), 1, 0),
        np.moveaxis(other, 2, 0) @ np.moveaxis(columns, 1, 0),
        rtol=1e-10,
    )
    left = rng.normal(size=(k, k))
    np.testing.assert_allclose(
        np.moveaxis(batched.sandwich(left, other), 2, 0), left @ np.moveaxis(other, 2, 0) @ left.T, rtol=1e-9
    )
