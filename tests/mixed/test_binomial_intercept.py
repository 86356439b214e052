"""The short way of a model of one random intercept is the long way's: deviance, gradient, and every bootstrap draw."""

from __future__ import annotations

import numpy as np
import pytest
from references import simulated

from outcomes.mixed import are_far_from_zero, bootstrap_binomial, draw_estimates, fit_binomial
from outcomes.mixed.generalised import rows as cutting
from outcomes.mixed.generalised.intercept import _Search, is_one_intercept
from outcomes.mixed.generalised.laplace import LaplaceDeviance
from outcomes.mixed.generalised.starts import fixed_information
from outcomes.mixed.inference import bootstrap_binomial as bootstraps

FORMULA = "dropout ~ directiveness_within + preference + modality + (1 | therapist_id)"


@pytest.fixture(scope="module", params=["logit", "cloglog", "probit"])
def fit(request):
    return fit_binomial(FORMULA, simulated("binomial_therapist")[0], link=request.param)


def test_deviance_and_gradient_are_those_of_laplace(fit):
    state = fit.engine_state
    model = state.problem.model
    assert is_one_intercept(model)
    slopes = fixed_information(model, state.psi, state.mode)[1]
    long = LaplaceDeviance.near(model, state.psi, state.mode, slopes)
    short = _Search(model.rows.joined(), model.likelihood(state.psi), state.psi)
    rng = np.random.default_rng(1)
    for _ in range(5):
        psi = state.psi + np.linalg.cholesky(state.covariance) @ rng.standard_normal(state.psi.size)
        deviance, gradient = long(psi)
        half, slope = short.at(psi)
        assert 2 * half == pytest.approx(deviance, abs=1e-6)  # modes are taken as found within 1e-5
        assert 2 * slope == pytest.approx(gradient, rel=1e-5, abs=1e-5 * np.abs(gradient).max())


def test_every_draw_ends_where_its_own_search_ends(fit, monkeypatch):
    short = bootstrap_binomial(fit, draws=23, seed=5, show_progress=False)
    monkeypatch.setattr(bootstraps, "is_one_intercept", lambda model: False)
    alone = bootstrap_binomial(fit, draws=23, seed=5, show_progress=False)
    assert np.array_equal(short.converged, alone.converged)
    errors = alone.beta.std(axis=0)
    assert (np.abs(short.beta - alone.beta) / errors).max() < 0.01  # both searches stop at 0.001 in these units
    is_positive = alone.sd[:, 0] > 0.1
    assert short.sd[is_positive] == pytest.approx(alone.sd[is_positive], abs=0.01 * alone.sd.std())
    assert (short.sd[~is_positive] < 0.2).all()


def test_rows_in_many_chunks_are_joined_as_they_were_before_they_were_cut(fit, monkeypatch):
    whole = fit.engine_state.problem.model.rows.joined()
    monkeypatch.setattr(cutting, "CHUNK_ROWS", 37)
    again = fit_binomial(FORMULA, simulated("binomial_therapist")[0], link=fit.link)
    model = again.engine_state.problem.model
    assert len(model.rows.chunks) > 10
    assert is_one_intercept(model)
    joined = model.rows.joined()
    np.testing.assert_array_equal(joined.starts, whole.starts)
    np.testing.assert_array_equal(joined.events, whole.events)
    np.testing.assert_allclose(joined.X, whole.X, rtol=1e-12)
    drawn, cut = (bootstrap_binomial(one, draws=3, seed=5, show_progress=False) for one in (fit, again))
    assert cut.beta == pytest.approx(drawn.beta, abs=1e-3 * fit.bse.min())


def test_drawn_estimates_have_the_estimates_own_covariance(fit):
    drawn = draw_estimates(fit, draws=20_000, seed=2)
    np.testing.assert_allclose(drawn.beta.mean(axis=0), fit.beta, atol=4 * fit.bse.max() / np.sqrt(20_000))
    np.testing.assert_allclose(np.cov(drawn.beta.T), fit.vcov, atol=0.05 * np.diag(fit.vcov).max())
    ((_, _, sd, _, high),) = fit.sd_conf_int(0.95).rows()
    relative = drawn.sd[:, 0].std() / sd
    assert np.log(high / sd) / 1.96 == pytest.approx(relative, rel=0.05)


def test_a_standard_deviation_is_far_from_zero_by_its_own_error(fit):
    ((_, _, sd, _, high),) = fit.sd_conf_int(0.95).rows()
    errors = 1.959964 / np.log(high / sd)
    assert are_far_from_zero(fit, 0.99 * errors)
    assert not are_far_from_zero(fit, 1.01 * errors)


def test_two_random_effects_go_the_long_way():
    sessions = simulated("binomial_therapist")[0]
    slope = fit_binomial("dropout ~ preference + (1 + preference | therapist_id)", sessions)
    assert not is_one_intercept(slope.engine_state.problem.model)
