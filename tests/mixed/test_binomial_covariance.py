"""The Hessian of the Laplace deviance and the covariance of a fit against brute force: dense matrices, and gradients by
steps into the imaginary, which are exact."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from test_binomial_partitions import apart, few_clients
from test_laplace_deviance import STRUCTURES, deviance_of, random_model

from outcomes.mixed import fit_binomial
from outcomes.mixed.elimination import moved
from outcomes.mixed.elimination.inner import Inner
from outcomes.mixed.generalised.hessian import laplace_hessian
from outcomes.mixed.generalised.laplace import find_mode

INTERCEPTS = [name for name in STRUCTURES if "intercept" in name and "slope" not in name]


class BruteForce:
    """Half the Laplace deviance of random intercepts, for real and complex parameters."""

    def __init__(self, link: str, X: np.ndarray, events: np.ndarray, trials: np.ndarray, codes: list[np.ndarray]):
        self.link, self.X, self.events, self.trials, self.codes = link, X, events, trials, codes

    def row(self, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-likelihood, its derivative, and minus its second."""
        k, n = self.events, self.trials
        if self.link == "logit":
            p = 1 / (1 + np.exp(-eta))
            return k * eta - n * np.log(1 + np.exp(eta)), k - n * p, n * p * (1 - p)
        m = np.exp(eta)
        ratio = m / (np.exp(m) - 1)
        score = k * ratio - (n - k) * m
        return k * np.log(1 - np.exp(-m)) - (n - k) * m, score, (n - k) * m - k * ratio * (1 - m - ratio)

    def __call__(self, psi: np.ndarray) -> complex:
        p = self.X.shape[1]
        A = np.hstack([sd * np.eye(code.max() + 1)[code] for sd, code in zip(psi[p:], self.codes, strict=True)])
        u, step = np.zeros(A.shape[1], dtype=psi.dtype), np.inf
        for _ in range(50):
            loglik, score, weight = self.row(self.X @ psi[:p] + A @ u)
            H = A.T @ (weight[:, None] * A) + np.eye(u.size)
            if np.abs(step).max() < 1e-13:
                break
            step = np.linalg.solve(H, A.T @ score - u)
            u = u + step
        phase, size = np.linalg.slogdet(H)
        return -loglik.sum() + u @ u / 2 + (size + np.log(phase)) / 2

    def gradient(self, psi: np.ndarray) -> np.ndarray:
        return np.array([self(psi + 1e-30j * e).imag / 1e-30 for e in np.eye(psi.size)])

    def hessian(self, psi: np.ndarray) -> np.ndarray:
        """Differences of the exact gradient, of fourth order."""
        coarse, fine = (
            np.array([(self.gradient(psi + e) - self.gradient(psi - e)) / (2 * h) for e in h * np.eye(psi.size)])
            for h in (2e-3, 1e-3)
        )
        return (4 * fine - coarse) / 3


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("structure", INTERCEPTS)
def test_the_hessian_is_exact(structure, link):
    model, psi, (X, events, trials, _, codes) = random_model(*STRUCTURES[structure], link)
    mode = find_mode(model, psi, model.zeros(), tolerance=1e-20)
    expected = BruteForce(link, X, events.astype(float), trials.astype(float), codes).hessian(psi)
    found, _ = laplace_hessian(model, psi, mode)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("groups", ["(1 | therapist_id)", "(1 | client_id) + (1 | therapist_id)"])
@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_covariance_is_that_of_the_optimum(groups, link):
    rows = pl.concat(
        few_clients(seed).with_columns(pl.all().exclude("x", "left", "risk") + str(seed)) for seed in (0, 1)
    )
    fit = fit_binomial(f"left ~ x + {groups}", rows, link=link)
    X = np.column_stack([np.ones(rows.height), rows["x"]])
    levels = [block.group for block in fit.variances]
    codes = [np.unique(rows[name].to_numpy(), return_inverse=True)[1] for name in levels]
    brute = BruteForce(link, X, rows["left"].to_numpy().astype(float), np.ones(rows.height), codes)
    psi = np.concatenate([fit.beta, [block.sd[0] for block in fit.variances]])
    for _ in range(2):
        psi = psi - np.linalg.solve(brute.hessian(psi), brute.gradient(psi))
    covariance = np.linalg.inv(brute.hessian(psi))
    errors = np.sqrt(np.diag(covariance))
    assert np.abs((fit.beta - psi[:2]) / errors[:2]).max() < 1e-8
    assert np.abs((np.array([block.sd[0] for block in fit.variances]) - psi[2:]) / errors[2:]).max() < 1e-8
    assert apart(fit.vcov, covariance[:2, :2]) < 1e-8


@pytest.mark.parametrize("held", [10**9, 1])
def test_a_large_component_is_as_exact_whether_its_products_are_held_or_not(held, monkeypatch):
    monkeypatch.setattr(moved, "MAX_HELD", held)
    model, psi, _ = random_model((150, 90), ((0,), (0,)), "logit", n=2000)
    mode = find_mode(model, psi, model.zeros(), tolerance=1e-20)
    assert mode.inner.is_costly  # all 90 effects hang together
    deviance, steps = deviance_of(model, psi), 1e-3 * np.eye(psi.size)
    numeric = np.array([deviance(psi + h)[1] - deviance(psi - h)[1] for h in steps]) / 4e-3
    found, _ = laplace_hessian(model, psi, mode)
    np.testing.assert_allclose(found, numeric, rtol=0, atol=1e-6 * np.abs(numeric).max())
    rough, _ = laplace_hessian(model, psi, mode, is_rough=True)
    assert 0 < np.abs(rough - found).max() < 0.05 * np.abs(found).max()


def test_a_rough_hessian_is_exact_where_nothing_is_costly(monkeypatch):
    model, psi, _ = random_model(*STRUCTURES["crossed intercepts"], "logit")
    mode = find_mode(model, psi, model.zeros())
    exact, rough = (laplace_hessian(model, psi, mode, is_rough=is_rough)[0] for is_rough in (False, True))
    np.testing.assert_array_equal(exact, rough)
    monkeypatch.setattr(Inner, "is_costly", True)
    assert not np.array_equal(laplace_hessian(model, psi, mode, is_rough=True)[0], exact)
