"""The verbs of a dynamic fit: tables, tests, intervals, robust errors; the benchmark runs."""

from __future__ import annotations

import importlib.util
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from dynamic_cohorts import COLUMNS, cohort, small_rows
from scipy import stats

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import compare, fit_dynamic, wald_test
from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import build_problem
from outcomes.mixed.dynamic.robust import cluster_scores

ROOT = Path(__file__).resolve().parents[2]
SQUARE = "I(directiveness ** 2)"


@pytest.fixture(scope="module")
def data() -> pl.DataFrame:
    return cohort(2, clients=250, therapists=25, slope=0.28, persist=0.2)


@pytest.fixture(scope="module")
def fit(data):
    return fit_dynamic(f"satisfaction ~ directiveness + {SQUARE}", data, **COLUMNS)


def test_standard_errors_are_those_of_the_joint_observed_information(fit):
    """Second differences of the deviance in all parameters at once, linear ones included, inverted whole."""
    problem, theta = fit.problem, fit.optimizer.final
    psi = evaluate(problem, theta).psi
    p, whole = len(psi), np.concatenate([psi, theta])

    def slope(at: np.ndarray) -> np.ndarray:
        step = 1e-5
        ups = [evaluate(problem, at[p:], at[:p] + e).deviance for e in step * np.eye(p)]
        downs = [evaluate(problem, at[p:], at[:p] - e).deviance for e in step * np.eye(p)]
        linear = (np.array(ups) - downs) / (2 * step)
        return np.concatenate([linear, gradient(problem, evaluate(problem, at[p:], at[:p]))])

    step = 1e-4
    hessian = np.array([(slope(whole + e) - slope(whole - e)) / (2 * step) for e in step * np.eye(len(whole))])
    covariance = 2 * np.linalg.inv((hessian + hessian.T) / 2)
    expected = np.sqrt(np.diag(fit.conversion.linear @ covariance @ fit.conversion.linear.T))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.parameter_cov)), expected, rtol=1e-3)


def test_tidy_has_the_columns_of_the_release(fit):
    table = fit.tidy(level=0.9)
    assert table.columns == [
        *("part", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "status")
    ]
    row = table.row(by_predicate=pl.col("term") == "responsiveness", named=True)
    assert row["part"] == "dynamics"
    half = stats.norm.ppf(0.95) * row["std_error"]
    assert row["conf_low"] == pytest.approx(row["estimate"] - half)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(row["statistic"])))
    assert table.select("term", "conf_low", "conf_high").equals(fit.confint(0.9))


def test_the_summary_says_everything_in_words(fit):
    text = fit.summary()
    for words in ("converged", "responsiveness", "carry-over of satisfaction", "therapist_id 25", "correlation", "AIC"):
        assert words in text


def test_a_wald_test_of_one_coefficient_is_its_z_squared(fit):
    found = wald_test(fit, SQUARE)
    assert found.statistic == pytest.approx((fit.params[SQUARE] / fit.bse[SQUARE]) ** 2)
    assert found.p_value == pytest.approx(fit.pvalues[SQUARE])
    assert wald_test(fit, ["responsiveness", "next-session slope"]).df_num == 2


def test_the_likelihood_ratio_agrees_with_walds_test_on_a_coefficient_of_no_effect(fit, data):
    smaller = fit_dynamic("satisfaction ~ directiveness", data, **COLUMNS)
    found = compare(smaller, fit)
    assert found.df == 1
    assert found.statistic == pytest.approx(wald_test(fit, SQUARE).statistic, rel=0.05, abs=0.05)
    assert fit.aic == pytest.approx(-2 * fit.llf + 2 * fit.n_parameters)


def test_derived_slopes_follow_the_delta_method(fit):
    at_two = {"directiveness": 1.0, SQUARE: 4.0}
    table = fit.derived(at_two)
    b = fit.params
    slope = b["directiveness"] + 4 * b[SQUARE]
    total = b["next-session slope"] + b["carry-over of guidance"] * slope
    assert table["estimate"].to_list() == pytest.approx([slope, b["next-session slope"], total])
    draws = np.random.default_rng(0).multivariate_normal(fit.beta, fit.vcov, 100_000)
    place = {name: fit.names.index(name) for name in fit.names}
    slopes = draws[:, place["directiveness"]] + 4 * draws[:, place[SQUARE]]
    totals = draws[:, place["next-session slope"]] + draws[:, place["carry-over of guidance"]] * slopes
    assert table["std_error"].to_list()[::2] == pytest.approx([slopes.std(), totals.std()], rel=0.03)
    with pytest.raises(UsageError, match="no coefficient 'nothing'"):
        fit.derived("nothing")


