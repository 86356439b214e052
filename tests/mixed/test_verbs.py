"""What is asked of a fit agrees with what follows from its numbers, and with R where R has it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from references import RESULTS, classic_data, close

from outcomes.errors import FormulaError, UsageError
from outcomes.mixed import (
    bootstrap_binomial,
    bootstrap_linear,
    fit_binomial,
    fit_linear,
    impute_linear,
    profile_intervals,
    wald_test,
)

DATA = pl.read_csv(RESULTS.parent / "formulas_data.csv", null_values=[""])
LINEAR = fit_linear("y ~ f * x + b + poly(z, 2) + (x | g) + (1 | h)", DATA)
BINOMIAL = fit_binomial("cbind(s, n - s) ~ x + b + (1 | g)", DATA)


def test_residuals_and_fitted_values_add_up_to_the_outcome():
    assert LINEAR.fittedvalues.to_numpy() + LINEAR.resid().to_numpy() == pytest.approx(DATA["y"].to_numpy())
    close(LINEAR.fittedvalues, LINEAR.predict(DATA, "conditional")["estimate"], 1e-9)
    close(LINEAR.resid("standardised"), LINEAR.resid("pearson") / LINEAR.sigma, 1e-12)
    assert LINEAR.resid("standardized").std() == pytest.approx(1.0, abs=0.1)
    share = (DATA["s"] / DATA["n"]).to_numpy()
    assert BINOMIAL.fittedvalues.to_numpy() + BINOMIAL.resid().to_numpy() == pytest.approx(share)
    mean = BINOMIAL.fittedvalues.to_numpy()
    expected = (share - mean) * np.sqrt(DATA["n"].to_numpy() / (mean * (1 - mean)))
    close(BINOMIAL.resid("pearson"), expected, 1e-9)
    with pytest.raises(UsageError, match="no kind of residual 'deviance'"):
        LINEAR.resid("deviance")


def test_residuals_keep_the_rows_of_the_data():
    fit = fit_linear("y ~ m + (1 | g)", DATA)
    assert fit.resid().is_null().to_list() == DATA["m"].is_null().to_list()
    weighted = fit_linear("y ~ x + (1 | g)", DATA, weights="w")
    close(weighted.resid("pearson"), weighted.resid().to_numpy() * np.sqrt(DATA["w"].to_numpy()), 1e-12)


def test_offsets_are_part_of_fitted_values_and_predictions():
    fit = fit_linear("y ~ x + offset(0.5 * z) + (1 | g)", DATA)
    moved = fit.predict(DATA.with_columns(pl.col("z") + 1))["estimate"] - fit.predict(DATA)["estimate"]
    close(moved, np.full(DATA.height, 0.5), 1e-9)
    assert (fit.fittedvalues + fit.resid()).to_numpy() == pytest.approx(DATA["y"].to_numpy())


def test_predictions_keep_their_input_and_use_one_naming():
    found = LINEAR.predict(DATA, "conditional")
    assert found.select(DATA.columns).equals(DATA)
    assert found.columns[len(DATA.columns) :] == [
        "estimate", "std_error", "df_denom", "conf_low", "conf_high", "new_low", "new_high",
    ]  # fmt: skip
    assert {"estimate", "std_error", "df_denom", "conf_low", "conf_high"} <= set(BINOMIAL.predict(DATA).columns)
    assert LINEAR.predict().equals(LINEAR.predict(DATA))
    with pytest.raises(UsageError, match="have a column 'estimate' already"):
        LINEAR.predict(found)


def test_transformations_are_remembered_by_predictions():
    for term in ("scale(p)", "poly(p, 3)", "ns(p, df=3)", "bs(p, df=5)", "I(p - mean(p))", "center(p)"):
        fit = fit_linear(f"y ~ {term} + (1 | g)", DATA)
        part = DATA.filter(pl.col("p") > 3)
        whole = fit.predict(DATA).filter(pl.col("p") > 3)["estimate"]
        close(fit.predict(part)["estimate"], whole, 1e-12)


def test_natural_splines_go_on_straight_beyond_the_data():
    fit = fit_linear("y ~ ns(x, df=3) + (1 | g)", DATA)
    beyond = fit.predict(pl.DataFrame({"x": [10.0, 11.0, 12.0]}))["estimate"].to_numpy()
    assert np.diff(beyond)[0] == pytest.approx(np.diff(beyond)[1])


def test_simulations_have_the_models_spread_and_the_same_seed_the_same_draws():
    draws = LINEAR.simulate(200, seed=4)
    assert draws.equals(LINEAR.simulate(200, seed=4))
    by_g, by_h = (block.cov for block in LINEAR.variances)
    x = DATA["x"].to_numpy()
    variance = by_g[0, 0] + 2 * by_g[0, 1] * x + by_g[1, 1] * x**2 + by_h[0, 0] + LINEAR.sigma**2
    assert np.mean(draws.to_numpy().var(axis=1)) == pytest.approx(variance.mean(), rel=0.1)
    conditional = LINEAR.simulate(200, kind="conditional").to_numpy()
    close(conditional.mean(axis=1), LINEAR.fittedvalues, 0.0, 0.5)
    shares = BINOMIAL.simulate(3).to_numpy() * DATA["n"].to_numpy()[:, None]
    close(shares, np.round(shares), 0.0, 1e-9)


def test_a_slope_of_a_linear_term_is_its_coefficient_and_of_a_curve_its_derivative():
    fit = fit_linear("y ~ x + I(z^2) + (1 | g)", DATA)
    slope = fit.slopes("x")
    close(slope["estimate"], [fit.params["x"]], 1e-6)
    close(slope["std_error"], [fit.bse["x"]], 1e-6)
    close(slope["p_value"], [fit.pvalues["x"]], 1e-5)
    curve = fit.slopes("z", {"z": [-1, 2]}, by="z")
    close(curve["estimate"], fit.params["I(z ^ 2)"] * 2 * np.array([-1, 2]), 1e-6)
    with pytest.raises(UsageError, match="factor and has no slope"):
        LINEAR.slopes("f")


def test_comparisons_are_contrasts_of_coefficients():
    fit = fit_linear("y ~ f + b + x + (1 | g)", DATA)
    found = fit.comparisons("f")
    close(found["estimate"], fit.params[["f[T.bee]", "f[T.cow]"]], 1e-9)
    close(found["std_error"], fit.bse[["f[T.bee]", "f[T.cow]"]], 1e-9)
    pairs = fit.comparisons("f", "pairwise")
    assert pairs["contrast"].to_list() == ["bee - ant", "cow - ant", "cow - bee"]
    test = wald_test(fit, {"f[T.cow]": 1, "f[T.bee]": -1})
    close(pairs["p_value"][2], test.p_value, 1e-9)
    close(fit.comparisons("x", (0, 2))["estimate"], [2 * fit.params["x"]], 1e-9)
    probability = BINOMIAL.comparisons("b")
    own = BINOMIAL.predict(DATA.with_columns(b=True), "typical")["estimate"]
    other = BINOMIAL.predict(DATA.with_columns(b=False), "typical")["estimate"]
    close(probability["estimate"], [(own - other).mean()], 1e-9)


def test_marginal_means_average_over_the_levels_of_other_factors():
    fit = fit_linear("y ~ f * b + x + (1 | g)", DATA)
    found = fit.predictions({"f": None, "b": None}, by="f")
    p, x = fit.params, DATA["x"].mean()
    ant = p["(Intercept)"] + 0.5 * p["b[T.True]"] + p["x"] * x
    assert found.filter(pl.col("f") == "ant")["estimate"].item() == pytest.approx(ant)
    with pytest.raises(UsageError, match="no predictor of the model 'w'"):
        fit.predictions({"w": [1]})
    with pytest.raises(FormulaError, match="no column 'b'"):
        fit.predictions(pl.DataFrame({"f": ["ant"], "x": [1.0]}))


def test_tests_of_terms_do_not_depend_on_the_coding():
    treatment = fit_linear("y ~ f * b + x + (1 | g)", DATA).test_terms()
    summed = fit_linear("y ~ C(f, Sum) * C(b, Sum) + x + (1 | g)", DATA).test_terms()
    assert treatment["term"].to_list() == ["f", "b", "x", "f:b"]
    close(treatment.drop("term").to_numpy(), summed.drop("term").to_numpy(), 1e-6)
    direct = wald_test(
        fit_linear("y ~ C(f, Sum) * C(b, Sum) + x + (1 | g)", DATA), ["C(f, Sum)[S.ant]", "C(f, Sum)[S.bee]"]
    )
    close(treatment["statistic"][0], direct.statistic, 1e-6)
    with pytest.raises(UsageError, match="no term of the model 'k'"):
        LINEAR.test_terms("k")


def test_profile_of_the_correlation_is_lme4s():
    fit = fit_linear("Reaction ~ Days + (Days | Subject)", classic_data("sleepstudy"))
    row = profile_intervals(fit, names=(), correlations=True).filter(pl.col("name") == "corr((Intercept), Days)")
    # lme4 1.1-31, confint(fit, method = "profile"): .sig02 -0.48150 0.68500
    close([row["conf_low"].item(), row["conf_high"].item()], [-0.48150, 0.68500], 0.0, 2e-4)


def test_the_bootstrap_has_correlations_of_both_models():
    drawn = bootstrap_linear(LINEAR, 40, show_progress=False).intervals(correlations=True)
    row = drawn.filter(pl.col("name") == "corr((Intercept), x)")
    assert -1 <= row["conf_low"].item() < LINEAR.variances[0].corr[1, 0] < row["conf_high"].item() <= 1
    slope = fit_binomial("cbind(s, n - s) ~ x + (x | g)", DATA)
    drawn = bootstrap_binomial(slope, 20, show_progress=False).intervals(correlations=True)
    assert drawn.filter(pl.col("component") == "g")["name"].to_list() == ["(Intercept)", "x", "corr((Intercept), x)"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: LINEAR.plot_diagnostics(),
        lambda: LINEAR.plot_random_effects("g"),
        lambda: LINEAR.plot_effects("x", by="f"),
        lambda: LINEAR.plot_effects("f", by="b"),
        lambda: LINEAR.plot_effects("z", by="x"),
        lambda: BINOMIAL.plot_effects("x", by="b"),
        lambda: BINOMIAL.plot_diagnostics(),
    ],
)
def test_plots_are_charts_with_data(draw):
    chart = draw().to_dict()
    rows = [len(values) for values in chart["datasets"].values()]
    assert max(rows) >= 6


def test_plots_of_what_does_not_exist_are_refused():
    with pytest.raises(UsageError, match="no grouping factor"):
        LINEAR.plot_random_effects("f")
    with pytest.raises(UsageError, match="no predictor"):
        LINEAR.plot_effects("w")


R = json.loads((RESULTS / "terms.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("answer", R["terms"], ids=lambda answer: answer["formula"])
def test_tests_of_terms_are_those_of_lmertest(answer):
    found = fit_linear(answer["formula"], DATA).test_terms()
    assert found["df_num"].to_list() == answer["df_num"]
    close(found["statistic"], answer["statistic"], 2e-4)
    close(found["df_denom"], answer["df_denom"], 5e-3)  # lmerTest takes its derivatives by differences
    close(found["p_value"], answer["p_value"], 1e-3)


def test_marginal_means_and_pairs_are_those_of_emmeans():
    fit = fit_linear("y ~ f * b + x + (1 | g)", DATA)
    grid = {"f": None, "b": None}
    means = fit.predictions(grid, by="f")
    close(means["estimate"], [row["emmean"] for row in R["means"]], 1e-5)
    close(means["std_error"], [row["SE"] for row in R["means"]], 1e-3)
    close(means["df_denom"], [row["df"] for row in R["means"]], 2e-3)
    close(means["conf_low"], [row["lower.CL"] for row in R["means"]], 1e-4)
    pairs = fit.comparisons("f", "pairwise", at=grid)
    close(-pairs["estimate"], [row["estimate"] for row in R["pairs"]], 1e-4)
    close(pairs["std_error"], [row["SE"] for row in R["pairs"]], 1e-3)
    close(pairs["p_value"], [row["p.value"] for row in R["pairs"]], 1e-3)


def test_imputations_add_the_offset():
    data = DATA.select("x", "z", "g", "y").head(200)
    shift = data.with_columns(pl.col("y") + 100 * pl.col("z"))
    outcome = data["y"].to_numpy().copy()
    outcome[:5] = np.nan
    moved = outcome + 100 * data["z"].to_numpy()
    plain = impute_linear(fit_linear("y ~ x + (1 | g)", data), data, outcome, 2, 1)
    offset = impute_linear(fit_linear("y ~ x + offset(100 * z) + (1 | g)", shift), shift, moved, 2, 1)
    close(offset, plain + 100 * data["z"].to_numpy()[:5], 0.0, 1e-3)
