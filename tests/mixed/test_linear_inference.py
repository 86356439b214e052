"""Tests, intervals, predictions and the bootstrap of a linear fit."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.linalg
from cohorts import FORMULA, cohort
from references import classic_data, close, simulated, stored_fits
from scipy import stats

from outcomes.errors import FormulaError, UsageError
from outcomes.mixed import (
    bootstrap_linear,
    compare,
    fit_linear,
    kenward_roger_cov,
    prepare_linear,
    profile_intervals,
    wald_test,
)
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.inference.profile_linear import profile_zeta

DATA = cohort()
FIT = fit_linear(FORMULA, DATA)


def _stored(name: str) -> dict:
    _, stored = simulated(name)
    return stored["fits"][0]


@pytest.mark.parametrize(
    "name", sorted({design for design, fit in stored_fits("linear") if _stored(design).get("kenward_roger")})
)
def test_kenward_roger_agrees_with_pbkrtest(name):
    data, stored = simulated(name)
    reference = stored["fits"][0]
    fit = fit_linear(reference["formula"], data)
    tests = [wald_test(fit, effect, ddf="kenward-roger") for effect in fit.names]
    # pbkrtest works at lme4's optimum, which differs from ours in the sixth digit
    close([test.df_denom for test in tests], list(reference["kenward_roger"]["df"].values()), 1e-4)
    close([test.std_error[0] for test in tests], list(reference["kenward_roger"]["se"].values()), 1e-4)
    close(np.sqrt(np.diag(kenward_roger_cov(fit))), list(reference["kenward_roger"]["se"].values()), 1e-4)


def test_kenward_roger_refuses_maximum_likelihood():
    with pytest.raises(UsageError, match="REML"):
        kenward_roger_cov(fit_linear(FORMULA, DATA, reml=False))


def test_a_balanced_joint_test_is_the_classical_f_test():
    # every subject has every day: the F test of the slope has its 17 denominator degrees of freedom
    data = classic_data("sleepstudy")
    fit = fit_linear("Reaction ~ Days + (Days | Subject)", data)
    test = wald_test(fit, "Days")
    close(test.df_denom, 17.0, 1e-4)
    close(test.statistic, (fit.params["Days"] / fit.bse["Days"]) ** 2, 1e-10)
    joint = wald_test(fit, ["(Intercept)", "Days"])
    close(joint.df_denom, 17.0, 1e-3)
    assert joint.df_num == 2


def test_a_hypothesis_may_be_names_weights_or_a_matrix():
    by_weights = wald_test(FIT, [{"modality[T.pct]": 1, "modality[T.pdt]": -1}], rhs=0.1)
    L = np.zeros((1, len(FIT.names)))
    L[0, [FIT.names.index("modality[T.pct]"), FIT.names.index("modality[T.pdt]")]] = 1, -1
    by_matrix = wald_test(FIT, L, rhs=0.1)
    assert by_weights == pytest.approx(by_matrix) or by_weights.p_value == by_matrix.p_value
    close(by_matrix.estimate, [FIT.params["modality[T.pct]"] - FIT.params["modality[T.pdt]"] - 0.1], 1e-12)
    normal = wald_test(FIT, L, ddf="normal")
    close(normal.p_value, 2 * stats.norm.sf(abs(normal.estimate[0] / normal.std_error[0])), 1e-9)


@pytest.mark.parametrize(
    ("hypothesis", "message"),
    [("age", "no fixed effect"), (["directiveness", "directiveness"], "repeat"), (np.ones((1, 2)), "columns")],
)
def test_a_hypothesis_that_makes_no_sense_is_refused(hypothesis, message):
    with pytest.raises(UsageError, match=message):
        wald_test(FIT, hypothesis)


def test_one_variance_is_tested_against_the_boundarys_mixture():
    formulas = [
        "satisfaction ~ directiveness + (1 | client_id)",
        "satisfaction ~ directiveness + (1 | client_id) + (1 | therapist_id)",
        "satisfaction ~ directiveness + (1 + directiveness | client_id) + (1 | therapist_id)",
        "satisfaction ~ directiveness + session_number + (1 + directiveness | client_id) + (1 | therapist_id)",
    ]
    gram = prepare_linear(formulas, DATA)
    fits = [fit_linear(formula, gram) for formula in formulas]
    therapist = compare(fits[0], fits[1])
    assert therapist.reference == "half chi2(0) + half chi2(1)"
    close(therapist.p_value, stats.chi2.sf(therapist.statistic, 1) / 2, 1e-12)
    slope = compare(fits[1], fits[2])
    assert slope.reference == "half chi2(1) + half chi2(2)"
    both = compare(fits[0], fits[2])
    assert both.reference == "chi2(3), conservative at the boundary"
    with pytest.raises(UsageError, match="reml=False"):
        compare(fits[2], fits[3])
    ml = [fit_linear(formula, gram, reml=False) for formula in formulas[2:]]
    assert compare(*ml).reference == "chi2(1)"
    with pytest.raises(UsageError, match="more parameters"):
        compare(ml[1], ml[0])


def test_profile_intervals_agree_with_lme4():
    fit = fit_linear("Reaction ~ Days + (Days | Subject)", classic_data("sleepstudy"))
    table = profile_intervals(fit)
    # confint(lmer(Reaction ~ Days + (Days | Subject), sleepstudy)), lme4 1.1-31; lme4 interpolates a spline, hence 1e-4
    close(table["conf_low"], [237.68069551, 7.35865327, 14.38141816, 3.80116405, 22.89826688], 1e-4)
    close(table["conf_high"], [265.12951468, 13.57591875, 37.71599532, 8.75338075, 28.85799651], 1e-4)


def test_a_profile_reaches_zero_when_zero_is_not_excluded():
    fit = fit_linear("strength ~ 1 + (1 | sample) + (1 | batch)", classic_data("pastes"))
    table = profile_intervals(fit, names=())
    batch = table.filter(pl.col("component") == "batch")
    # confint() of the same model in lme4 1.1-31
    assert batch["conf_low"].item() == 0.0
    close(batch["conf_high"], [2.9465911], 1e-4)
    close(table.filter(pl.col("component") == "sample")["conf_low"], [2.15793371], 1e-4)


def _dense(fit, formula: str) -> tuple:
    """X, y, Z, and the covariance of all random effects, row by row."""
    design = build_design(formula, DATA)
    rows = materialise(design)
    parts, covariances = [], []
    for block, z in zip(design.random, rows.Z, strict=True):
        levels = rows.groups[block.group]
        k = z.shape[1]
        matrix = np.zeros((len(z), levels.n_levels * k))
        for a in range(k):
            matrix[np.arange(len(z)), levels.codes * k + a] = z[:, a]
        parts.append(matrix)
        own = next(v for v in fit.variances if v.group == block.group_name)
        covariances.append(np.kron(np.eye(levels.n_levels), own.cov))
    return rows.X, rows.y, np.hstack(parts), scipy.linalg.block_diag(*covariances)


def test_predictions_for_known_and_new_levels_are_the_best_linear_ones():
    X, y, Z, Psi = _dense(FIT, FORMULA)
    V_inverse = np.linalg.inv(Z @ Psi @ Z.T + FIT.sigma**2 * np.eye(len(y)))
    C = np.linalg.inv(X.T @ V_inverse @ X)
    modes = Psi @ Z.T @ V_inverse @ (y - X @ C @ X.T @ V_inverse @ y)
    predicted = FIT.predict(DATA, "conditional")
    rows = materialise(build_design(FORMULA, DATA))
    order = {tuple(row): i for i, row in enumerate(np.column_stack([rows.y]).tolist())}
    for i in range(0, len(DATA), 97):
        at = order[(DATA["satisfaction"][i],)]
        z, x = Z[at], X[at]
        gain = x - X.T @ V_inverse @ Z @ Psi @ z
        variance = z @ (Psi - Psi @ Z.T @ V_inverse @ Z @ Psi) @ z + gain @ C @ gain
        close(predicted["estimate"][i], x @ C @ X.T @ V_inverse @ y + z @ modes, 1e-8)
        close(predicted["std_error"][i], np.sqrt(variance), 1e-8)


def test_a_new_client_is_predicted_by_the_mean_with_the_prior_variance():
    new = DATA.head(3).with_columns(client_id=pl.lit("new"), therapist_id=pl.lit(None, dtype=pl.String))
    conditional, marginal = FIT.predict(new, "conditional"), FIT.predict(new)
    close(conditional["estimate"], marginal["estimate"], 1e-10)
    slope, therapist = FIT.variances
    z = np.column_stack([np.ones(3), new["directiveness"].to_numpy()])
    prior = np.einsum("ij,jk,ik->i", z, slope.cov, z) + therapist.cov[0, 0]
    close(conditional["std_error"] ** 2 - marginal["std_error"] ** 2, prior, 1e-8)
    # a new observation of a new client spreads alike, whichever way it is asked for
    width = (marginal["new_high"] - marginal["estimate"]).to_numpy()
    assert np.all(width >= 1.95 * np.sqrt(prior + FIT.sigma**2))


def test_predictions_say_what_they_cannot_do():
    with pytest.raises(UsageError, match="kind"):
        FIT.predict(DATA, "typical")
    with pytest.raises(FormulaError, match="no column"):
        FIT.predict(DATA.drop("modality"))
    missing = FIT.predict(DATA.head(2).with_columns(directiveness=pl.Series([None, 1.0])))
    assert missing["estimate"].is_null().to_list() == [True, False]


def test_icc_and_r2_split_the_variance():
    formula = "satisfaction ~ 1 + (1 | client_id) + (1 | therapist_id)"
    fit = fit_linear(formula, DATA)
    client, therapist = (block.cov[0, 0] for block in fit.variances)
    total = client + therapist + fit.sigma**2
    close(fit.icc("client_id"), client / total, 1e-12)
    close(fit.r2()["conditional"], (client + therapist) / total, 1e-12)
    close(fit.r2()["marginal"], 0.0, 0.0, 1e-12)
    slope = FIT.r2()
    X, _, Z, Psi = _dense(FIT, FORMULA)
    fixed, random = np.var(X @ FIT.beta), np.mean(np.einsum("ij,jk,ik->i", Z, Psi, Z))
    close(slope["marginal"], fixed / (fixed + random + FIT.sigma**2), 1e-8)
    close(slope["conditional"], (fixed + random) / (fixed + random + FIT.sigma**2), 1e-8)
    with pytest.raises(UsageError, match="no grouping factor"):
        fit.icc("practice_id")


@pytest.mark.parametrize("seed", [0, 5])
def test_a_variance_of_zero_has_one_p_value_whatever_order_the_rows_come_in(seed):
    # Groups whose means differ less than chance: the larger model is the smaller one, but for rounding.
    rng = np.random.default_rng(seed)
    data = pl.DataFrame({
        "y": 50 + 7 * rng.normal(size=600), "x": rng.normal(size=600),
        "client": np.arange(600) // 6, "alike": rng.integers(0, 8, 600),
    }).with_columns(pl.col("y") - 0.98 * pl.col("y").mean().over("alike"))  # fmt: skip
    found = set()
    for order in range(12):
        rows = data.sample(fraction=1.0, shuffle=True, seed=order)
        small, large = (fit_linear(f"y ~ x + (1 | client){more}", rows) for more in ("", " + (1 | alike)"))
        found.add(compare(small, large).p_value)
    assert found == {1.0}


@pytest.mark.parametrize("order", range(4))
def test_the_same_seed_draws_the_same_whatever_order_the_rows_come_in(order):
    # Columns that only differ between clients leave directions without anything, whose eigenvectors rounding chooses.
    formula = "satisfaction ~ session_number + modality + reactance + severity + (1 | client_id) + (1 | therapist_id)"
    rng = np.random.default_rng(7)
    traits = pl.DataFrame({"client_id": DATA["client_id"].unique().sort()}).with_columns(
        reactance=pl.Series(rng.normal(size=60)), severity=pl.Series(rng.normal(size=60))
    )
    data = DATA.join(traits, on="client_id")
    draws = [
        bootstrap_linear(fit_linear(formula, rows), draws=10, seed=5, show_progress=False)
        for rows in (data, data.sample(fraction=1.0, shuffle=True, seed=order))
    ]
    for part in ("beta", "sd", "sigma"):
        close(getattr(draws[0], part), getattr(draws[1], part), 1e-9)


def test_the_bootstrap_from_cross_products_spreads_as_the_theory_says():
    boot = bootstrap_linear(FIT, draws=250, seed=5, show_progress=False)
    assert boot.converged.mean() > 0.97
    # 250 draws know a standard deviation to 4.5%: four of those
    close(boot.beta.std(axis=0, ddof=1), FIT.bse, 0.18)
    close(boot.beta.mean(axis=0) - FIT.beta, 0 * FIT.beta, 0, 4 * FIT.bse.max() / 15)
    close(boot.sigma.mean(), FIT.sigma, 0.01)
    table = boot.intervals()
    assert table["component"].to_list()[-4:] == ["client_id", "client_id", "therapist_id", "Residual"]
    again = bootstrap_linear(FIT, draws=5, seed=5, show_progress=False)
    np.testing.assert_array_equal(again.beta, boot.beta[:5])


def test_a_draw_of_cross_products_has_the_moments_of_simulated_rows():
    from outcomes.mixed.inference.bootstrap_linear import Simulator

    simulator = Simulator.of(FIT)
    rng = np.random.default_rng(1)
    draws = [simulator.draw(rng) for _ in range(3000)]
    problem = FIT.engine_state.problem
    X, _, Z, Psi = _dense(FIT, FORMULA)
    V = (Z @ Psi @ Z.T + FIT.sigma**2 * np.eye(len(X))) / problem.y_scale**2
    yy = np.array([draw.XX[-1, -1] for draw in draws])
    close(yy.mean(), np.trace(V), 0.01)
    close(yy.var(), 2 * np.sum(V * V), 0.12)
    working = X @ problem.to_original
    Xy = np.array([draw.XX[:-1, -1] for draw in draws])
    close(np.cov(Xy.T), working.T @ V @ working, 0.12, 0.06 * np.abs(working.T @ V @ working).max())


def test_a_summary_reads_like_lme4s():
    text = FIT.summary()
    assert "Linear mixed model fitted by REML" in text
    assert "client_id 60, therapist_id 8" in text
    widths = {len(line) for line in text.split("Fixed effects\n")[1].splitlines() if line and "Note" not in line}
    assert len(widths) == 1
    assert "<table>" in FIT._repr_html_()
    tidy = FIT.tidy()
    assert tidy.columns == [
        "term",
        "estimate",
        "std_error",
        "statistic",
        "df_denom",
        "p_value",
        "conf_low",
        "conf_high",
        "status",
    ]


def test_wald_intervals_of_standard_deviations_agree_with_the_profile_in_a_large_cohort():
    fit = fit_linear("satisfaction ~ directiveness + (1 | client_id)", cohort(clients=800, therapists=40))
    wald, profile = fit.sd_conf_int(), profile_intervals(fit, names=())
    close(wald["conf_low"], profile["conf_low"], 0.01)
    close(wald["conf_high"], profile["conf_high"], 0.01)


def test_a_value_lies_in_the_profile_interval_exactly_when_its_zeta_is_small():
    table = profile_intervals(FIT, names=("directiveness",))
    keys = list(table.select("component", "name").iter_rows())
    upper = profile_zeta(FIT, dict(zip(keys, table["conf_high"], strict=True)))
    close(list(upper.values()), [1.959964] * len(keys), 1e-3)
    lower = {key: value for key, value in zip(keys, table["conf_low"], strict=True) if value != 0}
    close(list(profile_zeta(FIT, lower).values()), [-1.959964] * len(lower), 1e-3)
    with pytest.raises(UsageError, match="above zero"):
        profile_zeta(FIT, {("Residual", "sigma"): 0.0})
