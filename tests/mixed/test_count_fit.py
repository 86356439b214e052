"""Models of counts: doors, verbs, refusals, and data that no model likes."""

from __future__ import annotations

import pickle

import duckdb
import numpy as np
import polars as pl
import pytest

from outcomes.errors import FitRefused, OutcomesError, UsageError
from outcomes.mixed import (
    FitStatus,
    bootstrap_binomial,
    compare,
    fit_binomial,
    fit_cluster_robust,
    fit_count,
    profile_binomial_intervals,
    wald_test,
)


def cohort(n_clients=40, per_client=8, seed=1, sd=0.6, alpha=0.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    client = np.repeat(np.arange(n_clients), per_client)
    x = rng.standard_normal(client.size)
    planned = rng.integers(1, 9, client.size)
    mean = planned * np.exp(-0.5 + 0.4 * x + sd * rng.standard_normal(n_clients)[client])
    mean = mean * rng.gamma(1 / alpha, alpha, client.size) if alpha else mean
    return pl.DataFrame(
        {
            "client_id": client,
            "x": x,
            "kind": np.array(["a", "b", "c"])[rng.integers(0, 3, client.size)],
            "n_planned": planned,
            "n_missed": rng.poisson(mean),
        }
    )


DATA = cohort()
FORMULA = "n_missed ~ x + (1 | client_id)"


def test_the_offset_may_stand_in_the_formula_or_beside_it():
    inside = fit_count("n_missed ~ x + offset(log(n_planned)) + (1 | client_id)", DATA)
    beside = fit_count(FORMULA, DATA, offset="log(n_planned)")
    np.testing.assert_allclose(inside.beta, beside.beta, rtol=1e-10)
    typical = inside.predict(DATA.head(2), kind="typical")["estimate"].to_numpy()
    expected = DATA["n_planned"][:2].to_numpy() * np.exp(inside.beta[0] + inside.beta[1] * DATA["x"][:2].to_numpy())
    np.testing.assert_allclose(typical, expected, rtol=1e-12)


def test_every_kind_of_frame_gives_the_same_fit():
    expected = fit_count(FORMULA, DATA, offset="log(n_planned)").beta
    con = duckdb.connect()
    con.register("rows", DATA.to_arrow())
    for data in (DATA.to_pandas(), DATA.to_arrow(), DATA.lazy(), con.table("rows")):
        np.testing.assert_allclose(fit_count(FORMULA, data, offset="log(n_planned)").beta, expected, rtol=1e-9)


def test_a_huge_offset_moves_the_intercept_and_nothing_else():
    plain = fit_count(FORMULA, DATA)
    for shift in (1e3, -1e3, 200.0):
        moved = fit_count(FORMULA, DATA.with_columns(s=pl.lit(shift)), offset="s")
        np.testing.assert_allclose(moved.beta - [-shift, 0], plain.beta, atol=1e-6)
        np.testing.assert_allclose(moved.llf, plain.llf, rtol=1e-9)


def test_offsets_that_no_mean_can_follow_are_refused():
    wild = DATA.with_columns(s=pl.int_range(pl.len()) * 10.0)
    with pytest.raises(OutcomesError):
        fit_count("n_missed ~ x + (1 | client_id)", wild, offset="s")
    broken = DATA.with_columns(n_planned=pl.when(pl.int_range(pl.len()) == 3).then(0).otherwise("n_planned"))
    with pytest.raises(FitRefused, match="offset"):
        fit_count(FORMULA, broken, offset="log(n_planned)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.col("n_missed") - 1, r"negative in \d+ of 320 rows"),
        (pl.col("n_missed") + 0.5, "not a whole number in 320 of 320 rows"),
        (pl.col("n_missed") * 0, "0 in all 320 rows"),
        (pl.col("n_missed") + 2_000_000, "counts above 1,000,000"),
    ],
)
def test_outcomes_that_are_no_counts_are_refused(change, message):
    with pytest.raises(FitRefused, match=message):
        fit_count(FORMULA, DATA.with_columns(n_missed=change))


def test_wrong_use_is_answered():
    with pytest.raises(UsageError, match=r"(?s)family of counts 'gamma'.*negative_binomial"):
        fit_count(FORMULA, DATA, family="gamma")
    with pytest.raises(UsageError, match=r"(?s)no option 'nAGQ'.*nagq=9"):
        fit_count(FORMULA, DATA, nAGQ=9)
    with pytest.raises(UsageError, match="one grouping factor"):
        fit_count("n_missed ~ x + (1 | client_id) + (1 | kind)", DATA, nagq=5)
    with pytest.raises(FitRefused, match="fewer than two levels"):
        fit_count("n_missed ~ x + (1 | one)", DATA.with_columns(one=pl.lit("a")))


def test_a_level_without_counts_is_called_separated():
    none = DATA.with_columns(n_missed=pl.when(pl.col("kind") == "b").then(0).otherwise("n_missed"))
    with pytest.raises(FitRefused, match=r"separated.*kind"):
        fit_count("n_missed ~ kind + (1 | client_id)", none)


def test_counts_like_poisson_ones_have_no_dispersion_or_little():
    data = cohort(n_clients=60, per_client=10, seed=3)
    poisson, negative = (
        fit_count(FORMULA, data, family=f, offset="log(n_planned)") for f in ("poisson", "negative_binomial")
    )
    assert negative.llf >= poisson.llf - 1e-6
    assert negative.dispersion < 0.05