def test_spread_recovers_the_standard_deviations_that_made_the_cohort():
    found = fit_dynamic("satisfaction ~ directiveness", cohort(8, clients=1_500, therapists=150), **COLUMNS).spread()
    truths = {
        ("session", "directiveness"): 1.2,
        ("session", "satisfaction"): 1.0,
        ("client_id", "directiveness"): 1.0,
        ("client_id", "satisfaction"): np.hypot(0.3, 0.7),
        ("client_id", "correlation"): 0.3 / np.hypot(0.3, 0.7),
        ("therapist_id", "directiveness"): 0.7,
        ("therapist_id", "satisfaction"): 0.3,
        ("therapist_id", "correlation"): 0.0,
    }
    for row in found.filter(pl.col("group") != "first session").rows(named=True):
        truth = truths[row["group"], row["name"]]
        assert abs(row["estimate"] - truth) < 3.3 * row["std_error"], row
        assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_profile_limits_lie_where_the_deviance_has_risen_by_the_quantile(fit, data):
    terms = ["directiveness", "responsiveness"]
    table = fit.confint(0.95, "profile", terms)
    np.testing.assert_allclose(table["conf_low"], fit.confint(terms=terms)["conf_low"], atol=0.1 * fit.bse[terms].max())
    # the definition, for the slope: with its upper limit held as an offset, the best fit is that much worse
    limit = table["conf_high"][0]
    held = data.with_columns(satisfaction=pl.col("satisfaction") - limit * pl.col("directiveness"))
    without = fit_dynamic(f"satisfaction ~ {SQUARE}", held, **COLUMNS)
    assert 2 * (fit.llf - without.llf) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=0.01)


@pytest.mark.parametrize("has_therapists", [True, False])
def test_scores_by_therapist_add_up_to_the_gradient(has_therapists):
    problem = build_problem(small_rows(3, clients=30), has_therapists=has_therapists)
    theta = np.random.default_rng(3).normal(0, 0.4, problem.n_theta)
    psi = np.array([0.3, -0.2, 0.5, 0.1, 0.4, -0.3])
    scores = cluster_scores(problem, evaluate(problem, theta, psi)).sum(axis=0)
    step = 1e-6
    linear = [
        -(evaluate(problem, theta, psi + e).deviance - evaluate(problem, theta, psi - e).deviance) / (4 * step)
        for e in step * np.eye(6)
    ]
    np.testing.assert_allclose(scores[:6], linear, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scores[6:], -gradient(problem, evaluate(problem, theta, psi)) / 2, atol=1e-8)


def test_robust_errors_are_near_the_models_own_when_it_is_true_and_larger_when_slopes_differ(fit):
    robust = fit.robust()
    ratio = robust.bse / fit.bse
    assert robust.covariance_kind == "robust"
    np.testing.assert_array_equal(robust.beta, fit.beta)
    assert ratio[["directiveness", "responsiveness", "carry-over of satisfaction"]].between(0.6, 1.6).all()
    rng = np.random.default_rng(1)
    mixed = cohort(9, clients=250, therapists=25)
    slope = dict(zip(sorted(mixed["therapist_id"].unique()), rng.normal(0, 0.4, 25), strict=True))
    differing = mixed.with_columns(
        satisfaction=pl.col("satisfaction")
        + pl.col("therapist_id").replace_strict(slope, return_dtype=pl.Float64) * pl.col("directiveness")
    )
    unequal = fit_dynamic("satisfaction ~ directiveness", differing, **COLUMNS)
    assert unequal.robust().bse["directiveness"] > 2 * unequal.bse["directiveness"]


def test_a_fit_that_let_its_rows_go_refuses_what_needs_them_in_words(fit):
    without = replace(fit, problem=None)
    for ask in (without.robust, lambda: without.confint(method="profile")):
        with pytest.raises(UsageError, match="The rows are not with this fit"):
            ask()
    assert without.spread().equals(fit.spread())


def test_robust_errors_of_few_therapists_are_refused(data):
    few = data.with_columns(therapist_id=pl.col("therapist_id").str.slice(0, 2))
    with pytest.raises(FitRefused, match="only 9 therapists"):
        fit_dynamic("satisfaction ~ directiveness", few.filter(pl.col("therapist_id") != "t0"), **COLUMNS).robust()


def test_a_fit_can_be_stored(fit):
    again = pickle.loads(pickle.dumps(fit))
    assert again.summary() == fit.summary()
    assert again.robust().vcov == pytest.approx(fit.robust().vcov)


def test_many_clients_start_from_some_of_them_and_end_at_the_same_optimum(data, monkeypatch):
    from outcomes.mixed.dynamic import search as module

    whole = fit_dynamic("satisfaction ~ directiveness", data, **COLUMNS)
    monkeypatch.setattr(module, "TWIN_CLIENTS", 120)
    twin = fit_dynamic("satisfaction ~ directiveness", data, **COLUMNS)
    assert twin.optimizer.start_value != whole.optimizer.start_value  # the twin was used
    assert twin.llf == pytest.approx(whole.llf, abs=1e-5)
    np.testing.assert_allclose(twin.beta, whole.beta, atol=1e-3 * whole.bse.max())


def test_the_benchmark_runs_at_a_tiny_size():
    spec = importlib.util.spec_from_file_location("dynamic_benchmark", ROOT / "benchmarks" / "dynamic.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.timing(clients=150, therapists=20, unrated=0.1)
    assert found["sessions"] > 1_000
    assert found["seconds"] > 0
    table = module.cover(cohorts=1, clients=150)
    assert set(table["world"]) == {"plain", "responsive"}
    assert table["mean_std_error"].is_between(0.005, 0.2).all()
