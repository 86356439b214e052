"""Golden values, worked out apart from this code."""

from __future__ import annotations

import numpy as np
import pytest

from outcomes.methods.curvature.lind_mehlum import lind_mehlum_test
from outcomes.methods.curvature.response_surface import surface_of_coefficients
from outcomes.methods.curvature.turning_point import FiellerState, turning_point
from outcomes.methods.dropout.cumulative_incidence import cumulative_incidence
from outcomes.methods.therapists.therapist_effects import (
    latent_variance_share,
    median_odds_ratio,
    variance_from_share,
)


def test_the_turning_point_has_the_golden_delta_and_fieller_intervals():
    point = turning_point(0.4, -0.1, [[0.0049, -0.0007], [-0.0007, 0.0004]])
    assert point.delta.value == pytest.approx(2.0, abs=1e-12)
    assert (point.delta.conf_low, point.delta.conf_high) == pytest.approx((1.2601, 2.7399), abs=5e-5)
    assert point.fieller.state is FiellerState.FINITE
    assert (point.fieller.conf_low, point.fieller.conf_high) == pytest.approx((1.3745, 3.0340), abs=5e-5)


def test_the_lind_mehlum_turning_point_is_the_golden_one():
    result = lind_mehlum_test(1.205823, -0.5845261, np.diag([0.7188942**2, 0.2418092**2]), np.linspace(0, 2, 21))
    assert result.turning_point == pytest.approx(1.031453, abs=1e-6)  # its inputs are rounded


def test_the_response_surface_has_the_golden_parameters():
    surface = surface_of_coefficients([0.3, 0.1, -0.2, 0.25, -0.15], np.eye(5) * 1e-4)
    a = [surface.a1.value, surface.a2.value, surface.a3.value, surface.a4.value, surface.a5.value]
    assert a == pytest.approx([0.4, -0.1, 0.2, -0.6, -0.05], abs=1e-12)
    assert (surface.x0.value, surface.y0.value) == pytest.approx((2.0, 2.0), abs=1e-12)
    assert (surface.p11.value, surface.p10.value) == pytest.approx((1.219804, -0.439608), abs=5e-7)


def test_the_cumulative_incidence_has_the_golden_values():
    cif = cumulative_incidence([[0.10, 0.05, 0.05], [0.0, 0.10, 0.20]])
    assert cif.incidence[0, -1] == pytest.approx(0.18325, abs=1e-12)
    assert cif.survival[-1] == pytest.approx(0.57375, abs=1e-12)
    assert cif.naive[0, -1] == pytest.approx(0.18775, abs=1e-12)


@pytest.mark.parametrize(("share", "variance", "odds_ratio"), [(0.057, 0.199, 1.53), (0.126, 0.474, 1.93)])
def test_the_therapist_variance_and_median_odds_ratio_are_golden(share, variance, odds_ratio):
    assert variance_from_share(share, "logit") == pytest.approx(variance, abs=5e-4)
    assert latent_variance_share(variance, "logit") == pytest.approx(share, abs=5e-4)
    assert median_odds_ratio(variance) == pytest.approx(odds_ratio, abs=5e-3)
