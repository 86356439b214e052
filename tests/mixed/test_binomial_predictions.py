"""Predicted probabilities for known and new levels, and averaged over the population."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from references import simulated
from scipy.special import expit, logit

from outcomes.errors import FormulaError, UsageError
from outcomes.mixed import fit_binomial

# glmmTMB 1.1.5, predict(type = "link", se.fit = TRUE) on the first four rows of the project's designs: (probability,
# se) with
# the rows' own levels, and with re.form = NA. glmmTMB's fit was not polished, so 1e-4 is what can be asked.
GLMMTMB = {
    "binomial_therapist": (
        [0.3193046251, 0.2583933388, 0.3233142709, 0.3226306383],
        [0.6473989990, 0.6481839750, 0.6464157187, 0.6458078472],
        [0.3490387614, 0.2848287665, 0.3532280341, 0.3525141005],
        [0.2093879171, 0.2073166059, 0.2063837802, 0.2039379615],
    ),
    "binomial_slope": (
        [0.2048994552, 0.2852479759, 0.2809893810, 0.1642230847],
        [0.6993260259, 0.8515668056, 0.6661346401, 0.9501976958],
        [0.2867673020, 0.1468601714, 0.1818745729, 0.3036739977],
        [0.1886876752, 0.3039503263, 0.2247682166, 0.2292655579],
    ),
    "binomial_movers": (
        [0.12787108042, 0.12344007822, 0.12563117087, 0.09541655951],
        [0.8280167985, 0.8473696762, 0.8275458588, 0.8293510645],
        [0.2971256920, 0.2887716377, 0.2929167374, 0.2331998222],
        [0.2551712472, 0.3199839898, 0.2514555912, 0.2517605197],
    ),
}


def fitted(design: str):
    """Data and fit of a design."""
    data, stored = simulated(design)
    return data, fit_binomial(stored["fits"][0]["formula"], data)


@pytest.mark.parametrize("design", GLMMTMB)
def test_predictions_and_their_errors_are_those_of_glmmtmb(design):
    data, fit = fitted(design)
    conditional, conditional_se, typical, typical_se = GLMMTMB[design]
    own, level_free = fit.predict(data[:4], "conditional"), fit.predict(data[:4], "typical")
    assert own["estimate"].to_numpy() == pytest.approx(conditional, rel=1e-4)
    assert own["std_error_link"].to_numpy() == pytest.approx(conditional_se, rel=1e-4)
    assert level_free["estimate"].to_numpy() == pytest.approx(typical, rel=1e-4)
    assert level_free["std_error_link"].to_numpy() == pytest.approx(typical_se, rel=1e-4)


def test_the_marginal_probability_is_the_average_over_simulated_therapists():
    data, fit = fitted("binomial_slope")
    row = data[:1]
    rng = np.random.default_rng(5)
    b = rng.multivariate_normal(np.zeros(2), fit.variances[0].cov, size=400_000)
    eta = logit(fit.predict(row, "typical")["estimate"][0])
    average = expit(eta + b @ np.array([1.0, row["directiveness_within"][0]])).mean()
    assert fit.predict(row)["estimate"][0] == pytest.approx(average, abs=1e-3)


def test_marginal_probabilities_lie_between_the_typical_ones_and_one_half():
    data, fit = fitted("binomial_therapist")
    typical = fit.predict(data, "typical")["estimate"].to_numpy()
    marginal = fit.predict(data)["estimate"].to_numpy()
    assert (np.abs(marginal - 0.5) < np.abs(typical - 0.5)).all()
    # the average prediction is near the observed share of these forty therapists; the typical one is not built to be
    observed = data["dropout"].mean()
    assert abs(marginal.mean() - observed) < abs(typical.mean() - observed)
    assert marginal.mean() == pytest.approx(observed, abs=0.02)


def test_a_new_therapist_is_predicted_at_the_centre_with_a_wider_interval():
    data, fit = fitted("binomial_therapist")
    row = data[:1]
    new = row.with_columns(pl.lit("somebody new").alias("therapist_id"))
    found, typical = fit.predict(new, "conditional"), fit.predict(new, "typical")
    assert found["estimate"][0] == pytest.approx(typical["estimate"][0])
    expected = typical["std_error_link"][0] ** 2 + fit.variances[0].cov[0, 0]
    assert found["std_error_link"][0] ** 2 == pytest.approx(expected, rel=1e-9)
    without = fit.predict(row.with_columns(therapist_id=pl.lit(None, dtype=pl.String)), "conditional")
    assert without["std_error_link"][0] == pytest.approx(found["std_error_link"][0])
    with pytest.raises(FormulaError, match="no column 'therapist_id' to group by"):
        fit.predict(row.drop("therapist_id"), "conditional")


def test_intervals_hold_the_prediction_and_stay_inside_zero_and_one():
    data, fit = fitted("binomial_cloglog")
    for kind in ("marginal", "typical", "conditional"):
        found = fit.predict(data, kind)
        assert found.height == data.height
        assert ((found["conf_low"] >= 0) & (found["conf_low"] <= found["estimate"])).all()
        assert ((found["estimate"] <= found["conf_high"]) & (found["conf_high"] <= 1)).all()


def test_rows_with_a_missing_predictor_have_no_prediction():
    data, fit = fitted("binomial_therapist")
    found = fit.predict(data[:3].with_columns(pl.Series("preference", [0.1, None, 0.2])))
    assert found["estimate"].is_null().to_list() == [False, True, False]


def test_levels_and_columns_that_the_fit_does_not_know_are_refused():
    data, fit = fitted("binomial_therapist")
    with pytest.raises(UsageError, match="levels, in 1 rows, that the fit has not seen"):
        fit.predict(data[:1].with_columns(pl.lit("hypnosis").alias("modality")))
    with pytest.raises(FormulaError, match="no column 'preference'"):
        fit.predict(data[:1].drop("preference"))
    with pytest.raises(UsageError, match="no predictions of kind"):
        fit.predict(data[:1], "population")
