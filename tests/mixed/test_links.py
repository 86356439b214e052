"""Every link is whole: derivatives, inverse, latent variance and twin agree with scipy and statsmodels."""

from __future__ import annotations

import pickle
from typing import get_args

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import integrate, optimize, stats

from outcomes.errors import UsageError
from outcomes.links import LINKS, Link, link_named
from outcomes.mixed import FitStatus, fit_binomial, fit_cluster_robust, fit_shared_parameter
from outcomes.release.codebook.result_columns import RESULT_COLUMNS
from outcomes.study.settings import ModelSpec

ETA = np.linspace(-3.5, 2.5, 61)
DISTRIBUTIONS = {"logit": stats.logistic(), "cloglog": stats.gumbel_l(), "probit": stats.norm()}


@pytest.fixture(params=LINKS.values(), ids=str)
def link(request) -> Link:
    return request.param


def test_the_latent_residual_has_the_links_distribution(link):
    latent = DISTRIBUTIONS[link.name]
    assert link.latent_variance == pytest.approx(latent.var())
    assert link.inverse(ETA) == pytest.approx(latent.cdf(ETA), rel=1e-12)


@pytest.mark.parametrize("trials", [None, 5.0])
def test_the_log_likelihood_is_the_binomials_and_its_derivatives_follow(link, trials):
    n = np.full(ETA.size, 1.0 if trials is None else trials)
    given = None if trials is None else n
    for events in (np.zeros(ETA.size), np.ones(ETA.size)):
        found = link.derivatives(ETA, events, given)
        p = DISTRIBUTIONS[link.name].cdf(ETA)
        coefficient = stats.binom.logpmf(events, n, 0.5) + n * np.log(2)
        assert found.loglik == pytest.approx(stats.binom.logpmf(events, n, p) - coefficient, rel=1e-9, abs=1e-12)
        step = 1e-5
        above, below = (link.derivatives(ETA + h, events, given) for h in (step, -step))
        assert found.score == pytest.approx((above.loglik - below.loglik) / (2 * step), rel=1e-6, abs=1e-7)
        assert found.weight == pytest.approx((below.score - above.score) / (2 * step), rel=1e-6, abs=1e-7)
        assert found.third == pytest.approx((above.weight - below.weight) / (2 * step), rel=1e-6, abs=1e-7)
        fourth = (above.third - below.third) / (2 * step)
        assert link.fourth(ETA, events, given) == pytest.approx(fourth, rel=1e-6, abs=1e-7)


def test_far_tails_stay_finite(link):
    far = np.array([-60.0, -8.0, 8.0, 60.0])
    for events in (np.zeros(4), np.ones(4)):
        row = link.derivatives(far, events, None)
        assert all(np.isfinite(part).all() for part in (row.loglik, row.score, row.weight, row.third))


def test_statsmodels_twin_has_the_same_inverse_and_start(link):
    p = np.linspace(0.01, 0.99, 33)
    assert link.inverse(ETA) == pytest.approx(link.statsmodels.inverse(ETA), rel=1e-8)
    assert link.start(p) == pytest.approx(link.statsmodels(p), rel=1e-9)
    assert link.inverse(link.start(p)) == pytest.approx(p)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    rng = np.random.default_rng(11)
    group = np.repeat(np.arange(30), 12)
    x = rng.normal(size=group.size)
    eta = -0.4 + 0.6 * x + rng.normal(0, 0.7, 30)[group]
    return pl.DataFrame({"g": group, "x": x, "y": (rng.random(group.size) < stats.norm.cdf(eta)).astype(int)})


def test_a_fit_by_quadrature_maximises_the_integrated_likelihood(link, rows):
    fit = fit_binomial("y ~ x + (1 | g)", rows, link=link.name, nagq=25)
    latent = DISTRIBUTIONS[link.name]
    by_group = [(part["x"].to_numpy()[:, None], part["y"].to_numpy()[:, None]) for part in rows.partition_by("g")]
    u = np.linspace(-8, 8, 801)

    def deviance(psi: np.ndarray) -> float:
        total = 0.0
        for x, y in by_group:
            eta = psi[0] + psi[1] * x + psi[2] * u
            loglik = np.where(y == 1, latent.logcdf(eta), latent.logsf(eta)).sum(axis=0)
            total -= 2 * np.log(integrate.simpson(np.exp(loglik) * stats.norm.pdf(u), x=u))
        return total

    at = np.append(fit.beta, fit.variances[0].sd)
    assert deviance(at) == pytest.approx(fit.criterion, abs=1e-5)
    slope = optimize.approx_fprime(at, deviance, 1e-5)
    assert np.abs(slope).max() < 5e-2  # a fall of the deviance below 1e-4 is left
    assert fit.status is FitStatus.CONVERGED


def test_a_model_without_random_effects_is_statsmodels_glm(link, rows):
    fit = fit_cluster_robust("y ~ x", rows, "g", link.name)
    theirs = sm.GLM(rows["y"].to_numpy(), sm.add_constant(rows["x"].to_numpy()), sm.families.Binomial(link.statsmodels))
    assert fit.beta == pytest.approx(theirs.fit().params, rel=1e-6)


def test_a_robust_fit_says_nothing_of_a_probability_of_zero():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = (rng.uniform(size=300) < 1 / (1 + np.exp(-2 * x))).astype(int)
    x[0], y[0] = -1000, 0  # exp(-x'b) is past the largest number
    fit = fit_cluster_robust("y ~ x", pl.DataFrame({"x": x, "y": y, "g": np.arange(300) % 20}), "g")
    assert fit.status is FitStatus.CONVERGED


def test_only_links_whose_effects_have_a_ratio_show_one(link, rows):
    fit = fit_binomial("y ~ x + (1 | g)", rows, link=link.name)
    shown = [name for name in fit.tidy().columns if "ratio" in name]
    if link.ratio is None:
        assert shown == []
        with pytest.raises(UsageError, match="no ratios"):
            _ = fit.odds_ratios
        with pytest.raises(UsageError, match="no ratios"):
            fit.median_odds_ratio("g")
    else:
        name = link.ratio.column
        assert shown == [name, f"{name}_conf_low", f"{name}_conf_high"]
        assert fit.odds_ratios.name == name


def test_an_unknown_link_is_refused_with_the_known_ones(rows):
    for ask in (
        lambda: link_named("loglog"),
        lambda: fit_binomial("y ~ x + (1 | g)", rows, link="loglog"),
        lambda: fit_cluster_robust("y ~ x", rows, "g", "loglog"),
        lambda: fit_shared_parameter("x ~ 1 + (1 | g)", "y ~ 1", rows, rows, link="loglog"),
    ):
        with pytest.raises(UsageError, match="'loglog' is not available") as refusal:
            ask()
        assert all(name in refusal.value.hint for name in LINKS)


def test_study_and_codebook_take_every_link():
    assert get_args(ModelSpec.model_fields["link"].annotation) == tuple(LINKS)
    assert all(name in RESULT_COLUMNS["link"].range for name in LINKS)


def test_a_link_is_pickled_by_its_name(link):
    assert pickle.loads(pickle.dumps(link)) is link


@pytest.mark.parametrize("kind", ["marginal", "typical", "conditional"])
def test_a_binomial_fit_survives_a_pickle(rows, kind):
    fit = fit_binomial("y ~ x + (1 | g)", rows)
    again = pickle.loads(pickle.dumps(fit))
    assert again.predict(rows, kind).equals(fit.predict(rows, kind))
    assert again.random_effects("g").equals(fit.random_effects("g"))
