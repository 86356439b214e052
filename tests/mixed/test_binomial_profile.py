"""Profile intervals of binomial fits against lme4's, and at the boundary."""

from __future__ import annotations

import polars as pl
import pytest
from references import simulated

from outcomes.errors import UsageError
from outcomes.mixed import fit_binomial, profile_binomial_intervals

# lme4 1.1.31, confint(glmer(...), method = "profile") on the project's design; lme4 interpolates its profile by
# splines, so that
# its limits are good to about a thousandth of a standard error.
LME4 = {
    "sd": (0.55919818, 1.069384629),
    "(Intercept)": (-1.06886930, -0.331540065),
    "directiveness_within": (0.12030164, 0.400341854),
    "I(directiveness_within ** 2)": (-0.28367938, -0.070882820),
    "directiveness_client": (-0.29541359, 0.215759263),
    "preference": (-0.27176934, 0.040156311),
    "modality[T.pct]": (-0.54774900, 0.142314884),
    "modality[T.pdt]": (-0.18434152, 0.464442262),
}


def test_profile_intervals_are_those_of_lme4():
    data, stored = simulated("binomial_therapist")
    table = profile_binomial_intervals(fit_binomial(stored["fits"][0]["formula"], data))
    assert table["component"].to_list() == ["fixed"] * 7 + ["therapist_id"]
    for row in table.iter_rows(named=True):
        expected = LME4["sd" if row["component"] != "fixed" else row["name"]]
        assert (row["conf_low"], row["conf_high"]) == pytest.approx(expected, abs=5e-4)


def test_a_variance_of_zero_has_a_lower_limit_of_zero_and_a_positive_upper_one():
    data, stored = simulated("binomial_singular")
    table = profile_binomial_intervals(fit_binomial(stored["fits"][0]["formula"], data), names=())
    row = table.filter(pl.col("component") == "therapist_id").row(0, named=True)
    assert row["conf_low"] == 0
    assert 0.1 < row["conf_high"] < 2
    # the client variance is away from zero
    assert table.filter(pl.col("component") == "client_id")["conf_low"][0] > 0.1


def test_profiles_follow_the_quadrature_of_the_fit():
    data, stored = simulated("binomial_client")
    formula = stored["fits"][0]["formula"]
    laplace = profile_binomial_intervals(fit_binomial(formula, data), names=())
    nine = profile_binomial_intervals(fit_binomial(formula, data, nagq=9), names=())
    assert nine["conf_high"][0] > laplace["conf_high"][0] + 0.1


def test_correlated_slopes_are_left_to_the_bootstrap():
    data, stored = simulated("binomial_slope")
    table = profile_binomial_intervals(fit_binomial(stored["fits"][0]["formula"], data), names=("preference",))
    assert table["component"].to_list() == ["fixed"]


def test_effects_that_the_model_does_not_have_are_refused():
    data, _ = simulated("binomial_therapist")
    fit = fit_binomial("dropout ~ preference + (1 | therapist_id)", data)
    with pytest.raises(UsageError, match="no fixed effect of the model 'alliance'"):
        profile_binomial_intervals(fit, names=("alliance",))
    with pytest.raises(UsageError, match="no profile"):
        profile_binomial_intervals(fit_binomial(fit.formula, data, engine="statsmodels"))
