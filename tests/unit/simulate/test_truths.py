"""Worlds in which one verdict is true."""

from dataclasses import astuple

import numpy as np
import pytest

from outcomes.cli import main
from outcomes.simulate import CohortParameters, Truth, simulate_cohort, slope_truth, with_truth
from outcomes.simulate.world.guidance import Usual, direct_satisfaction

BASE = CohortParameters(clients=300, therapists=20)


def satisfaction(truth: Truth, directiveness, usual=5.0, preferred=5.0):
    """Direct latent satisfaction of an average client in a first session."""
    p = with_truth(truth, BASE)
    d = np.asarray(directiveness, dtype=float)
    level = Usual(np.full_like(d, usual), np.full_like(d, usual - p.directiveness.mean), np.zeros_like(d))
    return direct_satisfaction(p, d, level, np.full_like(d, preferred), 4.0, 20.0, 1.0)


def test_the_command_line_offers_every_truth():
    offered = next(option for option in main.commands["simulate"].params if option.name == "truth").type.choices
    assert tuple(offered) == tuple(truth.value for truth in Truth)


def test_without_an_effect_all_slopes_are_zero():
    truth = slope_truth(with_truth(Truth.NO_EFFECT, BASE))
    assert astuple(truth.observed) == pytest.approx((0, 0, 0), abs=0.005)


def test_in_a_monotone_world_all_slopes_are_the_same():
    truth = slope_truth(with_truth(Truth.MONOTONE, BASE))
    assert astuple(truth.latent) == pytest.approx((0.4, 0.4, 0.4), abs=0.002)


@pytest.mark.parametrize(
    ("truth", "moved", "best"),
    [
        (Truth.BEST_LEVEL, {"usual": 7.0, "preferred": 8.0}, 5.0),
        (Truth.FIT, {"usual": 7.0, "preferred": 8.0}, 8.0),
        (Truth.RELATIVE, {"usual": 7.0, "preferred": 8.0}, 7.0),
    ],
)
def test_the_best_guidance_is_where_the_truth_puts_it(truth, moved, best):
    grid = np.arange(0.0, 10.1, 0.5)
    assert grid[np.argmax(satisfaction(truth, grid, **moved))] == best


def test_beside_fit_a_main_effect_moves_the_best_guidance_above_the_preference():
    grid = np.arange(0.0, 10.1, 0.5)
    assert grid[np.argmax(satisfaction(Truth.FIT_PLUS_MAIN, grid, preferred=5.0))] == 6.0  # 5 + 0.3 / (2 x 0.15)


def test_a_logarithm_rises_everywhere_and_ever_more_slowly():
    steps = np.diff(satisfaction(Truth.LOG, np.arange(0.0, 10.1, 0.5)))
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()


@pytest.mark.parametrize("truth", Truth)
def test_mean_satisfaction_stays_in_place(truth):
    cohort = simulate_cohort(with_truth(truth, CohortParameters(clients=3_000, therapists=200)), seed=3)
    assert cohort.latent.sessions["satisfaction_latent"].mean() == pytest.approx(8.3, abs=0.4)
