"""The families' derivatives against differences, and their deviances against dense algebra and plain integration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import gammaln
from scipy.stats import binom, nbinom
from test_laplace_deviance import STRUCTURES, dense_laplace, deviance_of, differences, random_model

from outcomes.mixed.count.families import NegativeBinomial, Poisson
from outcomes.mixed.generalised.quadrature import QuadratureDeviance
from outcomes.mixed.generalised.rows import find_cells, sorted_rows
from outcomes.mixed.ordinal.family import OrderedCategories, threshold_map
from outcomes.mixed.ordinal.intervals import CUMULATIVE_LINKS

STEP = 1e-5


def ordinal(link="logit", kind="flexible", n=4):
    return OrderedCategories(CUMULATIVE_LINKS[link], threshold_map(kind, n), np.full(n, 1 / n))


FAMILIES = {
    "poisson": (Poisson(), np.empty(0)),
    "negative binomial": (NegativeBinomial(), np.array([0.8])),
    "negative binomial, hardly dispersed": (NegativeBinomial(), np.array([0.002])),
    "ordinal logit": (ordinal(), np.array([-1.0, 0.2, 1.5])),
    "ordinal probit": (ordinal("probit"), np.array([-1.0, 0.2, 1.5])),
    "equidistant": (ordinal(kind="equidistant"), np.array([-1.0, 0.7])),
}


def outcome_of(name: str, n: int, rng) -> np.ndarray:
    return (rng.poisson(3, n) if "poisson" in name or "negative" in name else rng.integers(1, 5, n)).astype(float)


@pytest.mark.parametrize("name", FAMILIES)
def test_derivatives_of_rows_are_those_of_their_likelihood(name):
    family, own = FAMILIES[name]
    rng = np.random.default_rng(0)
    eta, y = 2 * rng.standard_normal(300), outcome_of(name, 300, rng)

    def slope(function) -> np.ndarray:
        return (function(STEP) - function(-STEP)) / (2 * STEP)

    here, rows = family.at(own).derivatives(eta, y, None), family.at(own)
    at = lambda h: rows.derivatives(eta + h, y, None)  # noqa: E731
    np.testing.assert_allclose(here.score, slope(lambda h: at(h).loglik), atol=1e-6)
    np.testing.assert_allclose(here.weight, -slope(lambda h: at(h).score), atol=1e-6)
    np.testing.assert_allclose(here.third, slope(lambda h: at(h).weight), atol=1e-6)
    if name == "poisson":
        np.testing.assert_allclose(rows.fourth(eta, y, None), slope(lambda h: at(h).third), atol=1e-5)
    found = rows.by_own(eta, y, None)
    for j, unit in enumerate(np.eye(own.size)):
        moved = lambda h: family.at(own + h * unit)  # noqa: B023, E731
        for word in ("loglik", "score", "weight"):
            expected = slope(lambda h: getattr(moved(h).derivatives(eta, y, None), word))  # noqa: B023
            np.testing.assert_allclose(getattr(found, word)[j], expected, atol=1e-5, rtol=1e-6)
        expected = slope(lambda h: moved(h).by_own(eta, y, None).loglik)  # noqa: B023
        np.testing.assert_allclose(found.second[j], expected, atol=1e-5, rtol=1e-6)


def test_the_negative_binomial_is_scipys():
    rng = np.random.default_rng(1)
    eta, y = rng.standard_normal(200), rng.poisson(3, 200).astype(float)
    ours = NegativeBinomial().at(np.array([0.7])).derivatives(eta, y, None).loglik - gammaln(y + 1)
    size = 1 / 0.49
    np.testing.assert_allclose(ours, nbinom.logpmf(y, size, size / (size + np.exp(eta))), rtol=1e-12)


def test_categories_stay_exact_in_the_tails():
    for link in CUMULATIVE_LINKS:
        rows = ordinal(link).at(np.array([-1.0, 0.2, 1.5]))
        eta = np.array([-400.0, -40.0, 40.0, 400.0])
        for category in (1.0, 2.0, 3.0, 4.0):
            found = rows.derivatives(eta, np.full(4, category), None)
            assert np.isfinite([found.loglik, found.score, found.weight, found.third]).all()
            assert (found.loglik <= 0).all()
            assert (found.weight >= 0).all()


def model_of(name: str, structure: str):
    """A random model of the family, its parameters and its arrays."""
    family, own = FAMILIES[name]
    model, psi, (X, _, _, Z, codes) = random_model(*STRUCTURES[structure], "logit", seed=2)
    y = outcome_of(name, len(X), np.random.default_rng(3))
    offset = 0.3 * np.random.default_rng(4).standard_normal(len(X))
    if family.is_own_located:
        X = X.copy()
        X[:, 0] = offset  # thresholds stand for the intercept
    rows = sorted_rows(X, y, None, Z, find_cells(codes), offset)
    return replace(model, rows=rows, family=family), np.concatenate([own, psi]), (X, y, Z, codes, offset)


@pytest.mark.parametrize("name", ["poisson", "negative binomial", "ordinal logit", "ordinal probit", "equidistant"])
@pytest.mark.parametrize("structure", ["one intercept", "intercept and slope", "slope crossed with intercept"])
def test_laplace_is_the_dense_one_and_its_gradient_exact(name, structure):
    model, psi, (X, y, Z, codes, offset) = model_of(name, structure)
    deviance = deviance_of(model, psi)
    value, gradient = deviance(psi)
    r = model.family.n_own
    rows = model.family.at(psi[:r])

    def with_offset(eta, events, trials):
        return rows.derivatives(eta + offset, events, trials)

    assert value == pytest.approx(dense_laplace(model, psi, (X, y, None, Z, codes), with_offset), rel=1e-9)
    np.testing.assert_allclose(gradient, differences(deviance, psi, 1e-4), rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("name", ["binomial", "poisson", "negative binomial", "ordinal logit"])
@pytest.mark.parametrize("structure", ["one intercept", "intercept and slope"])
@pytest.mark.parametrize("nodes", [3, 8])
def test_the_gradient_of_the_product_rule_follows_its_nodes(name, structure, nodes):
    if name == "binomial":
        model, psi, _ = random_model(*STRUCTURES[structure], "logit", seed=5)
    else:
        model, psi, _ = model_of(name, structure)
    deviance = QuadratureDeviance(deviance_of(model, psi), nodes)
    np.testing.assert_allclose(deviance(psi)[1], differences(deviance, psi), rtol=2e-5, atol=2e-4)
    laplace = deviance_of(model, psi)
    assert QuadratureDeviance(laplace, 1)(psi)[0] == pytest.approx(laplace(psi)[0], rel=1e-12)


def test_the_product_rule_converges_to_the_integral_over_intercept_and_slope():
    model, psi, (X, events, trials, Z, codes) = random_model((6,), ((0, 1),), "logit", seed=6, n=60)
    (L,) = model.lambdas(psi)
    total = 0.0
    for level in range(6):
        own = codes[0] == level
        fixed, z, k, n = X[own] @ psi[:3], Z[own], events[own], trials[own]

        def density(v, u, fixed=fixed, z=z, k=k, n=n):
            p = 1 / (1 + np.exp(-(fixed + z @ (L @ np.array([u, v])))))
            return np.exp(binom.logpmf(k, n, p).sum() - (u * u + v * v) / 2) / (2 * np.pi)

        total += np.log(dblquad(density, -6, 6, -6, 6, epsabs=1e-14, epsrel=1e-7)[0])
    constant = gammaln(trials + 1) - gammaln(events + 1) - gammaln(trials - events + 1)
    exact = -2 * (total - constant.sum())
    errors = [abs(QuadratureDeviance(deviance_of(model, psi), k)(psi)[0] - exact) for k in (1, 5, 21)]
    assert errors[2] < 1e-5 * abs(exact)
    assert errors[2] < errors[1] < errors[0]
