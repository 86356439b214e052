from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.therapists.therapist_effects import (
    TherapistInformation,
    boundary_p_value,
    comparative_intervals,
    detectable_variance,
    latent_variance_share,
    median_odds_ratio,
    therapist_information,
    variance_share,
)


def test_the_linear_share_agrees_with_bliese(reference_fit):
    fit = reference_fit("bh1996.null_reml")
    variance = fit["varcorr"][0]["var"][0]
    assert variance_share(variance, fit["sigma"] ** 2) == pytest.approx(fit["published"]["ICC1"], abs=1e-7)


def test_latent_residuals_are_the_variances_of_the_links_distributions():
    assert latent_variance_share(1.0, "logit") == pytest.approx(1 / (1 + stats.logistic.var()))
    assert latent_variance_share(1.0, "cloglog") == pytest.approx(1 / (1 + stats.gumbel_l.var()))


def test_the_median_odds_ratio_is_the_median_over_pairs_of_therapists():
    effects = np.random.default_rng(1).normal(0, np.sqrt(0.474), size=(400_000, 2))
    assert np.median(np.exp(np.abs(effects[:, 0] - effects[:, 1]))) == pytest.approx(median_odds_ratio(0.474), rel=0.01)


def test_without_variance_the_median_odds_ratio_is_one():
    assert median_odds_ratio(0.0) == 1.0


def test_the_boundary_p_value_is_half_of_chi_square():
    # The 90th percentile of chi-square with one degree of freedom is the 5% point of the mixture: 2.7055.
    assert boundary_p_value(2.705543) == pytest.approx(0.05, abs=1e-7)
    assert boundary_p_value(0.0) == 1.0
    assert boundary_p_value(-1e-9) == 1.0


def test_a_missing_statistic_has_no_p_value():
    with pytest.raises(UsageError, match="missing"):
        boundary_p_value(float("nan"))


def test_equal_errors_give_goldstein_and_healys_multiplier():
    ours = comparative_intervals(np.zeros(12), np.ones(12))
    assert ours.multiplier == pytest.approx(1.39, abs=0.005)  # printed in Goldstein & Healy 1995
    assert ours.multiplier == pytest.approx(stats.norm.ppf(0.975) / np.sqrt(2))


def test_two_therapists_without_difference_overlap_in_19_of_20_pairs():
    rng = np.random.default_rng(2)
    errors = rng.uniform(0.2, 0.6, 40)
    separated = []
    for _ in range(200):
        ours = comparative_intervals(rng.normal(0, errors), errors)
        i, j = np.triu_indices(40, k=1)
        separated.append(np.mean((ours.conf_low[i] > ours.conf_high[j]) | (ours.conf_low[j] > ours.conf_high[i])))
    assert np.mean(separated) == pytest.approx(0.05, abs=0.012)


def test_fewer_than_ten_therapists_are_not_compared():
    with pytest.raises(FitRefused, match="9 therapists are too few"):
        comparative_intervals(np.zeros(9), np.ones(9))


def test_intervals_keep_the_order_in_which_therapists_came():
    effects = np.array([0.5, -0.2] * 6)
    assert comparative_intervals(effects, np.ones(12)).effect.tolist() == effects.tolist()


@pytest.mark.parametrize(
    ("n", "information"),
    [
        (9, TherapistInformation.NONE),
        (10, TherapistInformation.SMALL_SAMPLE),
        (29, TherapistInformation.SMALL_SAMPLE),
        (30, TherapistInformation.USUAL),
    ],
)
def test_the_number_of_therapists_decides_what_may_be_said(n, information):
    assert therapist_information(n) is information


def test_negative_variances_are_refused():
    with pytest.raises(UsageError, match="not negative"):
        variance_share(-0.1, 1.0)
    with pytest.raises(UsageError, match="cannot be negative"):
        median_odds_ratio(-0.1)


def test_an_odds_ratio_beyond_all_numbers_is_infinite_and_no_warning():
    assert median_odds_ratio(1e7) == np.inf


def test_a_variance_that_four_of_five_studies_find_is_found_by_four_of_five_of_an_analysis_of_variance():
    therapists, per_therapist, power = 15, 12, 0.8
    k, rest = therapists - 1, therapists * (per_therapist - 1)
    noise = 1 / per_therapist  # of the mean of one therapist's clients, who differ with variance 1
    found = [detectable_variance((f - 1) * noise, k * (f - 1 - np.log(f)), therapists, 0.05, power) for f in (1.5, 3.0)]
    assert found[0] == pytest.approx(found[1], rel=1e-9)  # whatever this study's own estimate is
    critical = stats.f.isf(0.05, k, rest)
    assert stats.f.sf(critical / (1 + found[0] / noise), k, rest) == pytest.approx(power, abs=0.03)
