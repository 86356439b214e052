"""Errors that differ in spread, or follow one another, against nlme, dense algebra and hostile data."""

from __future__ import annotations

import pickle

import duckdb
import numpy as np
import polars as pl
import pytest
from references import close
from test_families_against_r import families

from outcomes.errors import FitRefused, OutcomesError, UsageError
from outcomes.mixed import (
    FitStatus,
    bootstrap_linear,
    compare,
    fit_linear,
    kenward_roger_cov,
    prepare_linear,
    profile_intervals,
    wald_test,
)

SCORE = "score ~ x + preference + modality"
BY, AR1 = {"variance_by": "modality"}, {"ar1": "session_number"}
CASES = [
    (f"{name}_{method}", "(1 | client_id)", options | {"reml": method == "REML"})
    for method in ("REML", "ML")
    for name, options in (("varident", BY), ("ar1", AR1), ("both", BY | AR1))
]
CASES.append(("ar1_nested_REML", "(1 | therapist_id) + (1 | client_id)", AR1))


@pytest.mark.parametrize(("name", "random", "options"), CASES)
def test_residual_structures_agree_with_nlme(name, random, options):
    data, answers = families()
    theirs = answers[name]
    fit = fit_linear(f"{SCORE} + {random}", data, **options)
    assert fit.status is FitStatus.CONVERGED
    close(fit.llf, theirs["loglik"], 1e-9)
    close(fit.beta, theirs["beta"], 0.0, 2e-6)
    close(fit.bse, theirs["se"], 2e-5)
    close(sorted(fit.random_effects_sd["sd"]), sorted(theirs["sd"]), 2e-5)
    if theirs["rho"]:
        close(fit.rho, theirs["rho"], 2e-5)
    found = fit.residual_sd()
    expected = theirs["ratio"] or {"": 1.0}
    for group, sd in zip(found["group"], found["sd"], strict=True):
        close(sd, expected[group] * theirs["sigma"], 2e-5)


def test_a_slope_beside_following_errors_reaches_at_least_nlmes_likelihood():
    data, answers = families()
    fit = fit_linear(f"{SCORE} + (1 + x | client_id)", data, ar1="session_number", reml=False)
    theirs = answers["ar1_slope_ML"]  # a correlation of -0.99985: nlme stops before the boundary
    assert fit.status is FitStatus.SINGULAR
    assert 0 <= fit.llf - theirs["loglik"] < 1e-4
    close(fit.rho, theirs["rho"], 2e-5)


def dense_reml(data: pl.DataFrame, fit, group: str, order: str, client: str) -> float:
    """The REML criterion from the full covariance matrix of all rows."""
    X = np.column_stack([np.ones(data.height), data["x"].to_numpy()])
    y, code, t = data["y"].to_numpy(), data[client].to_numpy(), data[order].to_numpy().astype(float)
    sd = dict(zip(fit.residual_sd()["group"], fit.residual_sd()["sd"], strict=True))
    s = np.array([sd[g] for g in data[group]])
    same = code[:, None] == code[None, :]
    R = np.where(same, np.outer(s, s) * fit.rho ** np.abs(t[:, None] - t[None, :]), 0.0)
    V = R + same * fit.variances[0].cov[0, 0]
    W = np.linalg.solve(V, np.column_stack([X, y]))
    XVX = X.T @ W[:, :2]
    beta = np.linalg.solve(XVX, X.T @ W[:, 2])
    r = y - X @ beta
    value = np.linalg.slogdet(V)[1] + np.linalg.slogdet(XVX)[1] + r @ np.linalg.solve(V, r)
    return float(value + (len(y) - 2) * np.log(2 * np.pi))


def cohort(n_clients=40, sessions=7, seed=1, rho=0.5, sds=(0.6, 1.4)) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    client = np.repeat(np.arange(n_clients), sessions)
    n = client.size
    t = np.tile(np.arange(1, sessions + 1), n_clients) + (np.tile(np.arange(sessions), n_clients) > 3)  # a gap
    x, kind = rng.standard_normal(n), rng.integers(0, 2, n)
    error = np.empty(n)
    for i in range(n):
        follows = i > 0 and client[i] == client[i - 1]
        r = rho ** (t[i] - t[i - 1]) if follows else 0.0
        error[i] = (r * error[i - 1] if follows else 0.0) + np.sqrt(1 - r * r) * rng.standard_normal()
    y = 2 + 0.5 * x + 0.8 * rng.standard_normal(n_clients)[client] + np.array(sds)[kind] * error
    return pl.DataFrame({"client_id": client, "t": t, "x": x, "kind": np.array(["a", "b"])[kind], "y": y})


