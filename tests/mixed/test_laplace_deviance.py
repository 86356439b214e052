"""The Laplace and quadrature deviances against dense linear algebra, numerical integration and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from outcomes.links import LINKS
from outcomes.mixed.elimination.inner import Inner
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.hessian import laplace_hessian
from outcomes.mixed.generalised.laplace import LaplaceDeviance, Model, find_mode
from outcomes.mixed.generalised.quadrature import QuadratureDeviance
from outcomes.mixed.generalised.rows import find_cells, sorted_rows

STRUCTURES = {
    "one intercept": ((20,), ((0,),)),
    "intercept and slope": ((20,), ((0, 1),)),
    "crossed intercepts": ((30, 6), ((0,), (0,))),
    "three crossed intercepts": ((30, 10, 4), ((0,), (0,), (0,))),
    "slope crossed with intercept": ((25, 6), ((0, 1), (0,))),
    "slopes of three factors": ((25, 6, 3), ((0,), (0, 1), (1, 2))),
}


def random_model(levels, columns, link, seed=0, n=200):
    """A model of random data: its arrays in the original order beside it."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])
    codes = [np.unique(rng.integers(0, q, n), return_inverse=True)[1] for q in levels]
    m = max(max(c) for c in columns) + 1
    Z = None if m == 1 else np.column_stack([np.ones(n), rng.standard_normal((n, m - 1))])
    trials = rng.integers(1, 6, n)
    events = rng.binomial(trials, 0.4)
    cells = find_cells(codes)
    factors = tuple(
        LevelFactor((len(c),), f"g{i}", int(code.max()) + 1, np.array(c))
        for i, (code, c) in enumerate(zip(codes, columns, strict=True))
    )
    model = Model(sorted_rows(X, events, trials, Z, cells), Blocks(factors, cells.levels, m), LINKS[link])
    theta = np.concatenate([np.abs(rng.standard_normal(f.n_theta)) * 0.5 + 0.2 for f in factors])
    return model, np.concatenate([0.3 * rng.standard_normal(3), theta]), (X, events, trials, Z, codes)


def deviance_of(model: Model, psi: np.ndarray) -> LaplaceDeviance:
    """The deviance with nothing known of its modes."""
    blank = [np.zeros((f.n_levels, f.k, 1)) for f in model.blocks.factors]
    by_location = [np.repeat(b, model.layout.location.stop, axis=2) for b in blank]
    by_theta = [np.repeat(b, model.blocks.n_theta, axis=2) for b in blank]
    return LaplaceDeviance(model, psi, model.zeros(), by_location, by_theta)


def dense_laplace(model: Model, psi: np.ndarray, arrays, derivatives=None) -> float:
    """The same deviance from one dense matrix of all random-effect columns."""
    X, events, trials, Z, codes = arrays
    columns = []
    for factor, code, L in zip(model.blocks.factors, codes, model.lambdas(psi), strict=True):
        own = (np.ones((len(X), 1)) if Z is None else Z[:, factor.columns]) @ L
        full = np.zeros((len(X), factor.n_levels * factor.k))
        for j in range(factor.k):
            full[np.arange(len(X)), code * factor.k + j] = own[:, j]
        columns.append(full)
    A = np.hstack(columns)
    u = np.zeros(A.shape[1])
    for _ in range(100):
        row = (derivatives or model.family.derivatives)(X @ psi[model.layout.beta] + A @ u, events, trials)
        H = A.T @ (row.weight[:, None] * A) + np.eye(A.shape[1])
        step = np.linalg.solve(H, A.T @ row.score - u)
        u = u + step * min(1.0, 0.5 / np.abs(step).max())
    return float(2 * (-row.loglik.sum() + 0.5 * u @ u) + np.linalg.slogdet(H)[1])


