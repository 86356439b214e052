"""Linear fits agree with lme4 on the classic data sets, at the tolerances of test_linear_against_r."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from references import classic_data, classic_fit, close

from outcomes.mixed import FitStatus, fit_linear


def _depression() -> pl.DataFrame:
    """Unemployment split into the person's mean and the departure from it."""
    data = classic_data("alda_depression_unemployment")
    mean = pl.col("unemployed").mean().over("id")
    return data.with_columns(um=mean, uw=pl.col("unemployed") - mean)


def _anxiety() -> pl.DataFrame:
    """Score of the 20 items, of which at least 16 must be answered; persons are numbered within studies."""
    data = classic_data("stai_state_items")
    key = classic_fit("stai_state_items.alpha_time1")["reversed"]
    items = [name for name in data.columns if name not in ("study", "time", "id")]
    data = data.with_columns((5 - pl.col(name)).alias(name) for name in key)
    answered = pl.sum_horizontal(pl.col(items).is_not_null())
    score = pl.when(answered >= 16).then(pl.mean_horizontal(items))
    person = pl.col("id").cast(pl.String).fill_null("NA")  # as R's paste() has it
    return data.with_columns(score=score, pid=pl.col("study") + " " + person)


DERIVED = {"alda_depression_unemployment": _depression, "stai_state_items": _anxiety}
TAGS = [
    "sleepstudy.int_ml",
    "sleepstudy.slope_ml",
    "sleepstudy.slope_reml",
    "sleepstudy.slopeonly_ml",
    "sleepstudy.zerocorr_reml",
    "pastes.nested_ml",
    "pastes.nested_reml",
    "pastes.sample_only_ml",
    "penicillin.crossed_ml",
    "penicillin.crossed_reml",
    "classroom.m41_reml",
    "classroom.m42_reml",
    "classroom.m43_reml",
    "exam_london.intercept_reml",
    "exam_london.slope_reml",
    "exam_london.three_re_reml",
    "hsb82.null_ml",
    "hsb82.crosslevel_reml",
    "bh1996.null_reml",
    "bh1996.slope_reml",
    "bh1996.crosslevel_reml",
    "bh1996.within_between_reml",
    "scotssec.crossed_ml",
    "scotssec.crossed_reml",
    "btheb.int_ml",
    "btheb.int_reml",
    "btheb.slope_ml",
    "aids.lmm_ml",
    "alda_depression_unemployment.A_ml",
    "alda_depression_unemployment.B_ml",
    "alda_depression_unemployment.C_ml",
    "alda_depression_unemployment.within_between_ml",
    "smoking_prevention.three_level_ml",
    "stai_state_items.three_level_reml",
    "insteval.three_crossed_ml",
    "insteval.three_crossed_reml",
]
LEVELS = {
    "btheb": {"treatment": ["TAU", "BtheB"]},
    "hsb82": {"sector": ["Public", "Catholic"]},
    "scotssec": {"sex": ["M", "F"]},
}
"""Order of levels in R's data sets where it is not the alphabet's."""
SLOW = {"insteval.three_crossed_ml"}
PARAMETERS = [pytest.param(tag, marks=pytest.mark.slow) if tag in SLOW else tag for tag in TAGS]


def _load(name: str) -> pl.DataFrame:
    """A data set as R had it."""
    data = DERIVED[name]() if name in DERIVED else classic_data(name)
    return data.cast({column: pl.Enum(levels) for column, levels in LEVELS.get(name, {}).items()})


@pytest.mark.parametrize("tag", PARAMETERS)
def test_a_linear_fit_agrees_with_lme4_on_classic_data(tag):
    reference = classic_fit(tag)
    fit = fit_linear(reference["formula"], _load(tag.partition(".")[0]), reml=reference["REML"])

    assert fit.nobs == reference["nobs"]
    assert fit.n_groups == reference["ngrps"]
    assert (fit.status is FitStatus.SINGULAR) == reference["singular"]
    close(fit.criterion, reference["REMLcrit"] if reference["REML"] else reference["deviance_ML"], 1e-6)
    close(fit.llf, reference["logLik"], 1e-6)
    close(fit.aic, reference["AIC"], 1e-6)
    close(fit.bic, reference["BIC"], 1e-6)
    se = np.array(list(reference["se"].values()))
    assert np.all(np.abs(fit.beta - np.array(list(reference["fixef"].values()))) < 1e-5 * (np.abs(fit.beta) + se))
    close(fit.bse, se, 1e-4)
    close(fit.sigma, reference["sigma"], 1e-4)
    for block, theirs in zip(_matched(fit, reference), reference["varcorr"], strict=True):
        close(block.sd, theirs["sd"], 1e-4, 1e-4 * fit.sigma)
    for theirs in reference["conditional_modes"]:
        _modes_agree(fit, theirs)
    df = (reference["satterthwaite"] or {}).get("df")
    if df and not reference["singular"]:
        # lmerTest differentiates numerically: its own error is of this order
        close(fit.df_denom, list(df.values()) if isinstance(df, dict) else df, 1e-3)


def test_many_fixed_columns_beside_crossed_factors_reach_lme4s_criterion():
    reference = classic_fit("insteval.service_by_dept_ml")
    fit = fit_linear("y ~ service * C(dept) + (1 | s) + (1 | d)", classic_data("insteval"), reml=False)
    assert fit.status is FitStatus.CONVERGED
    close(fit.criterion, reference["deviance_ML"], 1e-6)


def _matched(fit, reference) -> list:
    """Our variance blocks in the reference's order; R numbers the second bracket of a group."""
    ours = {(block.group, len(block.names), block.names[0].split("[")[0]): block for block in fit.variances}
    return [
        ours[theirs["group"].split(".")[0], len(theirs["terms"]), theirs["terms"][0]] for theirs in reference["varcorr"]
    ]


def _modes_agree(fit, theirs) -> None:
    """The first five levels' modes and conditional standard deviations, and all modes' sums of squares."""
    group = theirs["group"]
    ours = fit.random_effects(group).with_columns(pl.col(group).cast(pl.String))
    names = [name for name in ours.columns if name != group and not name.startswith("std_error ")]
    wanted = pl.DataFrame({group: [str(level) for level in theirs["levels"]]})
    head = wanted.join(ours, on=group, how="left", maintain_order="left")
    scale = np.sqrt(np.array(theirs["sum_sq_modes"]) / len(ours))
    close(head[names].to_numpy(), theirs["mode"], 1e-4, 1e-4 * max(scale.max(), 1e-3 * fit.sigma))
    close(head[[f"std_error {name}" for name in names]].to_numpy(), theirs["cond_sd"], 1e-4, 1e-4 * fit.sigma)
    close((ours[names].to_numpy() ** 2).sum(axis=0), theirs["sum_sq_modes"], 1e-3, 1e-6 * fit.sigma**2 * len(ours))
