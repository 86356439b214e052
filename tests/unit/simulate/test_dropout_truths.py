"""Dropout answers to guidance as its truth says, by ordinary logistic regressions on the true guidance."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from outcomes.cli import main
from outcomes.simulate import (
    CohortParameters,
    DropoutTruth,
    Truth,
    dropout_truth,
    simulate_cohort,
    with_dropout_truth,
    with_truth,
)

BASE = with_truth(Truth.NO_EFFECT, CohortParameters(clients=12_000, therapists=1_000))
# What logit a client or a therapist has on its own pulls a slope that is not conditional on it towards 0, by
# 1 / sqrt(1 + 0.346 v) (Zeger, Liang & Albert 1988, doi 10.2307/2531734): v = .56^2 + .435^2 (1.1^2 + 1) + .15^2 .95^2.
PULLED = 1 / np.sqrt(1 + 0.346 * (0.56**2 + 0.435**2 * (1.1**2 + 1) + (0.15 * 0.95) ** 2))
SE = 4.0


@cache
def sessions(truth: DropoutTruth) -> pl.DataFrame:
    """Attended sessions up to the data cut, with true guidance and preference, and whether dropout followed."""
    of = simulate_cohort(with_dropout_truth(truth, BASE), seed=3)
    guidance = 5 + pl.col("within_part") + pl.col("client_part") + pl.col("therapist_part")
    last = pl.col("attended_number") == pl.col("n_attended")
    return (
        of.latent.sessions.join(of.latent.episodes, on="episode_id")
        .join(of.episodes.select("episode_id", "client_id"), on="episode_id")
        .join(of.latent.clients, on="client_id")
        .with_columns(guidance=guidance, dropped=last & (pl.col("cause") == "dropout"))
        .with_columns(gap=pl.col("guidance") - pl.col("directiveness_preferred"))
        .filter(pl.col("attended_number") < 20)
    )


def logits(truth: DropoutTruth) -> dict[str, tuple[float, float]]:
    """Return slope and error of guidance, distance from the preference, from level 5 and from the usual level."""
    table = sessions(truth)
    terms = {
        "slope": table["guidance"] - 5,
        "misfit": table["gap"].abs(),
        "level": (table["guidance"] - 5) ** 2,
        "unusual": table["within_part"] ** 2,
    }
    early = (table["attended_number"] <= 3).cast(float)
    x = np.column_stack([np.ones(table.height), early, table["attended_number"], *terms.values()])
    fitted = sm.Logit(table["dropped"].cast(float).to_numpy(), x).fit(disp=False)
    return dict(zip(terms, zip(fitted.params[3:], fitted.bse[3:], strict=True), strict=True))


def test_the_command_line_offers_every_truth_about_dropout():
    offered = next(option for option in main.commands["simulate"].params if option.name == "hazard").type.choices
    assert tuple(offered) == tuple(truth.value for truth in DropoutTruth)


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        (DropoutTruth.NONE, {}),
        (DropoutTruth.MONOTONE, {"slope": -0.30}),
        (DropoutTruth.FIT, {"misfit": 0.38}),
        (DropoutTruth.FIT_PLUS_MAIN, {"misfit": 0.38, "slope": -0.30}),
        (DropoutTruth.BEST_LEVEL, {"level": 0.10}),
        (DropoutTruth.RELATIVE, {"unusual": 0.10}),
    ],
)
def test_guidance_acts_on_dropout_as_its_truth_says_and_in_no_other_way(truth, expected):
    for name, (found, error) in logits(truth).items():
        # Who is at risk longest has the lower logit by what else acts: up to a tenth of the slope beyond the pull.
        wanted = PULLED * expected.get(name, 0.0)
        assert found == pytest.approx(wanted, abs=SE * error + 0.1 * abs(wanted)), name


def test_a_best_level_keeps_more_clients_than_too_little_and_than_too_much():
    table = sessions(DropoutTruth.BEST_LEVEL)
    near = table.filter((pl.col("guidance") - 5).abs() < 1)["dropped"].mean()
    for far in (table.filter(pl.col("guidance") < 2), table.filter(pl.col("guidance") > 8)):
        assert far["dropped"].mean() > 2 * near


@pytest.mark.parametrize("truth", Truth)
def test_what_is_asked_of_dropout_overrides_what_the_truth_about_satisfaction_implies(truth):
    of_dropout = with_dropout_truth(DropoutTruth.NONE, with_truth(truth, BASE))
    assert of_dropout.endings.misfit == 0.0
    assert of_dropout.satisfaction == with_truth(truth, BASE).satisfaction


@pytest.mark.parametrize("truth", Truth)
def test_the_truth_that_satisfaction_implies_is_one_that_can_be_asked_for(truth):
    implied = {Truth.FIT: DropoutTruth.FIT, Truth.NO_EFFECT: DropoutTruth.NONE}[dropout_truth(truth)]
    p = with_truth(truth, CohortParameters())
    asked = with_dropout_truth(implied, p)
    assert (asked.endings.slopes, asked.endings.misfit) == (p.endings.slopes, p.endings.misfit)
    assert implied.verdict is dropout_truth(truth)


def test_the_best_level_lies_where_guidance_is():
    assert with_dropout_truth(DropoutTruth.BEST_LEVEL, with_truth(Truth.LOG, BASE)).endings.best_level == 3.0
