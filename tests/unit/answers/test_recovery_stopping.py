"""Cohorts are simulated until a card's class is certain, and no more."""

from __future__ import annotations

import math

import numpy as np
import pytest

from outcomes.answers.recovery.cards import Estimator, Simulated, Yardstick, card, verdict_card
from outcomes.answers.recovery.quotes import PARTS, Quote, tried
from outcomes.answers.recovery.run import _known_ahead
from outcomes.answers.recovery.stopping import is_settled, is_verdict_settled, rounds, settled_worlds, where_tried
from outcomes.answers.recovery.tables import EstimatorName

SLOPE = Estimator("slope", "Is there a slope?", "points", Yardstick(0.1, 0.2), lambda known: 0.0)
POSITIVE = frozenset({"fit", "best_level", "monotone"})


def found(error: float, n: int, seed: int = 1, refused: int = 0) -> Simulated:
    """Unbiased estimates with this standard error; an effect worth finding is 0.1, so 0.036 is needed."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, error, n)
    errors = rng.normal(error, 0.05 * error, n)
    quotes = [
        Quote("slope", v, e, v - 1.96 * e, v + 1.96 * e, False) for v, e in zip(values.tolist(), errors, strict=True)
    ]
    return Simulated([{"slope": quote} for quote in quotes[refused:]] + [{}] * refused, [])


def test_looks_come_after_ten_cohorts_and_every_two_and_the_last_round_ends_where_the_study_says():
    assert [list(one) for one in rounds(3)] == [[0, 1, 2]]
    assert [(one.start, one.stop) for one in rounds(20)] == [(0, 10), (10, 12), (12, 14), (14, 16), (16, 18), (18, 20)]
    assert [(one.start, one.stop) for one in rounds(11)] == [(0, 10), (10, 11)]


def test_before_the_first_look_no_class_is_certain_however_far_from_a_border():
    assert not is_settled(SLOPE, found(0.01, 8), 20)
    assert is_settled(SLOPE, found(0.01, 10), 20)
    assert not is_verdict_settled(["no_effect"] * 8, ["fit"] * 8, POSITIVE, 20)
    assert is_verdict_settled(["no_effect"] * 10, ["fit"] * 10, POSITIVE, 20)


@pytest.mark.parametrize("error", [0.01, 0.2])
def test_a_class_far_from_any_border_is_certain_after_a_few_cohorts(error):
    assert is_settled(SLOPE, found(error, 12), 20)


def test_a_class_at_a_border_is_not():
    assert not is_settled(SLOPE, found(0.1 / 2.8, 8), 20)


def test_whoever_has_had_all_cohorts_is_settled():
    assert is_settled(SLOPE, found(0.1 / 2.8, 20), 20)


def test_what_more_than_a_fifth_of_all_cohorts_refused_is_refused_whatever_comes():
    assert not is_settled(SLOPE, found(0.01, 8, refused=4), 20)
    assert is_settled(SLOPE, found(0.01, 8, refused=5), 20)


@pytest.mark.parametrize("error", [0.01, 0.03, 0.0357, 0.05, 0.0714, 0.2])
def test_stopping_early_changes_the_class_of_at_most_one_card_in_fifty(error):
    changed, n = 0, 100
    for seed in range(n):
        whole = found(error, 20, seed)
        for size in (10, 12, 14, 16, 18):
            part = Simulated(whole.cohorts[:size], [])
            if is_settled(SLOPE, part, 20):
                changed += card(SLOPE, part).answer is not card(SLOPE, whole).answer
                break
    assert changed <= n / 50


def test_a_verdict_that_is_always_right_is_settled_and_one_that_is_right_three_times_in_four_is_not():
    assert is_verdict_settled(["no_effect"] * 12, ["fit"] * 12, POSITIVE, 20)
    assert not is_verdict_settled(["no_effect"] * 12, ["fit"] * 9 + ["undecided"] * 3, POSITIVE, 20)
    assert is_verdict_settled(["no_effect"] * 20, ["fit"] * 15 + ["undecided"] * 5, POSITIVE, 20)


def test_a_world_in_which_the_verdict_is_always_right_is_settled_while_the_other_goes_on():
    assert settled_worlds(["no_effect"] * 10, ["fit"] * 8 + ["undecided"] * 2, POSITIVE, 20) == (True, False)
    assert settled_worlds(["no_effect"] * 8 + ["fit"] * 2, ["fit"] * 10, POSITIVE, 20) == (False, True)
    assert settled_worlds(["refused"] + ["no_effect"] * 9, ["fit"] * 10, POSITIVE, 20) == (False, False)


def test_a_card_of_a_verdict_counts_each_world_by_the_cohorts_that_it_was_tried_in():
    made = verdict_card("verdict on satisfaction", ["no_effect"] * 10, ["fit"] * 14 + ["undecided"] * 6, POSITIVE)
    assert (made.n_cohorts, made.coverage, made.power) == (20, 1.0, 0.7)


@pytest.mark.parametrize(("right_null", "right_fit"), [(0.98, 0.8), (0.98, 0.55), (0.75, 0.9), (0.9, 0.3)])
def test_stopping_a_world_apart_changes_the_class_of_at_most_one_verdict_in_fifty(right_null, right_fit):
    rng, changed, n = np.random.default_rng(12), 0, 100
    for _ in range(n):
        whole = (
            np.where(rng.random(20) < right_null, "no_effect", "fit").tolist(),
            np.where(rng.random(20) < right_fit, "fit", "undecided").tolist(),
        )
        last = [20, 20]
        for size in (10, 12, 14, 16, 18):
            told = [one[: min(size, end)] for one, end in zip(whole, last, strict=True)]
            apart = settled_worlds(*told, POSITIVE, 20)
            last = [min(end, size) if done else end for end, done in zip(last, apart, strict=True)]
            if all(apart) or is_verdict_settled(*told, POSITIVE, 20):
                last = [min(end, size) for end in last]
                break
        told = [one[:end] for one, end in zip(whole, last, strict=True)]
        kept, full = (verdict_card("verdict on satisfaction", *one, POSITIVE) for one in (told, whole))
        changed += kept.answer is not full.answer
    assert changed <= n / 50


def test_a_verdict_that_is_refused_now_and_then_goes_on_and_one_that_mostly_is_does_not():
    assert not is_verdict_settled(["refused"] * 2 + ["no_effect"] * 6, ["fit"] * 8, POSITIVE, 20)
    assert is_verdict_settled(["refused"] * 8, ["refused"] * 8, POSITIVE, 20)


def test_models_are_fitted_until_all_that_they_give_is_settled():
    shared = next(names for names in PARTS.values() if len(names) > 2)
    assert set(tried([])) == set(EstimatorName)
    assert set(shared) <= tried(shared[1:])
    assert not set(shared) & tried(shared)


def test_a_card_counts_the_cohorts_in_which_its_estimator_was_tried():
    whole = found(0.01, 8)
    tried_on = [frozenset({"slope"})] * 5 + [frozenset()] * 3
    assert card(SLOPE, where_tried(whole, tried_on, "slope")).n_cohorts == 5


def test_very_large_cohorts_are_asked_for_what_has_no_closed_truth_and_for_that_alone():
    by_distance = (EstimatorName.TOO_LITTLE_DROPOUT, EstimatorName.TOO_MUCH_DROPOUT)
    satisfaction = {EstimatorName.TOO_LITTLE_SATISFACTION: -0.3, EstimatorName.TOO_MUCH_SATISFACTION: -0.3}
    told = _known_ahead(satisfaction | dict.fromkeys(by_distance, 0.1))
    assert {EstimatorName.WITHIN, EstimatorName.ALLIANCE, *satisfaction, *by_distance} <= told
    assert not told & {EstimatorName.REACTANCE, EstimatorName.DROPOUT_SO_FAR, EstimatorName.DROPOUT_RISK}
    untold = _known_ahead(satisfaction | dict.fromkeys(by_distance, math.nan))  # another definition of dropout
    assert told - untold == {*by_distance}
