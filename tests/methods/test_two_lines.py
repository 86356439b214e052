from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.curvature.lind_mehlum import lind_mehlum_test
from outcomes.methods.curvature.spline import SplineFit, fit_spline, slope_band
from outcomes.methods.curvature.turning_point import TurningKind
from outcomes.methods.curvature.two_lines import two_lines_test

N = 1500


def test_a_v_shape_gives_back_its_break_and_its_slopes():
    x = np.linspace(-2, 2, 801)
    y = np.where(x < 0.5, 0.8 * (x - 0.5), -0.4 * (x - 0.5)) + np.random.default_rng(1).normal(0, 0.05, x.size)
    result = two_lines_test(y, x)
    assert result.kind is TurningKind.MAXIMUM
    assert result.is_supported
    assert result.flat_low <= result.break_point <= result.flat_high
    assert result.break_point == pytest.approx(0.5, abs=0.15)
    assert result.first.value == pytest.approx(0.8, abs=0.04)
    assert result.second.value == pytest.approx(-0.4, abs=0.04)


def test_a_mirrored_shape_is_a_minimum():
    x = np.linspace(-2, 2, 801)
    result = two_lines_test(x**2 + np.random.default_rng(2).normal(0, 0.1, x.size), x)
    assert result.kind is TurningKind.MINIMUM
    assert result.is_supported


def test_on_a_log_curve_lind_mehlum_errs_and_two_lines_does_not():
    rng = np.random.default_rng(3)
    supported = {"two lines": 0, "lind-mehlum": 0}
    for _ in range(100):
        x = rng.uniform(0.05, 5, N)
        y = np.log(x) + rng.normal(0, 0.5, N)
        supported["two lines"] += two_lines_test(y, x).is_supported
        fit = sm.OLS(y, np.column_stack([np.ones(N), x, x**2])).fit()
        b1, b2 = fit.params[1:]
        test = lind_mehlum_test(b1, b2, fit.cov_params()[1:, 1:], x)
        supported["lind-mehlum"] += test.p_value < 0.05
    assert supported["two lines"] <= 2
    assert supported["lind-mehlum"] >= 95


def test_strong_curvature_is_found_and_a_flat_line_is_not():
    rng = np.random.default_rng(4)
    found = {-0.15: 0, 0.0: 0}
    for curvature in found:
        for _ in range(50):
            x = rng.normal(size=N)
            found[curvature] += two_lines_test(curvature * x**2 + rng.normal(size=N), x).is_supported
    assert found[-0.15] >= 49
    assert found[0.0] <= 4


def test_clusters_widen_the_interval_when_rows_of_a_client_agree():
    rng = np.random.default_rng(5)
    client = np.repeat(np.arange(100), 10)
    x = np.repeat(rng.normal(size=100), 10) + rng.normal(0, 0.1, 1000)
    y = -0.3 * x**2 + np.repeat(rng.normal(size=100), 10) + rng.normal(0, 0.3, 1000)
    by_client, by_row = two_lines_test(y, x, clusters=client), two_lines_test(y, x)
    assert by_client.first.std_error > 2 * by_row.first.std_error


def test_rows_with_a_missing_value_are_left_out():
    rng = np.random.default_rng(6)
    x, z = rng.normal(size=400), rng.normal(size=400)
    y = -(x**2) + z + rng.normal(size=400)
    holes = y.copy()
    holes[:50] = np.nan
    assert two_lines_test(holes, x, covariates=z) == two_lines_test(y[50:], x[50:], covariates=z[50:])


def test_a_yes_no_predictor_has_no_curve():
    x = np.tile([0.0, 1.0], 50)
    with pytest.raises(FitRefused):
        two_lines_test(x, x)
    with pytest.raises(FitRefused, match="distinct values"):
        fit_spline(x, x)


def test_few_clients_cannot_carry_cluster_robust_errors():
    x = np.random.default_rng(14).normal(size=90)
    with pytest.raises(FitRefused, match="9 clusters are too few"):
        two_lines_test(-(x**2), x, clusters=np.repeat(np.arange(9), 10))


def test_a_covariate_that_repeats_another_is_refused():
    x, z = np.random.default_rng(15).normal(size=(2, 90))
    with pytest.raises(FitRefused, match="linearly dependent"):
        two_lines_test(x, x + z, covariates=np.column_stack([z, 2 * z]))