def test_dispersion_is_recovered_and_shows_in_every_verb():
    data = cohort(n_clients=150, per_client=10, seed=4, alpha=0.7)
    fit = fit_count(FORMULA, data, family="negative_binomial", offset="log(n_planned)")
    low, high = fit.dispersion_conf_int()
    assert low < 0.7 < high
    assert fit.status is FitStatus.CONVERGED
    pearson = fit.resid("pearson").to_numpy()
    assert 0.8 < (pearson**2).mean() < 1.2
    drawn = fit.simulate(draws=1, seed=2, kind="conditional")["sim_1"].to_numpy()
    assert (drawn == np.round(drawn)).all()
    spread = ((drawn - fit.fittedvalues.to_numpy()) ** 2).mean()
    assert spread == pytest.approx(fit.variance_of(fit.fittedvalues.to_numpy()).mean(), rel=0.25)
    assert "dispersion" in str(fit)


def test_verbs_answer_as_for_other_fits():
    fit = fit_count("n_missed ~ x + kind + (1 + x | client_id)", DATA, offset="log(n_planned)")
    tidy = fit.tidy()
    np.testing.assert_allclose(tidy["rate_ratio"], np.exp(fit.beta))
    slope = fit.slopes("x")
    assert slope["estimate"][0] == pytest.approx(
        fit.beta[1] * fit.predictions()["estimate"].mean(), rel=1e-3
    )  # log link: the slope is beta times the mean
    assert fit.test_terms()["term"].to_list() == ["x", "kind"]
    assert wald_test(fit, "x").p_value < 0.01
    assert fit.sd_conf_int().height == 2
    profile = profile_binomial_intervals(fit, names=("x",))
    assert profile["conf_low"][0] < fit.beta[1] < profile["conf_high"][0]
    small = fit_count("n_missed ~ x + (1 + x | client_id)", DATA, offset="log(n_planned)")
    assert compare(small, fit).df == 2
    for kind in ("marginal", "typical", "conditional"):
        found = fit.predict(DATA.head(5), kind=kind)
        assert (found["conf_low"] < found["estimate"]).all()
        assert (found["estimate"] < found["conf_high"]).all()
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.predict(DATA.head(5))["estimate"], fit.predict(DATA.head(5))["estimate"])


def test_marginal_means_are_those_of_the_lognormal():
    fit = fit_count(FORMULA, DATA)
    found = fit.predict(DATA.head(3), kind="marginal")["estimate"].to_numpy()
    typical = fit.predict(DATA.head(3), kind="typical")["estimate"].to_numpy()
    variance = fit.random_effects_sd["sd"][0] ** 2
    np.testing.assert_allclose(found, typical * np.exp(variance / 2), rtol=1e-9)


def test_models_of_other_families_are_not_compared():
    poisson = fit_count("n_missed ~ 1 + (1 | client_id)", DATA)
    negative = fit_count(FORMULA, DATA, family="negative_binomial")
    with pytest.raises(UsageError, match="differ in the family"):
        compare(poisson, negative)


def test_an_offset_of_a_yes_or_no_model_is_a_predictor_held_at_one():
    data = DATA.with_columns(yes=(pl.col("n_missed") > 1).cast(pl.Int64))
    held = fit_binomial("yes ~ kind + offset(0.7 * x) + (1 | client_id)", data)
    predicted = held.predict(data.head(4), kind="typical")["std_error_link"]
    assert predicted.is_not_null().all()
    free = fit_binomial("yes ~ kind + x + (1 | client_id)", data)
    assert free.llf >= held.llf
    eta = held.predict(data.head(4), kind="typical")["estimate"].to_numpy()
    names = list(held.names)
    by_hand = held.beta[0] + 0.7 * data["x"][:4].to_numpy()
    for level in ("b", "c"):
        by_hand = by_hand + held.beta[names.index(f"kind[T.{level}]")] * (data["kind"][:4] == level).to_numpy()
    np.testing.assert_allclose(eta, 1 / (1 + np.exp(-by_hand)), rtol=1e-9)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_the_bootstrap_draws_counts_and_finds_wald_errors(family):
    data = cohort(n_clients=60, seed=6, alpha=0.5 if family == "negative_binomial" else 0.0)
    fit = fit_count(FORMULA, data, family=family, offset="log(n_planned)")
    drawn = bootstrap_binomial(fit, draws=60, seed=2, show_progress=False)
    assert drawn.converged.mean() > 0.9
    spread = drawn.beta[drawn.converged].std(axis=0)
    np.testing.assert_allclose(spread, fit.bse, rtol=0.35)


def test_quadrature_takes_a_slope_alone_and_effects_without_correlation():
    for random in ("(0 + x | client_id)", "(1 + x || client_id)"):
        coarse, fine = (fit_count(f"n_missed ~ x + {random}", DATA, offset="log(n_planned)", nagq=k) for k in (9, 13))
        np.testing.assert_allclose(coarse.llf, fine.llf, atol=1e-3)
        np.testing.assert_allclose(coarse.beta, fine.beta, atol=1e-3)
    with pytest.raises(UsageError, match="a random intercept and one slope"):
        fit_count("n_missed ~ x + (1 + x + n_planned | client_id)", DATA, nagq=5)


def test_what_takes_no_offset_says_so():
    data = DATA.with_columns(yes=(pl.col("n_missed") > 1).cast(pl.Int64))
    formula = "yes ~ x + offset(0.1 * n_planned) + (1 | client_id)"
    with pytest.raises(UsageError, match="Streaming takes no offset"):
        fit_binomial(formula, data, in_memory=False)
    with pytest.raises(FitRefused, match="takes no offset"):
        fit_binomial(formula, data, engine="statsmodels")
    with pytest.raises(FitRefused, match="takes no offset"):
        fit_cluster_robust(formula, data, "client_id")
