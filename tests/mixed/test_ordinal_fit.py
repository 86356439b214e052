"""Ordered categories: doors, probabilities, verbs, refusals, and data that no model likes."""

from __future__ import annotations

import pickle

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import FitStatus, bootstrap_binomial, compare, fit_ordinal, profile_binomial_intervals, wald_test

LABELS = ["never", "sometimes", "often", "always"]


def cohort(n_clients=50, per_client=6, seed=1, sd=0.8) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    client = np.repeat(np.arange(n_clients), per_client)
    x = rng.standard_normal(client.size) + 3.0
    latent = 0.7 * x + sd * rng.standard_normal(n_clients)[client] + rng.logistic(size=client.size)
    y = 1 + (latent[:, None] > np.array([1.0, 2.0, 3.5])).sum(axis=1)
    return pl.DataFrame(
        {
            "client_id": client,
            "x": x,
            "kind": np.array(["a", "b", "c"])[rng.integers(0, 3, client.size)],
            "y": y,
            "label": [LABELS[i - 1] for i in y],
        }
    )


DATA = cohort()
FORMULA = "y ~ x + (1 | client_id)"
FIT = fit_ordinal(FORMULA, DATA)


def test_text_needs_its_order_and_then_is_numbers():
    with pytest.raises(UsageError, match=r"(?s)'label' is text.*not known.*categories="):
        fit_ordinal("label ~ x + (1 | client_id)", DATA)
    named = fit_ordinal("label ~ x + (1 | client_id)", DATA, categories=LABELS)
    assert named.categories == tuple(LABELS)
    np.testing.assert_allclose([*named.tau, *named.beta], [*FIT.tau, *FIT.beta], rtol=1e-8)
    assert named.thresholds()["threshold"].to_list() == ["never|sometimes", "sometimes|often", "often|always"]
    turned = fit_ordinal("label ~ x + (1 | client_id)", DATA, categories=LABELS[::-1])
    np.testing.assert_allclose(turned.beta, -FIT.beta, rtol=1e-5)
    np.testing.assert_allclose(turned.tau, -FIT.tau[::-1], rtol=1e-5)


def test_every_kind_of_frame_gives_the_same_fit():
    expected = [*FIT.tau, *FIT.beta]
    con = duckdb.connect()
    con.register("rows", DATA.to_arrow())
    ordered = DATA.to_pandas()
    ordered["label"] = pd.Categorical(ordered["label"], categories=LABELS, ordered=True)
    enum = DATA.with_columns(pl.col("label").cast(pl.Enum(LABELS)))
    for formula, data in (
        (FORMULA, DATA.to_pandas()),
        (FORMULA, DATA.to_arrow()),
        (FORMULA, con.table("rows")),
        ("label ~ x + (1 | client_id)", ordered),
        ("label ~ x + (1 | client_id)", enum),
    ):
        found = fit_ordinal(formula, data)
        np.testing.assert_allclose([*found.tau, *found.beta], expected, rtol=1e-7)


def test_categories_without_an_order_are_refused():
    frame = DATA.to_pandas()
    frame["label"] = pd.Categorical(frame["label"])
    with pytest.raises(UsageError, match="order of its values is not known"):
        fit_ordinal("label ~ x + (1 | client_id)", frame)
    with pytest.raises(UsageError, match="order of its values is not known"):
        fit_ordinal("label ~ x + (1 | client_id)", DATA.with_columns(pl.col("label").cast(pl.Categorical)))


def test_centring_moves_the_thresholds_and_nothing_else():
    centred = fit_ordinal(FORMULA, DATA.with_columns(x=pl.col("x") - 100.0))
    np.testing.assert_allclose(centred.beta, FIT.beta, rtol=1e-6)
    np.testing.assert_allclose(centred.tau, FIT.tau - 100 * FIT.beta[0], rtol=1e-6)
    np.testing.assert_allclose(centred.llf, FIT.llf, rtol=1e-10)


@pytest.mark.parametrize("kind", ["marginal", "typical", "conditional"])
def test_probabilities_add_to_one_and_lie_in_their_intervals(kind):
    found = FIT.predict(DATA.head(6), kind=kind)
    names = [f"probability {label}" for label in FIT.categories]
    np.testing.assert_allclose(found.select(pl.sum_horizontal(names)).to_series(), 1.0, rtol=1e-12)
    for label in FIT.categories:
        assert (found[f"conf_low {label}"] < found[f"probability {label}"]).all()
        assert (found[f"probability {label}"] < found[f"conf_high {label}"]).all()
    expected = sum(i * found[f"probability {label}"].to_numpy() for i, label in enumerate(FIT.categories, 1))
    np.testing.assert_allclose(found["estimate"], expected, rtol=1e-12)


