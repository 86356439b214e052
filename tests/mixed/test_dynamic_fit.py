"""The dynamic model fitted: recovery in worlds that the simulator does not make, invariance, hostile data, refusals."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest
from dynamic_cohorts import COLUMNS, cohort

from outcomes.errors import FitRefused, FormulaError, UsageError
from outcomes.mixed import FitStatus, fit_dynamic, fit_linear

LEVEL = "satisfaction ~ directiveness"


def error_of(fit, name: str, truth: float) -> float:
    """Distance of an estimate from the truth, in standard errors."""
    return abs(fit.params[name] - truth) / fit.bse[name]


def without_therapists(**changes) -> dict[str, str]:
    return {role: name for role, name in COLUMNS.items() if role != "therapist"} | changes


@pytest.fixture(scope="module")
def responsive() -> pl.DataFrame:
    return cohort(1, clients=1_500, therapists=100)


@pytest.fixture(scope="module")
def small() -> pl.DataFrame:
    return cohort(2, clients=160, therapists=12, slope=0.28)


def test_therapists_who_respond_do_not_pass_for_an_effect_of_guidance(responsive):
    fit = fit_dynamic(LEVEL, responsive, **COLUMNS)
    assert fit.status is FitStatus.CONVERGED
    assert error_of(fit, "directiveness", 0.0) < 3
    assert fit.bse["directiveness"] < 0.01
    assert error_of(fit, "responsiveness", 0.35) < 3
    assert error_of(fit, "carry-over of satisfaction", 0.4) < 3
    assert error_of(fit, "next-session slope", 0.0) < 3
    assert error_of(fit, "carry-over of guidance", 0.0) < 3
    # the world is one in which the mixed model is fooled: else the test would show nothing
    mixed = fit_linear(f"{LEVEL} + (1 | client_id) + (1 | therapist_id)", responsive)
    assert error_of(mixed, "directiveness", 0.0) > 3


@pytest.mark.parametrize("seed", [3, 4])
def test_every_path_is_recovered_together(seed):
    data = cohort(seed, clients=1_500, slope=0.28, persist=0.3, lagged=0.15, unrated=0.1, unasked=0.05)
    fit = fit_dynamic(LEVEL, data, **COLUMNS)
    truths = {
        "directiveness": 0.28,
        "carry-over of guidance": 0.3,
        "responsiveness": 0.35,
        "next-session slope": 0.15,
        "carry-over of satisfaction": 0.4,
    }
    for name, truth in truths.items():
        assert error_of(fit, name, truth) < 3.3, name


def test_fit_to_preference_leaves_no_main_effect_of_guidance():
    data = cohort(5, clients=1_500, therapists=100, misfit=0.08)
    fit = fit_dynamic(
        f"{LEVEL} + I(directiveness**2) + preferred + I(preferred**2) + preferred:directiveness", data, **COLUMNS
    )
    assert error_of(fit, "directiveness", 0.0) < 3
    assert error_of(fit, "I(directiveness ** 2)", -0.08) < 3
    assert error_of(fit, "preferred:directiveness", 0.16) < 3


def test_directive_therapists_who_are_better_liked_do_not_pass_for_an_effect_of_guidance():
    data = cohort(6, clients=1_500, therapists=100, liked=0.8)
    fit = fit_dynamic(LEVEL, data, **COLUMNS)
    assert error_of(fit, "directiveness", 0.0) < 3
    correlation = fit.spread().filter((pl.col("group") == "therapist_id") & (pl.col("name") == "correlation"))
    assert correlation["conf_low"][0] > 0.5  # it shows where it belongs


def test_without_any_dynamics_the_slope_is_the_within_client_slope():
    data = cohort(7, clients=1_000, slope=0.2, respond=0.0, serial=0.0, moves=0.0)
    fit = fit_dynamic(LEVEL, data, **without_therapists())
    centred = data.with_columns(
        pl.col("directiveness", "satisfaction") - pl.col("directiveness", "satisfaction").mean().over("client_id")
    )
    d, y = centred["directiveness"].to_numpy(), centred["satisfaction"].to_numpy()
    within = float(d @ y / (d @ d))
    assert abs(fit.params["directiveness"] - within) < 0.5 * fit.bse["directiveness"]
    for name in ("responsiveness", "carry-over of satisfaction", "next-session slope", "carry-over of guidance"):
        assert error_of(fit, name, 0.0) < 3.3, name


def test_order_of_rows_names_of_ids_and_the_kind_of_table_do_not_matter(small):
    fit = fit_dynamic(LEVEL, small, **COLUMNS)
    renamed = small.with_columns(
        client_id=pl.col("client_id").str.slice(1).cast(pl.Int64) * 7 % 1009,
        therapist_id=pl.col("therapist_id").str.reverse(),
    )
    others = [
        small.sample(fraction=1.0, shuffle=True, seed=1),
        renamed,
        small.to_pandas(),
        small.to_arrow(),
        duckdb.connect().from_arrow(small.to_arrow()),
    ]
    for other in others:
        again = fit_dynamic(LEVEL, other, **COLUMNS)
        assert again.llf == pytest.approx(fit.llf, abs=1e-6)
        np.testing.assert_allclose(again.beta, fit.beta, atol=1e-5)
        np.testing.assert_allclose(again.vcov, fit.vcov, rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1000.0), (1e6, 1.0), (-50.0, 1e-4)])
def test_units_and_offsets_change_the_numbers_as_they_must(small, offset, scale):
    fit = fit_dynamic(LEVEL, small, **COLUMNS)
    moved = small.with_columns(pl.col("satisfaction") * scale + offset, directiveness=pl.col("directiveness") + offset)
    again = fit_dynamic(LEVEL, moved, **COLUMNS)
    assert again.status is fit.status
    assert again.llf == pytest.approx(fit.llf - fit.n_rated * np.log(scale), abs=1e-4)
    for name, factor in {
        "directiveness": scale,
        "responsiveness": 1 / scale,
        "next-session slope": scale,
        "carry-over of satisfaction": 1.0,
        "carry-over of guidance": 1.0,
    }.items():
        assert again.params[name] == pytest.approx(
            fit.params[name] * factor, rel=1e-3, abs=1e-3 * fit.bse[name] * factor
        )
        assert again.bse[name] == pytest.approx(fit.bse[name] * factor, rel=1e-3)
    np.testing.assert_allclose(again.pvalues[["directiveness"]], fit.pvalues[["directiveness"]], rtol=1e-2)


def test_sessions_numbered_from_elsewhere_give_the_same_fit(small):
    fit = fit_dynamic(LEVEL, small, **COLUMNS)
    later = fit_dynamic(LEVEL, small.with_columns(pl.col("attended_number") + 4.0), **COLUMNS)
    assert later.llf == pytest.approx(fit.llf, abs=1e-6)


def test_a_missing_row_counts_as_a_row_without_ratings(small):
    """A session that left no row is the same as one with neither guidance nor satisfaction, once it is in between."""
    middle = pl.col("attended_number").is_in([3, 5]) & (
        pl.col("attended_number") < pl.col("attended_number").max().over("client_id")
    )
    dropped = fit_dynamic(LEVEL, small.filter(~middle), **COLUMNS)
    blank = small.with_columns(
        satisfaction=pl.when(~middle).then("satisfaction"), directiveness=pl.when(~middle).then("directiveness")
    )
    blanked = fit_dynamic(LEVEL, blank, **COLUMNS)
    assert blanked.llf == pytest.approx(dropped.llf, abs=1e-6)
    assert blanked.n_missing == blank["directiveness"].null_count()


def test_clients_without_any_rating_and_clients_of_one_session_take_part(small):
    never = small.with_columns(satisfaction=pl.when(~pl.col("client_id").is_in(["c3", "c4"])).then("satisfaction"))
    short = small.filter((pl.col("attended_number") == 1) | ~pl.col("client_id").is_in(["c5", "c6", "c7"]))
    for data in (never, short):
        fit = fit_dynamic(LEVEL, data, **COLUMNS)
        assert fit.status is FitStatus.CONVERGED
        assert fit.n_groups["client_id"] == 160
        assert fit.n_sessions == data.height


def test_therapists_with_one_client_and_models_without_therapists(small):
    own = small.with_columns(
        therapist_id=pl.when(pl.col("client_id") == "c9").then(pl.lit("alone")).otherwise("therapist_id")
    )
    assert fit_dynamic(LEVEL, own, **COLUMNS).n_groups["therapist_id"] == 13
    without = fit_dynamic(LEVEL, small, **without_therapists())
    assert list(without.n_groups) == ["client_id"]
    assert without.n_parameters == fit_dynamic(LEVEL, small, **COLUMNS).n_parameters - 3


def test_categorical_covariates_are_coded_as_in_the_mixed_model(small):
    data = small.with_columns(modality=pl.Series(np.array(["cbt", "pct", "pdt"])[np.arange(small.height) % 3]))
    fit = fit_dynamic(f"{LEVEL} + modality", data, **COLUMNS, guidance_covariates="attended_number")
    assert {"modality[T.pct]", "modality[T.pdt]", "guidance: attended_number"} <= set(fit.names)


def test_a_preference_that_is_missing_leaves_the_clients_guidance_in(small):
    data = small.with_columns(preferred=pl.when(pl.col("client_id") != "c1").then("preferred"))
    fit = fit_dynamic(f"{LEVEL} + preferred", data, **COLUMNS)
    assert fit.n_sessions == small.height
    assert fit.n_rated == small.filter(pl.col("client_id") != "c1").height


def test_a_column_that_follows_from_the_others_is_dropped_and_named(small):
    data = small.with_columns(twice=2 * pl.col("directiveness") - 1)
    fit = fit_dynamic(f"{LEVEL} + twice", data, **COLUMNS)
    assert "twice" not in fit.names
    assert any("twice" in message for message in fit.messages)
    assert fit.llf == pytest.approx(fit_dynamic(LEVEL, small, **COLUMNS).llf, abs=1e-6)


def test_a_search_that_fails_gives_no_standard_errors(small, monkeypatch):
    from dataclasses import replace

    from outcomes.mixed.dynamic import search as module

    search = module.minimise
    monkeypatch.setattr(module, "minimise", lambda *a, **k: replace(search(*a, **k), is_converged=False))
    fit = fit_dynamic(LEVEL, small, **COLUMNS)
    assert fit.status is FitStatus.NOT_CONVERGED
    assert np.isnan(fit.vcov).all()
    assert fit.tidy()["p_value"].null_count() == len(fit.names)
    assert fit.spread()["conf_low"].null_count() == fit.spread().height
    assert "did not converge" in fit.summary()
    for verb in (fit.robust, lambda: fit.confint(method="profile")):
        with pytest.raises(UsageError, match="did not converge"):
            verb()


def test_outcomes_without_differences_between_clients_are_singular_not_wrong():
    rng = np.random.default_rng(0)
    n = 1_200
    data = pl.DataFrame(
        {
            "client_id": np.repeat(np.arange(200), 6),
            "attended_number": np.tile(np.arange(6), 200),
            "directiveness": rng.normal(size=n),
            "satisfaction": rng.normal(size=n),
        }
    )
    # take each client's means out: nothing is left between clients, less than chance
    data = data.with_columns(
        pl.col("directiveness", "satisfaction") - pl.col("directiveness", "satisfaction").mean().over("client_id")
    )
    fit = fit_dynamic(LEVEL, data, **without_therapists())
    assert fit.status is FitStatus.SINGULAR
    assert any("client_id" in message for message in fit.messages)
    assert np.isfinite(fit.bse["directiveness"])


REFUSALS = {
    "few clients": (
        lambda d: d.filter(pl.col("client_id").str.len_chars() < 3),
        LEVEL,
        FitRefused,
        "clients have 4 or more",
    ),
    "short series": (lambda d: d.filter(pl.col("attended_number") < 4), LEVEL, FitRefused, "clients have 4 or more"),
    "duplicated rows": (lambda d: pl.concat([d, d.head(3)]), LEVEL, FitRefused, "3 rows have the same"),
    "constant guidance": (lambda d: d.with_columns(directiveness=pl.lit(2.0)), LEVEL, FitRefused, "same value"),
    "steady guidance": (
        lambda d: d.with_columns(directiveness=pl.col("directiveness").first().over("client_id")),
        LEVEL,
        FitRefused,
        "never differs",
    ),
    "constant satisfaction": (lambda d: d.with_columns(satisfaction=pl.lit(5.0)), LEVEL, FitRefused, "same value"),
    "no satisfaction": (
        lambda d: d.with_columns(satisfaction=pl.lit(None, pl.Float64)),
        LEVEL,
        FitRefused,
        "No session has satisfaction",
    ),
    "exact function": (
        lambda d: d.with_columns(satisfaction=3 * pl.col("directiveness") + 1),
        LEVEL,
        FitRefused,
        "exact function",
    ),
    "infinite value": (
        lambda d: d.with_columns(
            directiveness=pl.when(pl.col("attended_number") == 2).then(np.inf).otherwise("directiveness")
        ),
        LEVEL,
        FitRefused,
        "non-finite",
    ),
    "fractions of a session": (
        lambda d: d.with_columns(attended_number=pl.col("attended_number") + 0.5 * (pl.col("attended_number") == 3)),
        LEVEL,
        FitRefused,
        "not whole numbers",
    ),
    "days": (
        lambda d: d.with_columns(attended_number=pl.col("attended_number") * 700),
        LEVEL,
        FitRefused,
        "must count sessions",
    ),
    "random terms": (lambda d: d, f"{LEVEL} + (1 | client_id)", FormulaError, "intercepts of clients"),
    "unknown column": (lambda d: d.drop("client_id"), LEVEL, UsageError, "no column 'client_id'"),
    "itself": (lambda d: d, "directiveness ~ preferred", UsageError, "same column"),
}


def test_one_column_cannot_play_two_parts(small):
    with pytest.raises(UsageError, match="different columns"):
        fit_dynamic(LEVEL, small, **{**COLUMNS, "therapist": "client_id"})


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_answered_is_refused_in_plain_words(small, case):
    change, formula, kind, words = REFUSALS[case]
    with pytest.raises(kind, match=words):
        fit_dynamic(formula, change(small), **COLUMNS)
