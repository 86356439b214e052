from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from outcomes.errors import UsageError
from outcomes.methods.missing.inverse_weights import stabilised_weights
from outcomes.methods.missing.tipping_point import shift_missing, tipping_point


def test_the_tipping_points_of_a_straight_line_are_its_roots():
    # estimate = 0.5 + 0.2 delta with standard error 0.1: zero at -2.5, |z| = 1.96 at (0.196 - 0.5) / 0.2.
    deltas = np.linspace(-4, 4, 17)
    ours = tipping_point(deltas, 0.5 + 0.2 * deltas, np.full(17, 0.1))
    assert ours.sign == pytest.approx(-2.5)
    assert ours.significance == pytest.approx((0.1 * stats.norm.ppf(0.975) - 0.5) / 0.2)
    assert ours.is_significant_unshifted


def test_an_effect_that_is_not_significant_tips_into_significance():
    deltas = np.linspace(-4, 4, 17)
    ours = tipping_point(deltas, 0.1 + 0.2 * deltas, np.full(17, 0.1))
    assert not ours.is_significant_unshifted
    assert ours.significance == pytest.approx((0.1 * stats.norm.ppf(0.975) - 0.1) / 0.2)


def test_no_tipping_point_on_the_grid_is_missing_and_the_grid_is_told():
    ours = tipping_point([-1, 0, 1], [0.5, 0.5, 0.5], [0.1, 0.1, 0.1])
    assert np.isnan(ours.sign)
    assert np.isnan(ours.significance)
    assert (ours.delta_low, ours.delta_high) == (-1, 1)


def test_the_grid_must_hold_zero_and_increase():
    with pytest.raises(UsageError, match="hold 0"):
        tipping_point([1, 2], [0.1, 0.2], [0.1, 0.1])
    with pytest.raises(UsageError, match="increase"):
        tipping_point([0, -1], [0.1, 0.2], [0.1, 0.1])


def test_only_imputed_ratings_are_shifted_and_the_input_stays():
    values = np.array([4.0, 5.0, 6.0])
    assert shift_missing(values, [False, True, False], -1.5).tolist() == [4.0, 3.5, 6.0]
    assert values.tolist() == [4.0, 5.0, 6.0]


def test_shifting_a_share_of_ratings_moves_the_mean_by_that_share():
    values = np.arange(10.0)
    assert shift_missing(values, values < 3, 2.0).mean() - values.mean() == pytest.approx(0.6)


def test_weights_by_hand():
    ours = stabilised_weights([True, True, False], [0.5, 0.8, 0.1], 0.6, truncation=(0, 1))
    assert ours.weight[:2] == pytest.approx([1.2, 0.75])
    assert np.isnan(ours.weight[2])
    assert ours.effective_n == pytest.approx(1.95**2 / (1.2**2 + 0.75**2))


def test_right_weights_average_one_and_undo_the_selection():
    rng = np.random.default_rng(1)
    y = rng.normal(size=200_000)
    probability = 1 / (1 + np.exp(-(0.3 + y)))
    observed = rng.random(200_000) < probability
    ours = stabilised_weights(observed, probability, observed.mean(), truncation=(0, 1))
    assert y[observed].mean() > 0.25
    assert np.average(y[observed], weights=ours.weight[observed]) == pytest.approx(0, abs=0.02)
    assert ours.mean_untruncated == pytest.approx(1, abs=0.02)


def test_truncation_cuts_the_tails_and_counts_what_it_cut():
    probability = np.linspace(0.01, 1, 1000)
    ours = stabilised_weights(np.ones(1000, dtype=bool), probability, 0.5)
    assert ours.n_truncated == 20
    assert np.max(ours.weight) == pytest.approx(np.quantile(0.5 / probability, 0.99))


def test_weights_need_probabilities_and_observed_rows():
    with pytest.raises(UsageError, match="1 of 2 observed rows"):
        stabilised_weights([True, True], [0.0, 0.5], 0.5)
    with pytest.raises(UsageError, match="No row is observed"):
        stabilised_weights([False], [0.5], 0.5)


def test_of_two_tipping_points_the_one_nearer_to_no_shift_is_told():
    deltas = np.linspace(-4, 4, 81)
    ours = tipping_point(deltas, (deltas + 3.05) * (1.05 - deltas), np.full(81, 0.1))
    assert ours.sign == pytest.approx(1.05, abs=0.01)