def test_the_curve_is_not_drawn_beyond_the_data():
    x = np.linspace(0, 1, 50)
    with pytest.raises(UsageError, match="outside the data"):
        fit_spline(x**2 + np.sin(40 * x), x).slope([1.5])


def test_outcome_and_predictor_must_be_of_one_length():
    with pytest.raises(UsageError, match="shapes"):
        two_lines_test(np.ones(3), np.ones(4))
    with pytest.raises(UsageError, match="No row"):
        two_lines_test([np.nan, 1.0], [1.0, np.nan])


def test_a_straight_line_is_reproduced_by_the_spline_with_its_slope():
    x = np.linspace(0, 10, 200)
    spline = fit_spline(2 + 0.5 * x + np.random.default_rng(8).normal(0, 1e-6, 200), x)
    assert spline.curve(x)[0] == pytest.approx(2 + 0.5 * x, abs=1e-5)
    assert spline.slope(x)[0] == pytest.approx(np.full(200, 0.5), abs=1e-5)


def test_with_one_direction_of_error_the_band_is_the_pointwise_one():
    # A covariance of rank one leaves one random direction: the maximum of |z| is |z| itself, 1.96 at 95%.
    knots = np.array([0.0, 1.0, 2.0])
    spline = SplineFit(knots, np.zeros(3), 0.04 * np.outer(knots, knots))
    band = slope_band(spline, np.linspace(0, 2, 9), np.random.default_rng(9), n_draws=200_000)
    assert band.critical_value == pytest.approx(stats.norm.ppf(0.975), abs=0.02)
    assert band.std_error == pytest.approx(np.full(9, 0.2), rel=1e-6)


def test_the_slope_band_covers_the_whole_curve_as_often_as_it_says():
    rng = np.random.default_rng(10)
    grid = np.linspace(-2, 2, 21)
    hits = 0
    for _ in range(300):
        x = rng.uniform(-2, 2, 400)
        spline = fit_spline(0.5 * x + rng.normal(size=400), x)
        band = slope_band(spline, np.clip(grid, x.min(), x.max()), rng, n_draws=2000)
        hits += bool(((band.conf_low <= 0.5) & (band.conf_high >= 0.5)).all())
    assert hits / 300 == pytest.approx(0.95, abs=0.04)


def test_the_band_says_where_the_curve_rises_and_falls():
    rng = np.random.default_rng(13)
    x = rng.uniform(-2, 2, 2000)
    spline = fit_spline(-(x**2) + rng.normal(size=2000), x)
    sign = slope_band(spline, np.array([-1.5, 0.0, 1.5]), rng).sign
    assert sign.tolist() == [1, 0, -1]


def test_break_slopes_and_robust_errors_agree_with_simonsohns_steps_in_r(reference_data):
    # R 4.2.2 with mgcv: gam(y ~ s(x, bs = "cr")), then the paper's steps with HC3, engagement on supplies.
    frame = reference_data("rsatools_nsfit")
    result = two_lines_test(frame["engagement"], frame["supplies"])
    assert (result.flat_low, result.flat_high) == pytest.approx((1.067487814, 1.288243390), abs=5e-10)
    assert result.break_point == pytest.approx(1.092765207, abs=1e-8)
    assert (result.first.value, result.first.std_error) == pytest.approx((0.49131046837, 0.06158136558), abs=1e-8)
    assert (result.second.value, result.second.std_error) == pytest.approx((0.77323920020, 0.27493745443), abs=1e-8)
    assert not result.is_supported


@pytest.mark.parametrize(
    ("data", "outcome", "x"),
    [
        ("rsatools_nsfit", "engagement", "needs"),
        ("selfother", "harmony", "IQ_self"),
        ("selfother", "liking", "IQ_self"),
    ],
)
def test_the_verdict_agrees_with_r_where_the_splines_differ(reference_data, data, outcome, x):
    # The same R run finds no U in any of the three; breaks differ, because mgcv penalises its spline.
    frame = reference_data(data)
    predictor = frame[x] - frame["IQ_friend"] if data == "selfother" else frame[x]
    assert not two_lines_test(frame[outcome], predictor).is_supported
