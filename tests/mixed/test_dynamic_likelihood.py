"""The dynamic model's likelihood against Kalman filters, closed forms and dense normal densities; its gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dynamic_cohorts import small_rows
from dynamic_dense import log_likelihood, unpack
from scipy.stats import multivariate_normal
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import build_problem
from outcomes.mixed.dynamic.sequences import Rows

PSI = np.array([0.3, -0.2, 0.5, 0.1, 0.4, -0.3])


def parameters(seed: int, n: int = 15) -> np.ndarray:
    """Parameters anywhere, explosive ones included."""
    return np.random.default_rng(seed).normal(0, 0.4, n)


def kalman(rows: Rows, theta: np.ndarray, psi: np.ndarray) -> float:
    """One client's log-likelihood by statsmodels: the state holds x, r and the two intercepts."""
    model = unpack(theta)
    n_d = rows.D.shape[1] - 1
    endog = np.full((int(rows.slot.max()) + 1, 2), np.nan)
    endog[rows.slot, 0] = rows.D[:, 0] - rows.D[:, 1:] @ psi[:n_d]
    satisfaction = rows.Y[:, 0] - rows.Y[:, 1:] @ psi[n_d:]
    endog[rows.slot[rows.is_rated], 1] = satisfaction[rows.is_rated]
    kf = KalmanFilter(k_endog=2, k_states=4)
    kf.bind(np.ascontiguousarray(endog))
    zero = np.zeros((2, 2))
    kf["design"] = np.hstack([np.eye(2), np.eye(2)])
    kf["transition"] = np.block([[model["A"], zero], [zero, np.eye(2)]])
    kf["selection"] = np.eye(4)
    kf["state_cov"] = np.block([[model["Q"], zero], [zero, zero]])
    start = np.block([[model["P"], zero], [zero, model["Sigma"]]])
    kf.initialize_known(np.zeros(4), start)
    kf.tolerance = 0
    return float(np.sum(kf.loglike()))


@pytest.mark.parametrize("seed", range(12))
def test_one_client_agrees_with_statsmodels_kalman_filter_with_gaps_and_missing_ratings(seed):
    rows = small_rows(seed, clients=1, therapists=1, unrated=0.4, gaps=0.3)
    theta = parameters(seed, 12)
    found = evaluate(build_problem(rows, has_therapists=False), theta, PSI)
    assert found.deviance == pytest.approx(-2 * kalman(rows, theta, PSI), abs=1e-8)


def test_two_sessions_have_the_normal_density_in_closed_form():
    theta = parameters(5, 12)
    a, b, c, phi, kappa = theta[:5]
    x1, r1, eta, eps = np.exp(2 * theta[5:9])
    first = np.array([[x1, kappa * x1], [kappa * x1, kappa**2 * x1 + r1]])
    A = np.array([[a, b], [c, phi]])
    shared = np.kron(np.ones((2, 2)), unpack(theta)["Sigma"])
    cov = shared + np.block([[first, first @ A.T], [A @ first, A @ first @ A.T + np.diag([eta, eps])]])
    values = np.array([0.7, -1.1, 0.2, 0.9])
    one = np.ones((2, 1))
    rows = Rows(
        client=np.zeros(2, dtype=int),
        therapist=np.zeros(2, dtype=int),
        slot=np.arange(2),
        is_rated=np.ones(2, dtype=bool),
        D=np.hstack([values[[0, 2]][:, None], one]),
        Y=np.hstack([values[[1, 3]][:, None], one]),
    )
    found = evaluate(build_problem(rows, has_therapists=False), theta, np.zeros(2))
    assert found.deviance == pytest.approx(-2 * multivariate_normal(cov=cov).logpdf(values), abs=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_clients_of_shared_therapists_have_the_dense_normal_density(seed):
    rows = small_rows(seed)
    theta = parameters(seed)
    found = evaluate(build_problem(rows, has_therapists=True), theta, PSI)
    assert found.deviance == pytest.approx(-2 * log_likelihood(rows, theta, PSI), abs=1e-8)


def test_many_equal_series_collapse_without_a_trace():
    rows = small_rows(3, clients=60, therapists=5, unrated=0.1, gaps=0.0, moves=0.2)
    problem = build_problem(rows, has_therapists=True)
    single = problem.blocks[0]
    assert len(single.one_of) < single.n_clients  # the case is about clients that share a unit
    theta = parameters(3)
    assert evaluate(problem, theta, PSI).deviance == pytest.approx(-2 * log_likelihood(rows, theta, PSI), abs=1e-8)


@pytest.mark.parametrize("has_therapists", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_the_slope_of_the_deviance(seed, has_therapists):
    rows = small_rows(seed, clients=25)
    problem = build_problem(rows, has_therapists=has_therapists)
    theta = parameters(seed, problem.n_theta)
    exact = gradient(problem, evaluate(problem, theta, PSI))
    step = 1e-6
    shifts = step * np.eye(len(theta))
    slope = [
        (evaluate(problem, theta + s, PSI).deviance - evaluate(problem, theta - s, PSI).deviance) / (2 * step)
        for s in shifts
    ]
    np.testing.assert_allclose(exact, slope, rtol=1e-5, atol=1e-5)


def test_the_linear_coefficients_are_the_best_ones():
    rows = small_rows(1, clients=40)
    problem = build_problem(rows, has_therapists=True)
    theta = parameters(1)
    best = evaluate(problem, theta)
    worse = [evaluate(problem, theta, best.psi + shift).deviance for shift in 1e-2 * np.vstack([np.eye(6), -np.eye(6)])]
    assert min(worse) > best.deviance
    # generalised least squares: the rise is the quadratic form of the information
    rise = evaluate(problem, theta, best.psi + PSI).deviance - best.deviance
    assert rise == pytest.approx(PSI @ best.information @ PSI, rel=1e-9)


def test_the_gradient_at_a_variance_of_zero_is_finite_and_right():
    rows = small_rows(2, clients=25)
    problem = build_problem(rows, has_therapists=True)
    theta = parameters(2)
    theta[9:15] = 0.0
    state = evaluate(problem, theta, PSI)
    assert state.deviance == pytest.approx(-2 * log_likelihood(rows, theta, PSI), abs=1e-8)
    np.testing.assert_allclose(gradient(problem, state)[9:15], 0.0, atol=1e-12)


def test_independent_sessions_are_two_least_squares_with_known_variances():
    rows = small_rows(4, clients=30, unrated=0.0)
    theta = np.zeros(12)  # no carry-over, no intercepts, all variances 1
    found = evaluate(build_problem(rows, has_therapists=False), theta)
    for columns, coefficients in ((rows.D, found.psi[:2]), (rows.Y, found.psi[2:])):
        np.testing.assert_allclose(coefficients, np.linalg.lstsq(columns[:, 1:], columns[:, 0])[0], atol=1e-10)


def test_the_order_of_clients_does_not_matter():
    rows = small_rows(6, clients=20)
    theta = parameters(6)
    before = evaluate(build_problem(rows, has_therapists=True), theta).deviance
    names = np.random.default_rng(0).permutation(20)[rows.client]
    order = np.lexsort((rows.slot, names))
    moved = Rows(
        names[order], rows.therapist[order], rows.slot[order], rows.is_rated[order], rows.D[order], rows.Y[order]
    )
    assert evaluate(build_problem(moved, has_therapists=True), theta).deviance == pytest.approx(before, abs=1e-9)
    relabelled = replace(rows, therapist=rows.therapist.max() - rows.therapist)
    assert evaluate(build_problem(relabelled, has_therapists=True), theta).deviance == pytest.approx(before, abs=1e-9)
