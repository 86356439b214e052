"""What the linear engine refuses, drops or flags, and what it says then."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from cohorts import cohort
from references import close

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import FitStatus, fit_linear, prepare_linear, profile_intervals

DATA = cohort(clients=20, therapists=5, sessions=5)


@pytest.mark.parametrize(
    ("formula", "change", "message"),
    [
        ("satisfaction ~ 1 + (1 | one)", {"one": pl.lit("a")}, "has 1 level"),
        ("satisfaction ~ 1 + (1 | row)", {"row": pl.int_range(100)}, "one row per level"),
        ("satisfaction ~ x + (1 + x + z + w | pair)", {"pair": pl.int_range(100) // 3}, "cannot determine 4 random"),
        ("satisfaction ~ C(many) + (1 | client_id)", {"many": pl.int_range(100)}, "cannot determine 100 fixed"),
        ("satisfaction ~ x + (1 | client_id)", {"x": pl.lit(float("nan"))}, "x has 100 non-finite"),
        ("bad ~ 1 + (1 | client_id)", {"bad": pl.col("x") / (pl.int_range(100) % 50)}, "non-finite values"),
        ("satisfaction ~ x + (1 | client_id)", {"x": pl.lit(None, dtype=pl.Float64)}, "No row is complete"),
        ("satisfaction ~ log(level) + (1 | client_id)", {"level": pl.int_range(100)}, r"log\(level\) has 1 non-finite"),
        ("satisfaction ~ I(modality * 2) + (1 | client_id)", {}, "could not compute"),
        ("flat ~ x + (1 | client_id)", {"flat": pl.lit(3.0)}, "is constant"),
        ("satisfaction ~ C(id) + (1 | client_id)", {"id": pl.int_range(2000)}, "has 2000 levels"),
    ],
)
def test_data_that_cannot_support_a_model_are_refused_with_the_reason(formula, change, message):
    data = DATA
    if "id" in change:
        data = pl.concat([DATA] * 20)
    rng = np.random.default_rng(0)
    data = data.with_columns(**{name: pl.Series(rng.normal(size=len(data))) for name in "xzw"}).with_columns(**change)
    with pytest.raises(FitRefused, match=message):
        fit_linear(formula, data)


def test_no_refusal_repeats_a_value_or_an_id():
    data = DATA.with_columns(x=pl.when(pl.int_range(100) == 7).then(float("inf")).otherwise(1.0))
    with pytest.raises(FitRefused) as refusal:
        fit_linear("satisfaction ~ x + (1 | client_id)", data)
    assert not any(client in str(refusal.value) for client in data["client_id"])


def test_weights_must_be_positive():
    with pytest.raises(FitRefused, match="above zero"):
        fit_linear("satisfaction ~ 1 + (1 | client_id)", DATA.with_columns(w=pl.int_range(100)), weights="w")


def test_data_of_an_unknown_kind_and_unknown_engines_are_refused():
    with pytest.raises(UsageError, match="cannot be used"):
        fit_linear("y ~ 1 + (1 | g)", [1, 2, 3])
    with pytest.raises(UsageError, match="no engine"):
        fit_linear("y ~ 1 + (1 | g)", DATA, engine="lme4")
    gram = prepare_linear("satisfaction ~ 1 + (1 | client_id)", DATA)
    with pytest.raises(UsageError, match="weights already"):
        fit_linear("satisfaction ~ 1 + (1 | client_id)", gram, weights="session_number")


def test_columns_that_are_combinations_of_others_are_dropped_and_named():
    data = DATA.with_columns(twice=2 * pl.col("directiveness") + 1)
    fit = fit_linear("satisfaction ~ directiveness + twice + modality + (1 | client_id)", data)
    assert fit.dropped_columns == ("twice",)
    assert "twice" in " ".join(fit.messages)
    without = fit_linear("satisfaction ~ directiveness + modality + (1 | client_id)", data)
    close(fit.criterion, without.criterion, 1e-12)
    close(fit.beta, without.beta, 1e-9)


def test_a_factor_without_variance_is_a_singular_fit_that_names_it():
    centred = pl.col("satisfaction") - pl.col("satisfaction").mean().over("therapist_id")
    data = DATA.with_columns(satisfaction=centred)
    fit = fit_linear("satisfaction ~ 1 + (1 | client_id) + (1 | therapist_id)", data)
    assert fit.status is FitStatus.SINGULAR
    assert fit.messages == ("Singular: the variance of (Intercept) between levels of therapist_id is zero.",)
    alone = fit_linear("satisfaction ~ 1 + (1 | client_id)", data)
    close(fit.criterion, alone.criterion, 1e-9)
    assert fit.random_effects("therapist_id")["(Intercept)"].abs().max() == 0.0
    profile = profile_intervals(fit, names=()).filter(pl.col("component") == "therapist_id")
    assert profile["conf_low"].item() == 0.0
    assert 0.0 < profile["conf_high"].item() < fit.sigma


def test_random_effects_that_move_together_are_a_singular_fit_that_names_them():
    rng = np.random.default_rng(4)
    client = np.repeat(np.arange(40), 10)
    x = rng.normal(size=400)
    u = rng.normal(size=40)
    y = u[client] * (1 + 0.5 * x) + 0.5 * rng.normal(size=400)
    data = pl.DataFrame({"y": y, "x": x, "client": client})
    fit = fit_linear("y ~ x + (x | client)", data)
    assert fit.status is FitStatus.SINGULAR
    assert "perfectly correlated" in fit.messages[0]


def test_grouping_factors_without_a_hierarchy_of_practices_still_fit_nested_therapists():
    data = DATA.with_columns(therapist_id=pl.col("therapist_id").str.slice(2))
    nested = fit_linear("satisfaction ~ directiveness + (1 | practice_id/therapist_id)", data)
    assert set(nested.n_groups) == {"practice_id", "therapist_id:practice_id"}
    labels = nested.random_effects("therapist_id:practice_id")["therapist_id:practice_id"]
    assert all(":" in label for label in labels)
    with pytest.raises(UsageError, match="no grouping factor"):
        nested.random_effects("client_id")
