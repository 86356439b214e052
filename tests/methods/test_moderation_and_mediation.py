from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from outcomes.errors import UsageError
from outcomes.methods.inference.johnson_neyman import RegionState, johnson_neyman, simple_slopes
from outcomes.methods.inference.mediation import indirect_effect

# R 4.2.2: lm(Income ~ Illiteracy * Murder + `HS Grad`, data = as.data.frame(state.x77)), 45 residual df; the bounds are
# R's uniroot of |slope| - t * se.
R_BETA = [753.0714236031, -97.0387233574]
R_COVARIANCE = [[148915.3481855, -12322.8762756], [-12322.8762756, 1285.9304840]]
R_BOUNDS = (-0.749635218182, 11.7439204257)


def test_the_region_agrees_with_r():
    ours = johnson_neyman(R_BETA, R_COVARIANCE, [1.4, 6.85, 15.1], df=45)
    assert ours.state is RegionState.OUTSIDE
    assert (ours.bound_low, ours.bound_high) == pytest.approx(R_BOUNDS, abs=1e-5)
    assert ours.share_significant == pytest.approx(1 / 3)


def test_a_simple_slope_at_a_bound_is_just_significant():
    ours = johnson_neyman(R_BETA, R_COVARIANCE, [0.0], df=45)
    for slope in simple_slopes(R_BETA, R_COVARIANCE, [ours.bound_low, ours.bound_high], df=45):
        assert slope.p_value == pytest.approx(0.05, abs=1e-10)


@pytest.mark.parametrize(
    ("beta", "variances", "state"),
    [
        ([1.0, 0.0], [0.01, 0.0], RegionState.EVERYWHERE),
        ([0.01, 0.0], [0.01, 0.01], RegionState.NOWHERE),
        ([1.0, 0.1], [0.01, 0.04], RegionState.INSIDE),
        ([0.1, 1.0], [0.04, 0.01], RegionState.OUTSIDE),
    ],
)
def test_the_region_has_four_shapes_and_a_grid_confirms_each(beta, variances, state):
    grid = np.linspace(-5, 5, 1001)
    ours = johnson_neyman(beta, np.diag(variances), grid)
    significant = [slope.p_value < 0.05 for slope in simple_slopes(beta, np.diag(variances), grid)]
    assert ours.state is state
    assert ours.share_significant == pytest.approx(np.mean(significant))


def test_a_region_needs_observed_moderators():
    with pytest.raises(UsageError, match="there are none"):
        johnson_neyman([1, 1], np.eye(2), [np.nan])


def test_a_missing_coefficient_has_no_region():
    with pytest.raises(UsageError, match="1 of 2 coefficients"):
        johnson_neyman([np.nan, 1], np.eye(2), [0.0])


def test_a_negative_standard_error_is_refused():
    with pytest.raises(UsageError, match="must not be negative"):
        indirect_effect([0.1, 0.2], np.eye(2), np.random.default_rng(0), slope_covariance_std_error=-1.0)


def _product_quantile(q, a, b, se_a, se_b):
    """Exact quantile of the product of two independent normals, by integrating over the first."""

    def cdf(z):
        def below(x):
            u = stats.norm.cdf((z / x - b) / se_b)
            return stats.norm.pdf(x, a, se_a) * (u if x > 0 else 1 - u)

        low, high = a - 9 * se_a, a + 9 * se_a
        parts = [(low, 0.0), (0.0, high)] if low < 0 < high else [(low, high)]
        return sum(integrate.quad(below, *part, limit=200)[0] for part in parts)

    return optimize.brentq(lambda z: cdf(z) - q, -5, 5, xtol=1e-8)


@pytest.mark.parametrize("case", [(0.3, 0.4, 0.08, 0.1), (0.1, 0.5, 0.1, 0.1)])
def test_the_interval_is_that_of_the_exact_distribution_of_the_product(case):
    a, b, se_a, se_b = case
    ours = indirect_effect([a, b], np.diag([se_a**2, se_b**2]), np.random.default_rng(1), n_draws=1_000_000)
    assert ours.value == pytest.approx(a * b)
    assert ours.conf_low == pytest.approx(_product_quantile(0.025, *case), abs=1e-3)
    assert ours.conf_high == pytest.approx(_product_quantile(0.975, *case), abs=1e-3)


def test_correlated_slopes_add_their_covariance_to_the_average_indirect_effect():
    # Average of a_i b_i over clients: E[a b] = a b + cov(a_i, b_i).
    rng = np.random.default_rng(2)
    slopes = rng.multivariate_normal([0.3, 0.4], [[0.09, 0.05], [0.05, 0.16]], size=500_000)
    ours = indirect_effect([0.3, 0.4], np.diag([1e-6, 1e-6]), rng, slope_covariance=0.05, n_draws=1000)
    assert ours.value == pytest.approx(np.mean(slopes[:, 0] * slopes[:, 1]), abs=2e-3)


def test_the_uncertainty_of_the_slope_covariance_widens_the_interval():
    arguments = ([0.3, 0.4], np.diag([1e-4, 1e-4]))
    known = indirect_effect(*arguments, np.random.default_rng(3), slope_covariance=0.05)
    drawn = indirect_effect(
        *arguments, np.random.default_rng(3), slope_covariance=0.05, slope_covariance_std_error=0.05
    )
    assert drawn.conf_high - drawn.conf_low > 2 * (known.conf_high - known.conf_low)