def differences(function, psi: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a function that returns (value, gradient)."""
    return np.array([(function(psi + h)[0] - function(psi - h)[0]) / (2 * step) for h in step * np.eye(psi.size)])


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_eliminated_form_equals_dense_algebra(structure, link):
    model, psi, arrays = random_model(*STRUCTURES[structure], link)
    value, _ = deviance_of(model, psi)(psi)
    assert value == pytest.approx(dense_laplace(model, psi, arrays), rel=1e-10)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_gradient_is_that_of_the_deviance(structure, link):
    model, psi, _ = random_model(*STRUCTURES[structure], link)
    deviance = deviance_of(model, psi)
    _, gradient = deviance(psi)
    # the values are good to about 1e-9, so differences over 2e-5 to about 1e-4
    assert gradient == pytest.approx(differences(deviance, psi), abs=1e-3, rel=1e-4)


@pytest.mark.parametrize("nodes", [1, 2, 5, 9, 25])
@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_quadratures_gradient_follows_its_nodes(link, nodes):
    model, psi, _ = random_model(*STRUCTURES["one intercept"], link)
    deviance = QuadratureDeviance(deviance_of(model, psi), nodes)
    _, gradient = deviance(psi)
    assert gradient == pytest.approx(differences(deviance, psi), abs=1e-3, rel=1e-4)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_one_node_is_the_laplace_approximation_and_many_nodes_the_integral(link):
    model, psi, (X, events, trials, _, codes) = random_model(*STRUCTURES["one intercept"], link)
    laplace = deviance_of(model, psi)
    assert QuadratureDeviance(laplace, 1)(psi)[0] == pytest.approx(laplace(psi)[0], rel=1e-12)

    def integrand(b: float, rows: np.ndarray) -> float:
        p = model.family.inverse(X[rows] @ psi[:3] + b)
        coefficients = binom.logpmf(events[rows], trials[rows], 0.5) + trials[rows] * np.log(2)
        return float(np.exp(binom.logpmf(events[rows], trials[rows], p).sum() - coefficients.sum() + 30)) * norm.pdf(
            b, scale=psi[3]
        )

    exact = 0.0
    for level in range(codes[0].max() + 1):
        rows = np.flatnonzero(codes[0] == level)
        area, _ = quad(integrand, -8, 8, args=(rows,), epsabs=0, epsrel=1e-11, limit=500)
        exact += -2 * (np.log(area) - 30)
    assert QuadratureDeviance(laplace, 25)(psi)[0] == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_derivatives_of_the_links_are_each_others(link):
    eta = np.linspace(-12, 4, 33)
    events, trials = np.tile([0.0, 1.0, 3.0], 11), np.tile([1.0, 1.0, 5.0], 11)
    at = LINKS[link].derivatives(eta, events, trials)
    above = LINKS[link].derivatives(eta + 1e-5, events, trials)
    below = LINKS[link].derivatives(eta - 1e-5, events, trials)
    assert at.score == pytest.approx((above.loglik - below.loglik) / 2e-5, abs=1e-5, rel=1e-6)
    assert at.weight == pytest.approx(-(above.score - below.score) / 2e-5, abs=1e-5, rel=1e-6)
    assert at.third == pytest.approx((above.weight - below.weight) / 2e-5, abs=1e-5, rel=1e-6)
    p = LINKS[link].inverse(eta)
    expected = binom.logpmf(events, trials, p) - binom.logpmf(events, trials, 0.5) - trials * np.log(2)
    inside = (p > 1e-12) & (p < 1 - 1e-12)
    assert at.loglik[inside] == pytest.approx(expected[inside], rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_extreme_linear_predictors_stay_finite(link):
    eta = np.array([-800.0, -60.0, 40.0, 800.0])
    for events in (0.0, 1.0):
        row = LINKS[link].derivatives(eta, np.full(4, events), None)
        assert all(np.isfinite(v).all() for v in (row.loglik, row.score, row.weight, row.third))


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("structure", [name for name in STRUCTURES if "intercept" in name and "slope" not in name])
def test_the_exact_hessian_is_the_derivative_of_the_gradient(structure, link):
    model, psi, _ = random_model(*STRUCTURES[structure], link)
    deviance = deviance_of(model, psi)
    hessian, slopes = laplace_hessian(model, psi, deviance.mode_at(psi))
    steps = 1e-4 * np.eye(psi.size)
    numeric = np.array([(deviance(psi + h)[1] - deviance(psi - h)[1]) / 2e-4 for h in steps]) / 2
    assert hessian == pytest.approx(numeric, abs=1e-5 * np.abs(numeric).max())
    for k, h in enumerate(steps):
        above, below = (find_mode(model, there, model.zeros(), tolerance=1e-20).u for there in (psi + h, psi - h))
        moved = [(a - b) / 2e-4 for a, b in zip(above, below, strict=True)]
        for slope, change in zip(slopes, moved, strict=True):
            assert slope[..., k] == pytest.approx(change, abs=1e-5)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_fourth_derivative_is_that_of_the_third(link):
    eta = np.linspace(-10, 3, 27)
    events, trials = np.tile([0.0, 1.0, 2.0], 9), np.tile([1.0, 1.0, 4.0], 9)
    above = LINKS[link].derivatives(eta + 1e-5, events, trials).third
    below = LINKS[link].derivatives(eta - 1e-5, events, trials).third
    assert LINKS[link].fourth(eta, events, trials) == pytest.approx((above - below) / 2e-5, abs=1e-6, rel=1e-6)


def test_an_older_factor_finds_the_modes_that_a_new_one_finds(monkeypatch):
    model, psi, _ = random_model((150, 90), ((0,), (0,)), "logit", n=2000)
    first = find_mode(model, psi, model.zeros())
    assert first.inner.is_costly  # all 90 effects hang together
    there = psi + 0.05
    with_older = find_mode(model, there, first.u, first.inner)
    monkeypatch.setattr(Inner, "is_costly", False)
    anew = find_mode(model, there, first.u)
    assert with_older.is_found
    assert anew.is_found
    assert with_older.n_passes > anew.n_passes  # it costs passes, and saves factors
    assert with_older.penalised == pytest.approx(anew.penalised, rel=1e-13)
    assert with_older.inner.logdet == pytest.approx(anew.inner.logdet, rel=1e-9)
    for ours, theirs in zip(with_older.u, anew.u, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)


def test_an_older_factor_of_far_away_is_given_up(monkeypatch):
    model, psi, _ = random_model((150, 90), ((0,), (0,)), "logit", n=2000)
    first = find_mode(model, psi, model.zeros())
    there = psi.copy()
    there[-2:] *= 4
    found = find_mode(model, there, first.u, first.inner)
    monkeypatch.setattr(Inner, "is_costly", False)
    assert found.penalised == pytest.approx(find_mode(model, there, first.u).penalised, rel=1e-12)


def test_the_deviance_at_one_place_is_computed_once():
    model, psi, _ = random_model((150, 90), ((0,), (0,)), "logit", n=2000)
    deviance = deviance_of(model, psi)
    first = deviance(psi)
    mode, passes = deviance.mode, deviance.n_passes
    assert deviance.mode_at(psi.copy()) is mode
    assert deviance(psi)[0] == first[0]
    assert deviance.n_passes <= passes + 1