def test_standard_errors_of_probabilities_are_those_of_a_parametric_draw():
    rng = np.random.default_rng(5)
    row = DATA.head(1)
    location = rng.multivariate_normal([*FIT.tau, *FIT.beta], FIT.location_cov, size=40_000)
    limits = location[:, :3] - location[:, 3:] * row["x"][0]
    below = np.hstack([np.zeros((len(limits), 1)), 1 / (1 + np.exp(-limits)), np.ones((len(limits), 1))])
    found = FIT.predict(row, kind="typical")
    for k, label in enumerate(FIT.categories):
        assert found[f"std_error {label}"][0] == pytest.approx(np.diff(below, axis=1)[:, k].std(), rel=0.05)


def test_new_levels_and_missing_predictors_are_predicted_as_elsewhere():
    rows = DATA.head(2).with_columns(client_id=pl.Series([9_999, 0]), x=pl.Series([None, 1.0]))
    found = FIT.predict(rows, kind="conditional")
    assert found["probability 1"].is_null().to_list() == [True, False]


def test_verbs_answer_as_for_other_fits():
    fit = fit_ordinal("y ~ x + kind + (1 + x | client_id)", DATA)
    np.testing.assert_allclose(fit.tidy()["odds_ratio"], np.exp(fit.beta))
    assert fit.test_terms()["term"].to_list() == ["x", "kind"]
    assert wald_test(fit, "x").p_value < 1e-4
    small = fit_ordinal("y ~ x + (1 + x | client_id)", DATA)
    assert compare(small, fit).df == 2
    predicted = fit.predictions({"x": [2.0, 3.0]})
    assert predicted["estimate"][1] > predicted["estimate"][0]
    assert (fit.comparisons("kind").select("std_error") > 0).to_series().all()
    assert fit.slopes("x")["estimate"][0] > 0
    drawn = fit.simulate(draws=2, seed=3)
    assert set(drawn["sim_1"].unique()) <= {1.0, 2.0, 3.0, 4.0}
    assert abs((fit.resid("pearson").to_numpy() ** 2).mean() - 1) < 0.3
    assert 0 < fit.icc("client_id") < 1
    profile = profile_binomial_intervals(FIT)
    assert profile["name"].to_list() == ["x", "(Intercept)"]
    assert "1|2" in str(fit)
    assert "1|2" in fit._repr_html_()
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.tau, fit.tau)
    assert again.predict(DATA.head(2))["estimate"][0] == fit.predict(DATA.head(2))["estimate"][0]


def test_the_standard_error_of_an_expected_position_knows_the_thresholds():
    predicted = FIT.predictions({"x": 3.0})
    typical = FIT.predict(pl.DataFrame({"x": [3.0]}), kind="typical")
    np.testing.assert_allclose(predicted["estimate"], typical["estimate"], rtol=1e-10)
    np.testing.assert_allclose(predicted["std_error"], typical["std_error"], rtol=1e-6)


def test_equidistant_thresholds_are_a_special_case():
    equal = fit_ordinal(FORMULA, DATA, thresholds="equidistant")
    assert np.ptp(np.diff(equal.tau)) < 1e-10
    assert equal.n_parameters == FIT.n_parameters - 1
    assert compare(equal, FIT).df == 1


def test_an_empty_category_is_left_out_and_said():
    gap = DATA.filter(pl.col("label") != "often")
    fit = fit_ordinal("label ~ x + (1 | client_id)", gap, categories=LABELS)
    assert fit.categories == ("never", "sometimes", "always")
    assert any("1 of 4 categories" in message for message in fit.messages)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (DATA.with_columns(y=(pl.col("y") > 2).cast(pl.Int64)), {}, "2 categories.*3 or more"),
        (DATA.with_columns(y=pl.lit(1)), {}, "1 category.*3 or more"),
        (DATA.with_columns(y=pl.int_range(pl.len())), {}, "300 different values"),
        (DATA, {"categories": [1, 2, 3]}, "outcome of .* of 300 rows is not among the 3 categories"),
        (DATA.with_columns(client_id=pl.lit(1)), {}, "fewer than two levels"),
        (DATA.with_columns(x=pl.col("y") * 1.0), {}, "separated by x"),
        (DATA.with_columns(y=pl.when(pl.col("y") == 2).then(float("nan")).otherwise("y")), {}, "no number"),
    ],
)
def test_data_that_cannot_inform_the_model_are_refused(data, options, message):
    with pytest.raises(FitRefused, match=message):
        fit_ordinal(FORMULA, data, **options)


