from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.curvature.lind_mehlum import lind_mehlum_test
from outcomes.methods.curvature.optimum_kind import optimum_kind
from outcomes.methods.curvature.turning_point import FiellerState, TurningKind, fieller_interval, turning_point
from outcomes.methods.inference.contrasts import delta_estimate, wald_test

# A run of Stata's utest (by Lind & Mehlum) as a public teaching note prints it: ends of the data, slopes and t there.
STATA = {
    "x": (1.076234, 8.922791),
    "slope": (3.092651, -3.118511),
    "t": (87.91404, -88.62811),
    "x0": 4.983179,
    "fieller": (4.9615547, 5.0047879),
}


def _stata_coefficients() -> tuple[float, float, np.ndarray]:
    """Coefficients and covariance behind the printed run.

    Two slopes give b1 and b2; their standard errors and the *lower* Fieller limit give the three covariances.
    """
    (low, high), (s_low, s_high), (t_low, t_high) = STATA["x"], STATA["slope"], STATA["t"]
    b2 = (s_high - s_low) / (2 * (high - low))
    b1 = s_low - 2 * b2 * low
    var_low, var_high = (s_low / t_low) ** 2, (s_high / t_high) ** 2

    def covariance(v22: float) -> np.ndarray:
        v12 = (var_high - var_low) / (4 * (high - low)) - v22 * (high + low)
        v11 = var_low - 4 * low * v12 - 4 * low**2 * v22
        return np.array([[v11, v12], [v12, v22]])

    def miss(v22: float) -> float:
        return fieller_interval(b1, b2, covariance(v22)).conf_low - STATA["fieller"][0]

    return b1, b2, covariance(brentq(miss, 1e-7, 1e-3))


def test_the_upper_fieller_limit_and_the_test_agree_with_statas_utest():
    b1, b2, covariance = _stata_coefficients()
    point = turning_point(b1, b2, covariance)
    assert point.delta.value == pytest.approx(STATA["x0"], abs=5e-6)
    assert point.fieller.conf_high == pytest.approx(STATA["fieller"][1], abs=5e-6)
    result = lind_mehlum_test(b1, b2, covariance, np.linspace(*STATA["x"], 200), interval=STATA["x"])
    assert (result.slope_low, result.slope_high) == pytest.approx(STATA["slope"], rel=1e-6)
    assert (result.t_low, result.t_high) == pytest.approx(STATA["t"], rel=1e-5)
    assert result.is_supported


def test_a_slope_at_a_fieller_limit_is_just_significant():
    covariance = np.array([[0.0049, -0.0007], [-0.0007, 0.0004]])
    limits = fieller_interval(0.4, -0.1, covariance)
    for x in (limits.conf_low, limits.conf_high):
        weights = np.array([1.0, 2 * x])
        assert wald_test(weights, [0.4, -0.1], covariance).p_value == pytest.approx(0.05, abs=1e-10)


def test_without_significant_curvature_there_is_no_finite_interval():
    point = turning_point(0.4, -0.03, [[0.0049, -0.0007], [-0.0007, 0.0004]])
    assert point.fieller.state is FiellerState.NO_FINITE_INTERVAL
    assert np.isnan(point.fieller.conf_low)
    assert np.isfinite(point.delta.value)


def test_the_fieller_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covariance = np.array([[0.0049, -0.0007], [-0.0007, 0.0004]])
    hits = 0
    for b1, b2 in rng.multivariate_normal([0.4, -0.1], covariance, size=2000):
        limits = fieller_interval(b1, b2, covariance)
        if limits.state is FiellerState.FINITE:
            hits += limits.conf_low <= 2.0 <= limits.conf_high
        else:
            hits += b1**2 + 8 * b1 * b2 + 16 * b2**2 <= 1.959964**2 * (np.array([1, 4]) @ covariance @ [1, 4])
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_straight_line_has_no_turning_point():
    with pytest.raises(FitRefused, match="no curvature"):
        turning_point(0.4, 0.0, np.eye(2))


def test_the_shape_is_named_by_the_sign_of_the_curvature():
    assert turning_point(0.4, -0.1, np.eye(2)).kind is TurningKind.MAXIMUM
    assert turning_point(0.4, 0.1, np.eye(2)).kind is TurningKind.MINIMUM


def test_the_delta_method_equals_its_closed_form_for_a_product():
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    expected = np.sqrt(3**2 * 0.04 + 2**2 * 0.09 + 2 * 2 * 3 * 0.01)
    assert delta_estimate(lambda b: b[0] * b[1], [2, 3], covariance).std_error == pytest.approx(expected, rel=1e-12)


def test_a_turning_point_near_the_edge_of_the_data_is_not_a_balance():
    x = np.linspace(0, 1, 101)
    result = lind_mehlum_test(1.9, -1.0, np.diag([1e-6, 1e-6]), x, interval=(0, 1))
    assert result.p_value < 0.05
    assert result.share_above == pytest.approx(6 / 101, rel=1e-9)
    assert not result.is_supported


def test_a_turning_point_outside_the_data_has_a_large_p_value():
    assert lind_mehlum_test(3.0, -1.0, np.diag([1e-6, 1e-6]), np.linspace(0, 1, 101)).p_value > 0.5


def test_lind_mehlum_needs_a_predictor_that_varies():
    with pytest.raises(UsageError, match="interval"):
        lind_mehlum_test(1.0, -1.0, np.eye(2), np.ones(5))
    with pytest.raises(UsageError, match="there are none"):
        lind_mehlum_test(1.0, -1.0, np.eye(2), [np.nan])


def _optimum_fit(rng, outcome):
    client = np.repeat(rng.normal(size=300), 6)
    w = rng.normal(size=1800)
    y = outcome(w, client) + rng.normal(size=1800)
    design = np.column_stack([np.ones(1800), w, client, w**2, client**2, w * client])
    beta, rss = np.linalg.lstsq(design, y, rcond=None)[:2]
    covariance = np.linalg.inv(design.T @ design) * rss[0] / (1800 - 6)
    return optimum_kind(beta[1:], covariance[1:, 1:])


def test_an_absolute_optimum_is_told_from_a_relative_one():
    rng = np.random.default_rng(11)
    absolute = _optimum_fit(rng, lambda w, m: -0.2 * (w + m - 0.5) ** 2)
    relative = _optimum_fit(rng, lambda w, m: -0.2 * w**2 + 0.3 * m)
    assert absolute.absolute.p_value > 0.01 > absolute.relative.p_value
    assert relative.relative.p_value > 0.01 > relative.absolute.p_value


def test_the_test_of_an_absolute_optimum_holds_its_size():
    rng = np.random.default_rng(12)
    rejected = [_optimum_fit(rng, lambda w, m: -0.2 * (w + m) ** 2).absolute.p_value < 0.05 for _ in range(400)]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.03)


def test_missing_coefficients_are_refused():
    with pytest.raises(UsageError, match="1 of 2 coefficients"):
        turning_point(np.nan, -0.1, np.eye(2))


def test_redundant_restrictions_are_refused():
    with pytest.raises(UsageError, match="not independent"):
        wald_test([[1, 0], [2, 0]], [1, 1], np.eye(2))


@pytest.mark.parametrize("bad", [np.eye(3), [[1, 0], [0.5, 1]], [[-1, 0], [0, 1]], [[np.nan, 0], [0, 1]]])
def test_a_matrix_that_is_no_covariance_is_refused(bad):
    with pytest.raises(UsageError, match="covariance"):
        turning_point(0.4, -0.1, bad)
