"""What a binomial fit promises its users: verbs, refusals, states, and invariance to what must not matter."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from references import simulated

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.therapists.therapist_effects import median_odds_ratio
from outcomes.mixed import FitStatus, bootstrap_binomial, fit_binomial
from outcomes.mixed.generalised.laplace import LaplaceDeviance, mode_slopes
from outcomes.mixed.generalised.starts import fixed_information

FORMULA = "dropout ~ directiveness_within + preference + modality + (1 | therapist_id)"
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def sessions() -> pl.DataFrame:
    return simulated("binomial_therapist")[0]


@pytest.fixture(scope="module")
def fit(sessions):
    return fit_binomial(FORMULA, sessions)


def test_a_duckdb_relation_gives_the_same_fit_as_a_frame(sessions, fit):
    con = duckdb.connect()
    con.execute("create table person_sessions as select * from sessions")
    from_table = fit_binomial(FORMULA, con.table("person_sessions"))
    assert from_table.criterion == fit.criterion
    assert fit_binomial(FORMULA, sessions.to_pandas()).criterion == pytest.approx(fit.criterion, rel=1e-12)


def test_the_verbs_agree_with_each_other(fit):
    tidy = fit.tidy()
    assert tidy["term"].to_list() == list(fit.params.index) == list(fit.names)
    assert tidy["odds_ratio"].to_numpy() == pytest.approx(np.exp(fit.beta))
    assert tidy["odds_ratio_conf_low"].to_numpy() == pytest.approx(np.exp(fit.conf_int()[0]))
    assert fit.odds_ratios.to_numpy() == pytest.approx(tidy["odds_ratio"].to_numpy())
    assert fit.aic == pytest.approx(-2 * fit.llf + 2 * (len(fit.beta) + 1))
    text = fit.summary()
    assert "therapist_id" in text
    assert "converged" in text
    assert fit._repr_html_().startswith("<div")
    assert {"read", "fit", "total"} <= set(fit.timings)
    assert fit.optimizer.is_converged


def test_a_hazard_fit_reports_hazard_ratios(sessions):
    fit = fit_binomial(FORMULA, sessions, link="cloglog")
    assert "hazard_ratio" in fit.tidy().columns


def test_icc_and_median_odds_ratio_follow_published_examples(fit):
    sd = fit.variances[0].sd[0]
    assert fit.icc("therapist_id") == pytest.approx(sd**2 / (sd**2 + np.pi**2 / 3))
    assert median_odds_ratio(0.199) == pytest.approx(1.53, abs=0.005)
    assert median_odds_ratio(0.474) == pytest.approx(1.93, abs=0.005)
    assert fit.median_odds_ratio("therapist_id") == pytest.approx(median_odds_ratio(sd**2))


def test_r2_is_nakagawas_ratio_of_variances(sessions, fit):
    r2 = fit.r2()
    dummies = [(sessions["modality"] == level).cast(pl.Int8).to_numpy() for level in ("pct", "pdt")]
    X = np.column_stack([np.ones(sessions.height), sessions["directiveness_within"], sessions["preference"], *dummies])
    fixed, random = np.var(X @ fit.beta, ddof=1), fit.variances[0].cov[0, 0]
    assert r2["marginal"] == pytest.approx(fixed / (fixed + random + np.pi**2 / 3), rel=1e-9)
    assert r2["conditional"] == pytest.approx((fixed + random) / (fixed + random + np.pi**2 / 3), rel=1e-9)


@QUICK
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(sessions, fit, seed):
    shuffled = fit_binomial(FORMULA, sessions.sample(fraction=1.0, shuffle=True, seed=seed))
    assert shuffled.criterion == pytest.approx(fit.criterion, rel=1e-12)
    assert shuffled.beta == pytest.approx(fit.beta, abs=1e-6)


@QUICK
@given(shift=st.floats(-1000, 1000), scale=st.floats(0.001, 1000))
def test_shifting_and_scaling_a_predictor_changes_its_estimates_as_it_should(sessions, fit, shift, scale):
    moved = sessions.with_columns(pl.col("preference") * scale + shift)
    again = fit_binomial(FORMULA, moved)
    assert again.criterion == pytest.approx(fit.criterion, rel=1e-10)
    assert again.params["preference"] * scale == pytest.approx(fit.params["preference"], abs=1e-6)
    assert again.bse["preference"] * scale == pytest.approx(fit.bse["preference"], rel=1e-4)
    intercept = again.params["(Intercept)"] + again.params["preference"] * shift
    assert intercept == pytest.approx(fit.params["(Intercept)"], abs=1e-5)


@QUICK
@given(shift=st.floats(-30, 30), scale=st.floats(0.01, 100))
def test_a_random_slope_may_be_shifted_and_scaled(shift, scale):
    data, _ = simulated("binomial_slope")
    formula = "dropout ~ directiveness_within + (1 + directiveness_within | therapist_id)"
    plain = fit_binomial(formula, data)
    moved = fit_binomial(formula, data.with_columns(pl.col("directiveness_within") * scale + shift))
    assert moved.criterion == pytest.approx(plain.criterion, rel=1e-10)
    assert moved.variances[0].sd[1] * scale == pytest.approx(plain.variances[0].sd[1], rel=1e-4)


def test_relabelling_therapists_only_renames_their_modes(sessions, fit):
    renamed = sessions.with_columns(("z" + pl.col("therapist_id").str.reverse()).alias("therapist_id"))
    again = fit_binomial(FORMULA, renamed)
    assert again.criterion == pytest.approx(fit.criterion, rel=1e-12)
    before = fit.random_effects("therapist_id").with_columns(("z" + pl.col("therapist_id").str.reverse()).alias("to"))
    joined = before.join(again.random_effects("therapist_id"), left_on="to", right_on="therapist_id")
    assert joined.height == before.height
    assert joined["(Intercept)"].to_numpy() == pytest.approx(joined["(Intercept)_right"].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("design", ["binomial_movers", "binomial_slope", "binomial_cloglog"])
def test_no_random_neighbour_beats_the_optimum(design):
    data, stored = simulated(design)
    reference = stored["fits"][0]
    state = fit_binomial(reference["formula"], data, link=reference["link"]).state
    model, mode = state.problem.model, state.mode
    slopes = fixed_information(model, state.psi, mode)[1]
    deviance = LaplaceDeviance(model, state.psi, mode.u, slopes, mode_slopes(model, mode))
    best, _ = deviance(state.psi)
    root = np.linalg.cholesky(state.covariance)
    rng = np.random.default_rng(7)
    for size in np.geomspace(1e-4, 1.0, 200):
        assert deviance(state.psi + size * root @ rng.standard_normal(state.psi.size))[0] >= best - 1e-8


def test_missing_values_are_dropped_and_counted(sessions):
    holes = sessions.with_row_index().with_columns(
        pl.when(pl.col("index") % 10 == 0).then(None).otherwise(pl.col("preference")).alias("preference")
    )
    fit = fit_binomial(FORMULA, holes)
    assert fit.n_missing == -(-sessions.height // 10)
    assert fit.nobs + fit.n_missing == sessions.height


def test_a_column_that_repeats_others_is_dropped_and_named(sessions, fit):
    twice = fit_binomial("dropout ~ directiveness_within + preference + modality + copy + (1 | therapist_id)",
                         sessions.with_columns((2 * pl.col("preference") - 1).alias("copy")))  # fmt: skip
    assert twice.dropped_columns == ("copy",)
    assert any("copy" in message for message in twice.messages)
    assert twice.criterion == pytest.approx(fit.criterion, rel=1e-10)


def test_shares_with_trials_give_the_fit_of_their_single_trials():
    data, _ = simulated("binomial_weights")
    events = (data["endorsed_prop"] * data["n_items"]).round().cast(pl.Int64)
    single = data.with_columns(events.alias("k")).select(
        "therapist_id",
        "preference",
        pl.concat_list(pl.lit(1).repeat_by("k"), pl.lit(0).repeat_by(pl.col("n_items") -
        pl.col("k"))).alias("endorsed"),
    ).explode("endorsed")  # fmt: skip
    shares = fit_binomial("endorsed_prop ~ preference + (1 | therapist_id)", data, weights="n_items")
    rows = fit_binomial("endorsed ~ preference + (1 | therapist_id)", single)
    assert shares.beta == pytest.approx(rows.beta, abs=1e-6)
    assert shares.variances[0].sd == pytest.approx(rows.variances[0].sd, rel=1e-5)
    counts = data.with_columns(events.alias("k"), (data["n_items"] - events).alias("others"))
    cbind = fit_binomial("cbind(k, others) ~ preference + (1 | therapist_id)", counts)
    assert cbind.criterion == pytest.approx(shares.criterion, rel=1e-10)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_complete_separation_is_refused_and_the_column_named(sessions, link):
    data = sessions.with_columns(
        (pl.int_range(pl.len()) % 11 == 0).cast(pl.Int64).alias("is_group"),
    ).with_columns(pl.when(pl.col("is_group") == 1).then(0).otherwise(pl.col("dropout")).alias("dropout"))
    with pytest.raises(FitRefused, match="separated by is_group"):
        fit_binomial("dropout ~ preference + is_group + (1 | therapist_id)", data, link=link)


def test_one_late_event_after_sessions_without_any_is_refused():
    """Dropout in sessions 1 to 3, then none until one in the last: the course of the hazard has no finite slope."""
    rng = np.random.default_rng(3)
    session = np.repeat(np.arange(1, 15), 500)
    event = ((session <= 3) & (rng.random(session.size) < 0.04)).astype(int)
    event[-1] = 1
    data = pl.DataFrame(
        {
            "is_dropout": event,
            "change": rng.normal(size=session.size),
            **{f"session_{k}": (session == k).astype(int) for k in (1, 2, 3)},
            "log_session": np.where(session > 3, np.log(session), 0.0),
            "therapist_id": rng.integers(0, 50, session.size).astype(str),
        }
    )
    with pytest.raises(FitRefused, match=r"separated .*log_session"):
        fit_binomial("is_dropout ~ change + session_1 + session_2 + session_3 + log_session + (1 | therapist_id)", data)


def test_a_predictor_that_orders_the_outcome_is_refused(sessions):
    data = sessions.with_columns((pl.col("dropout") * 2 + pl.col("preference").abs() / 100).alias("leak"))
    with pytest.raises(FitRefused, match="separated by leak"):
        fit_binomial("dropout ~ preference + leak + (1 | therapist_id)", data)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_an_outlying_row_is_not_taken_for_separation(sessions, size):
    at = sessions["dropout"].arg_max()
    data = sessions.with_row_index().with_columns(
        pl.when(pl.col("index") == at).then(size).otherwise(pl.col("preference")).alias("preference")
    )
    assert fit_binomial("dropout ~ preference + (1 | therapist_id)", data).status is FitStatus.CONVERGED


def test_a_few_events_in_a_small_group_are_not_taken_for_separation(sessions):
    data = sessions.with_columns((pl.int_range(pl.len()) % 100 == 0).cast(pl.Int64).alias("is_group"))
    rows = pl.col("is_group") == 1
    one = data.with_columns(pl.when(rows).then(0).otherwise("dropout").alias("dropout")).with_row_index()
    one = one.with_columns(pl.when(pl.col("index") == 0).then(1).otherwise("dropout").alias("dropout"))
    fit = fit_binomial("dropout ~ is_group + (1 | therapist_id)", one)
    assert -5 < fit.params["is_group"] < -1


def test_an_outcome_without_variation_is_refused(sessions):
    with pytest.raises(FitRefused, match="never 1"):
        fit_binomial(FORMULA, sessions.with_columns(pl.lit(0).alias("dropout")))


def test_an_outcome_that_is_no_count_of_events_is_refused(sessions):
    with pytest.raises(FitRefused, match="not a number of events"):
        fit_binomial(FORMULA, sessions.with_columns(pl.col("dropout") * 0.5))


def test_one_therapist_is_refused(sessions):
    with pytest.raises(FitRefused, match="fewer than two levels"):
        fit_binomial(FORMULA, sessions.with_columns(pl.lit("t1").alias("therapist_id")))


def test_values_that_are_not_finite_are_refused(sessions):
    spoiled = sessions.with_columns(
        pl.when(pl.col("session_number") == 2).then(float("inf")).otherwise("preference").alias("preference")
    )
    with pytest.raises(FitRefused, match=r"preference has \d+ non-finite"):
        fit_binomial(FORMULA, spoiled)


def test_more_columns_than_rows_are_refused(sessions):
    with pytest.raises(FitRefused, match="fixed columns"):
        fit_binomial(FORMULA, sessions.filter(pl.col("session_number") == 1)[:5])


def test_one_row_a_level_is_fitted_with_a_warning_in_words(sessions):
    data = sessions.with_columns(("r" + pl.int_range(pl.len()).cast(pl.String)).alias("row_id"))
    fit = fit_binomial("dropout ~ preference + (1 | row_id)", data)
    assert any("one row for each level" in message for message in fit.messages)


@pytest.mark.parametrize("options", [{"link": "loglog"}, {"nagq": 0}, {"nagq": 26}, {"engine": "lme4"}])
def test_options_that_do_not_exist_are_refused(sessions, options):
    with pytest.raises(UsageError):
        fit_binomial(FORMULA, sessions, **options)


def test_quadrature_is_refused_for_several_factors_or_slopes(sessions):
    with pytest.raises(UsageError, match="one grouping factor"):
        fit_binomial("dropout ~ preference + (1 | therapist_id) + (1 | client_id)", sessions, nagq=5)
    formula = "dropout ~ preference + (1 + preference + I(preference**2) | therapist_id)"
    with pytest.raises(UsageError, match="intercept and one slope"):
        fit_binomial(formula, sessions, nagq=5)


def test_the_same_seed_gives_the_same_bootstrap_and_its_spread_is_that_of_the_estimates(fit):
    first = bootstrap_binomial(fit, draws=60, seed=3, show_progress=False)
    again = bootstrap_binomial(fit, draws=60, seed=3, show_progress=False)
    assert np.array_equal(first.beta, again.beta)
    assert not np.array_equal(first.beta, bootstrap_binomial(fit, draws=60, seed=4, show_progress=False).beta)
    assert first.converged.all()
    table = first.intervals()
    ratio = table["std_error"].to_numpy()[: len(fit.beta)] / fit.bse.to_numpy()
    assert ratio == pytest.approx(1.0, abs=0.4)  # 60 draws: 10% Monte-Carlo error
    row = table.filter(pl.col("component") == "therapist_id").row(0, named=True)
    assert row["conf_low"] < fit.variances[0].sd[0] < row["conf_high"]


def test_a_bootstrap_of_a_variance_of_zero_mixes_zeros_with_positive_values():
    data, stored = simulated("binomial_singular")
    fit = fit_binomial(stored["fits"][0]["formula"], data)
    assert fit.status is FitStatus.SINGULAR
    found = bootstrap_binomial(fit, draws=40, seed=1, show_progress=False)
    sd = found.sd[:, found.sd_names.index(("therapist_id", "(Intercept)"))]
    assert 0.3 < (sd < 1e-3).mean() < 0.9  # half and half in large samples, more at zero with ten therapists


def test_wald_intervals_of_standard_deviations_hold_the_estimate_and_are_missing_at_zero(fit):
    row = fit.sd_conf_int().row(0, named=True)
    assert row["conf_low"] < row["sd"] < row["conf_high"]
    data, stored = simulated("binomial_singular")
    table = fit_binomial(stored["fits"][0]["formula"], data).sd_conf_int()
    assert table.filter(pl.col("group") == "therapist_id")["conf_low"].to_list() == [None]
    assert table.filter(pl.col("group") == "client_id")["conf_low"][0] > 0