def test_a_level_that_is_always_at_the_top_is_called_separated():
    top = DATA.with_columns(y=pl.when(pl.col("kind") == "b").then(4).otherwise("y"))
    with pytest.raises(FitRefused, match=r"separated.*kind"):
        fit_ordinal("y ~ kind + (1 | client_id)", top)


def test_wrong_use_is_answered():
    with pytest.raises(UsageError, match=r"(?s)'cauchit'.*logit or probit"):
        fit_ordinal(FORMULA, DATA, link="cauchit")
    with pytest.raises(UsageError, match=r"(?s)thresholds of kind 'free'.*flexible"):
        fit_ordinal(FORMULA, DATA, thresholds="free")
    with pytest.raises(UsageError, match="thresholds are intercepts"):
        fit_ordinal("y ~ 0 + x + (1 | client_id)", DATA)
    with pytest.raises(UsageError, match="named twice"):
        fit_ordinal(FORMULA, DATA, categories=[1, 2, 3, 4, 4])
    with pytest.raises(UsageError, match="cbind"):
        fit_ordinal("cbind(y, 5 - y) ~ x + (1 | client_id)", DATA)
    with pytest.raises(UsageError, match="probit has no ratios"):
        _ = fit_ordinal(FORMULA, DATA, link="probit").odds_ratios


def test_no_variance_between_clients_is_singular():
    rng = np.random.default_rng(8)
    data = DATA.with_columns(
        client_id=pl.Series(np.tile(np.arange(50), 6)), y=pl.Series(np.tile([1, 2, 3, 3, 2, 1], 50))
    )
    data = data.with_columns(x=pl.Series(rng.standard_normal(300)))
    fit = fit_ordinal(FORMULA, data)
    assert fit.status is FitStatus.SINGULAR
    assert fit.random_effects_sd["sd"][0] == 0


def test_quadrature_answers_where_laplace_of_a_slope_goes_wrong():
    rng = np.random.default_rng(12)
    client = np.repeat(np.arange(120), 4)
    week = np.tile(np.sqrt([0.0, 1.0, 3.0, 6.0]), 120)
    u = rng.standard_normal((120, 2)) @ np.array([[2.4, 0.0], [0.9, 1.4]]).T
    latent = 5.0 - 2.6 * week + u[client, 0] + u[client, 1] * week + rng.logistic(size=480)
    y = 1 + (latent[:, None] > np.array([0.0, 2.5, 4.5])).sum(axis=1)
    data = pl.DataFrame({"client_id": client, "week": week, "y": y})
    laplace, coarse, fine = (fit_ordinal("y ~ week + (1 + week | client_id)", data, nagq=k) for k in (1, 7, 9))
    sds = [fit.random_effects_sd["sd"].to_numpy() for fit in (laplace, coarse, fine)]
    assert fine.llf > laplace.llf + 2
    assert np.abs(sds[1] / sds[2] - 1).max() < 0.03  # it has nearly converged in the nodes
    assert np.abs(sds[0] / sds[2] - 1).max() > 0.05


def test_the_bootstrap_draws_categories_and_finds_wald_errors():
    drawn = bootstrap_binomial(FIT, draws=60, seed=2, show_progress=False)
    assert drawn.converged.mean() > 0.9
    np.testing.assert_allclose(drawn.beta[drawn.converged].std(axis=0), FIT.bse, rtol=0.35)


@pytest.mark.parametrize("thresholds", ["flexible", "equidistant"])
def test_a_model_of_thresholds_alone_gives_the_shares_of_the_data(thresholds):
    fit = fit_ordinal("y ~ 1 + (1 | client_id)", DATA, thresholds=thresholds)
    assert fit.names == ()
    assert fit.tidy().is_empty()
    assert "1|2" in str(fit)
    found = fit.predict(DATA.head(1), kind="marginal")
    shares = np.bincount(DATA["y"])[1:] / DATA.height
    if thresholds == "flexible":
        np.testing.assert_allclose([found[f"probability {k}"][0] for k in (1, 2, 3, 4)], shares, atol=0.02)
    assert compare(fit, fit_ordinal(FORMULA, DATA, thresholds=thresholds)).df == 1
    assert np.isfinite(fit.resid("pearson").to_numpy()).all()