DATA = cohort()
FORMULA = "y ~ x + (1 | client_id)"
FIT = fit_linear(FORMULA, DATA, variance_by="kind", ar1="t")


def test_the_criterion_is_that_of_the_whole_covariance_matrix_also_across_a_gap():
    assert FIT.criterion == pytest.approx(dense_reml(DATA, FIT, "kind", "t", "client_id"), rel=1e-10)


def test_larger_structures_fit_better_and_are_compared():
    ordinary = fit_linear(FORMULA, DATA)
    by = fit_linear(FORMULA, DATA, variance_by="kind")
    follows = fit_linear(FORMULA, DATA, ar1="t")
    assert ordinary.llf < min(by.llf, follows.llf) < max(by.llf, follows.llf) < FIT.llf
    assert compare(by, FIT).p_value < 1e-6
    assert compare(ordinary, by).df == 1
    with pytest.raises(UsageError, match="it alone has variance_by=kind"):
        compare(
            fit_linear(FORMULA, DATA, variance_by="kind", reml=False),
            fit_linear("y ~ x + kind + (1 | client_id)", DATA, ar1="t", reml=False),
        )


def test_the_order_of_the_rows_changes_nothing():
    mixed = DATA.sample(fraction=1.0, shuffle=True, seed=3)
    other = fit_linear(FORMULA, mixed, variance_by="kind", ar1="t")
    close(other.criterion, FIT.criterion, 1e-10)
    close(other.rho, FIT.rho, 1e-5)
    joined = mixed.with_columns(fitted=other.fittedvalues).join(
        DATA.with_columns(own=FIT.fittedvalues), on=["client_id", "t"]
    )
    close(joined["fitted"], joined["own"], 0.0, 1e-5)


def test_the_truth_lies_in_the_intervals():
    data = cohort(n_clients=150, seed=5)
    fit = fit_linear(FORMULA, data, variance_by="kind", ar1="t")
    low, high = fit.rho_conf_int()
    assert low < 0.5 < high
    found = fit.residual_sd()
    for sd, (low, high) in zip((0.6, 1.4), found.select("conf_low", "conf_high").iter_rows(), strict=True):
        assert low < sd < high
    components = fit.sd_conf_int()
    assert components["conf_low"][0] < 0.8 < components["conf_high"][0]


def test_equal_variances_and_independent_errors_are_found_to_be_so():
    fit = fit_linear(FORMULA, cohort(n_clients=100, rho=0.0, sds=(1.0, 1.0)), variance_by="kind", ar1="t")
    assert abs(fit.rho) < 0.15
    assert abs(np.log(fit.residual_sd()["ratio"][1])) < 0.2


def test_errors_may_turn_from_session_to_session():
    data = cohort(n_clients=100, rho=-0.4)
    fit = fit_linear(FORMULA, data, ar1="t", variance_by="kind")
    assert -0.55 < fit.rho < -0.25
    close(fit.criterion, dense_reml(data, fit, "kind", "t", "client_id"), 1e-10)


def test_every_kind_of_frame_gives_the_same_fit():
    con = duckdb.connect()
    con.register("rows", DATA.to_arrow())
    for data in (DATA.to_pandas(), DATA.to_arrow(), DATA.lazy(), con.table("rows")):
        close(fit_linear(FORMULA, data, variance_by="kind", ar1="t").criterion, FIT.criterion, 1e-11)


