from __future__ import annotations

import numpy as np
import pytest

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.inference.reliability import anova_reliability, item_reliability
from outcomes.methods.therapists.between_effect import contextual_effects, corrected_between, mean_reliabilities

# R 4.2.2, lme4 1.1-31, data set classroom (REML): mathgain ~ w + c + t + (1|schoolid) + (1|classid), where ses is split
# into w = ses - class mean, c = class mean - school mean, t = school mean (mean of class means).
CLASSROOM_BETA = [1.74591567350, -0.71360918392, -2.23085282374]
CLASSROOM_COVARIANCE = [
    [2.69369811716, 0.0, 0.0],
    [0.0, 13.8661230782, 0.572046696625],
    [0.0, 0.572046696625, 14.0701154908],
]


def test_icc1_and_icc2_agree_with_the_r_package_multilevel(reference_data, reference_fit):
    frame, expected = reference_data("bh1996"), reference_fit("bh1996.icc")
    ours = anova_reliability(frame["WBEING"], frame["GRP"])
    assert ours.icc1 == pytest.approx(expected["ICC1_anova"], rel=1e-7)
    assert ours.icc2 == pytest.approx(expected["ICC2_anova"], rel=1e-7)
    assert ours.within_sd == pytest.approx(expected["within_sd"], rel=1e-9)
    assert ours.icc1 == pytest.approx(0.04336905, abs=5e-9)  # as Bliese prints it


def test_icc2_is_the_spearman_brown_extension_of_icc1_in_balanced_groups():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 5)
    ours = anova_reliability(rng.normal(size=150) + np.repeat(rng.normal(size=30), 5), groups)
    assert ours.icc2 == pytest.approx(5 * ours.icc1 / (1 + 4 * ours.icc1))


def test_groups_of_one_have_no_icc():
    with pytest.raises(FitRefused, match="cannot separate"):
        anova_reliability([1.0, 2.0, 3.0], [1, 2, 3])
    with pytest.raises(FitRefused, match="do not vary"):
        anova_reliability([1.0, 2.0, 1.0, 2.0], [1, 1, 2, 2])


def test_alpha_agrees_with_the_state_anxiety_items(reference_data, reference_fit):
    expected = reference_fit("stai_state_items.alpha_time1")
    frame = reference_data("stai_state_items")
    items = frame.loc[frame["time"] == 1].drop(columns=["study", "time", "id"])
    keyed = items.assign(**{name: 5 - items[name] for name in expected["reversed"]})
    ours = item_reliability(keyed)
    assert ours.n_complete == expected["n_complete"]
    assert ours.alpha == pytest.approx(expected["alpha"], rel=1e-10)
    assert ours.standardised_alpha == pytest.approx(expected["std_alpha"], rel=1e-10)
    assert ours.mean_correlation == pytest.approx(expected["mean_r"], rel=1e-10)
    assert ours.item_rest_correlation == pytest.approx(expected["item_total_r_drop"], rel=1e-9)


def test_alpha_of_parallel_items_is_the_spearman_brown_formula():
    # Two items of equal variance: alpha = 2 r / (1 + r).
    first = np.array([1.0, 2, 3, 4, 5])
    second = np.array([2.0, 1, 3, 5, 4])
    r = np.corrcoef(first, second)[0, 1]
    assert item_reliability(np.column_stack([first, second])).alpha == pytest.approx(2 * r / (1 + r))


def test_an_item_that_does_not_vary_is_refused():
    with pytest.raises(FitRefused, match="1 of 2 items"):
        item_reliability([[1, 1], [1, 2], [1, 3]])


def test_contextual_effects_equal_the_coefficients_of_the_raw_predictor_model():
    # The same lme4 model with ses in place of w: its coefficients of c and t are the contextual effects.
    ours = contextual_effects(CLASSROOM_BETA, CLASSROOM_COVARIANCE)
    assert (ours.client.value, ours.client.std_error) == pytest.approx((-2.45952485742, 4.06937602039), rel=1e-7)
    assert (ours.therapist.value, ours.therapist.std_error) == pytest.approx((-3.97676849724, 4.09436363895), rel=1e-7)
    assert ours.joint.statistic == pytest.approx(1.12164575084, rel=1e-7)


def test_reliability_of_a_mean_grows_with_the_number_of_sessions():
    assert mean_reliabilities(1.0, 4.0, [1, 4, 12]) == pytest.approx([1 / 5, 1 / 2, 3 / 4])
    assert mean_reliabilities(1.0, 0.0, [1]) == pytest.approx([1.0])


def test_reliability_needs_variances_and_sessions():
    with pytest.raises(UsageError, match="variances"):
        mean_reliabilities(-0.1, 1.0, [3])
    with pytest.raises(UsageError, match="at least one session"):
        mean_reliabilities(1.0, 1.0, [3, 0])


def test_with_perfect_means_nothing_is_corrected():
    ours = corrected_between([0.1, 0.4], np.diag([0.01, 0.04]), [1.0, 1.0])
    assert ours.corrected == ours.uncorrected


def test_the_correction_recovers_the_slope_between_clients():
    # Truth: within 0.1, between 0.6; client means over 4 sessions have reliability 1 / (1 + 1/4) = 0.8.
    rng = np.random.default_rng(2)
    usual = rng.normal(size=4000)
    x = usual[:, None] + rng.normal(size=(4000, 4))
    y = 0.1 * (x - usual[:, None]) + 0.6 * usual[:, None] + rng.normal(size=x.shape)
    within = x - x.mean(axis=1, keepdims=True)
    b_within = np.sum(within * y) / np.sum(within**2)
    b_between = np.cov(x.mean(axis=1), y.mean(axis=1))[0, 1] / x.mean(axis=1).var(ddof=1)
    ours = corrected_between([b_within, b_between], np.diag([1e-4, 1e-4]), mean_reliabilities(1, 1, [4] * 4000))
    assert ours.mean_reliability == pytest.approx(0.8)
    assert ours.uncorrected.value == pytest.approx(0.5, abs=0.03)
    assert ours.corrected.value == pytest.approx(0.6, abs=0.03)


def test_a_reliability_of_zero_cannot_be_corrected_for():
    with pytest.raises(UsageError, match=r"\(0, 1\]"):
        corrected_between([0.1, 0.4], np.eye(2), [0.0])