def test_verbs_answer_as_for_other_fits():
    ratio = FIT.residual_sd()["ratio"]
    ratio = np.where(DATA["kind"].to_numpy() == "a", ratio[0], ratio[1])
    close(FIT.resid("pearson"), FIT.resid().to_numpy() / ratio, 1e-10)
    close(FIT.resid("standardised"), FIT.resid("pearson").to_numpy() / FIT.sigma, 1e-10)
    predicted = FIT.predict(pl.DataFrame({"x": [0.0, 0.0], "kind": ["a", "b"]}))
    width = (predicted["new_high"] - predicted["new_low"]).to_numpy()
    assert width[1] > 1.3 * width[0]
    close(predicted["std_error"][0], predicted["std_error"][1], 1e-12)
    conditional = FIT.predict(DATA.head(3), kind="conditional")
    assert (conditional["conf_low"] < conditional["conf_high"]).all()
    assert FIT.slopes("x")["estimate"][0] == pytest.approx(FIT.beta[1], rel=1e-6)
    assert wald_test(FIT, "x").p_value < 1e-6
    assert 20 < FIT.df_denom["x"] < 300
    assert "rho" in str(FIT)
    again = pickle.loads(pickle.dumps(FIT))
    assert again.rho == FIT.rho
    close(again.df_denom, FIT.df_denom, 1e-12)


def test_simulated_outcomes_have_the_structure_they_were_drawn_with():
    mixed = cohort(n_clients=200, seed=7).sample(fraction=1.0, shuffle=True, seed=4)
    fit = fit_linear(FORMULA, mixed, variance_by="kind", ar1="t")
    drawn = fit.simulate(draws=1, seed=9)["sim_1"]
    again = fit_linear(FORMULA, mixed.with_columns(y=drawn), variance_by="kind", ar1="t")
    assert again.rho == pytest.approx(fit.rho, abs=0.1)
    close(again.residual_sd()["sd"], fit.residual_sd()["sd"], 0.15)


def test_missing_groups_and_sessions_are_left_out_and_counted():
    holes = DATA.with_columns(
        kind=pl.when(pl.int_range(pl.len()) % 50 == 0).then(None).otherwise("kind"),
        t=pl.when(pl.int_range(pl.len()) % 70 == 1).then(None).otherwise("t"),
    )
    fit = fit_linear(FORMULA, holes, variance_by="kind", ar1="t")
    assert fit.n_missing == holes.filter(pl.col("kind").is_null() | pl.col("t").is_null()).height
    assert fit.resid().null_count() == fit.n_missing


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (DATA.with_columns(t=pl.lit(1)), {"ar1": "t"}, "240 rows stand at the same t as another row"),
        (DATA.with_columns(t=pl.col("t") + 0.5), {"ar1": "t"}, "not whole"),
        (DATA.with_columns(t=pl.lit("a")), {"ar1": "t"}, "could not compute"),
        (DATA.with_columns(kind=pl.lit("a")), {"variance_by": "kind"}, "has one level"),
        (DATA.with_columns(kind=pl.int_range(pl.len())), {"variance_by": "kind"}, "280 levels"),
        (
            DATA.with_columns(kind=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("c")).otherwise("kind")),
            {"variance_by": "kind"},
            "1 of the 3 levels of kind have one row",
        ),
        (DATA, {"ar1": "session"}, "no column 'session'"),
        (DATA, {"variance_by": "sort"}, "no column 'sort'"),
    ],
)
def test_data_that_cannot_inform_the_structure_are_refused(data, options, message):
    with pytest.raises(OutcomesError, match=message):
        fit_linear(FORMULA, data, **options)


def test_what_takes_errors_for_alike_is_refused():
    for ask in (
        lambda: FIT.icc("client_id"),
        lambda: FIT.r2(),
        lambda: kenward_roger_cov(FIT),
        lambda: profile_intervals(FIT),
        lambda: bootstrap_linear(FIT, draws=2),
    ):
        with pytest.raises(UsageError, match="variance_by or ar1"):
            ask()
    with pytest.raises(UsageError, match="need the rows"):
        fit_linear(FORMULA, prepare_linear(FORMULA, DATA), ar1="t")
    with pytest.raises(UsageError, match=r"(?s)no option 'correlation'.*ar1="):
        fit_linear(FORMULA, DATA, correlation="ar1")
    with pytest.raises(OutcomesError, match="residual variance needs"):
        FIT.predict(pl.DataFrame({"x": [0.0]}))


def test_a_sequence_of_one_row_each_has_no_neighbours():
    rows = DATA.with_columns(place=pl.col("t") % 4)
    with pytest.raises(FitRefused, match="Every sequence has one row"):
        fit_linear("y ~ x + (1 | client_id) + (1 | t)", rows, ar1="t")
