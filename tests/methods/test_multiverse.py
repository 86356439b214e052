from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from outcomes.errors import FitRefused, UsageError
from outcomes.methods.inference.multiverse import max_t_inference, permute_within, sign_flip_inference


def test_one_specification_agrees_with_scipys_sign_flip_test():
    values = np.random.default_rng(1).normal(0.35, 1, size=24)
    expected = stats.permutation_test(
        (values,),
        lambda v, axis: np.abs(v.sum(axis=axis)),
        permutation_type="samples",
        n_resamples=100_000,
        alternative="greater",
        vectorized=True,
        rng=np.random.default_rng(2),
    )
    ours = sign_flip_inference(values[:, None], np.random.default_rng(3), n_flips=100_000)
    assert ours.p_value[0] == pytest.approx(expected.pvalue, abs=0.004)


def test_max_t_by_hand():
    # Observed 3 and 1; five resamples. Adjusted: largest of both for the first, the second alone after it.
    resampled = np.array([[0.5, 0.2], [3.5, 0.1], [0.1, 3.1], [0.2, 1.5], [0.3, 0.4]])
    ours = max_t_inference([3.0, -1.0], resampled)
    assert ours.p_value == pytest.approx([2 / 6, 3 / 6])
    assert ours.p_adjusted == pytest.approx([3 / 6, 3 / 6])
    assert ours.p_global == pytest.approx(3 / 6)
    assert ours.statistic.tolist() == [3.0, -1.0]


def test_identical_specifications_cost_nothing():
    scores = np.random.default_rng(4).normal(0.2, 1, size=(60, 1))
    alone = sign_flip_inference(scores, np.random.default_rng(5))
    many = sign_flip_inference(np.repeat(scores, 30, axis=1), np.random.default_rng(5))
    assert many.p_adjusted == pytest.approx(np.full(30, alone.p_value[0]))


def test_without_an_effect_any_claim_comes_out_in_one_study_of_twenty():
    rng = np.random.default_rng(6)
    claims = 0
    for _ in range(600):
        scores = rng.normal(size=(40, 1)) + 0.7 * rng.normal(size=(40, 8))
        claims += sign_flip_inference(scores, rng, n_flips=199).p_global <= 0.05
    assert claims / 600 == pytest.approx(0.05, abs=0.025)


def test_an_effect_in_some_specifications_is_found_in_those():
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(200, 4)) + np.array([0.5, 0.5, 0.0, 0.0])
    adjusted = sign_flip_inference(scores, rng).p_adjusted
    assert (adjusted[:2] < 0.01).all()
    assert (adjusted[2:] > 0.01).all()


def test_a_shuffle_moves_no_row_to_another_client():
    rng = np.random.default_rng(8)
    client = rng.integers(0, 40, 500)
    order = permute_within(client, rng)
    assert sorted(order) == list(range(500))
    assert (client[order] == client).all()
    assert (order != np.arange(500)).any()


def test_all_orders_within_a_client_are_equally_likely():
    rng = np.random.default_rng(9)
    orders = [tuple(permute_within(["a", "b", "a", "a"], rng)) for _ in range(6000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert counts.size == 6
    assert stats.chisquare(counts).pvalue > 0.001


def test_clients_with_one_session_stay_where_they_are():
    assert permute_within([3, 1, 2], np.random.default_rng(10)).tolist() == [0, 1, 2]


def test_few_clients_and_empty_specifications_are_refused():
    rng = np.random.default_rng(11)
    with pytest.raises(FitRefused, match="19 clients"):
        sign_flip_inference(np.ones((19, 2)), rng)
    with pytest.raises(FitRefused, match="1 specifications"):
        sign_flip_inference(np.column_stack([np.ones(30), np.zeros(30)]), rng)


def test_a_refused_specification_does_not_slip_into_the_joint_test():
    with pytest.raises(UsageError, match="missing"):
        max_t_inference([1.0, np.nan], np.zeros((9, 2)))


def test_a_smaller_statistic_never_gets_a_smaller_adjusted_p_value():
    # Step-down alone would give the second 1/5, below the first's 3/5.
    resampled = np.array([[3.5, 0.1], [3.2, 0.2], [0.1, 0.3], [0.2, 0.4]])
    assert max_t_inference([3.0, 2.9], resampled).p_adjusted == pytest.approx([3 / 5, 3 / 5])


def test_the_unit_of_a_specification_does_not_matter():
    scores = np.random.default_rng(12).normal(0.2, 1, size=(50, 3))
    plain = sign_flip_inference(scores, np.random.default_rng(13))
    rescaled = sign_flip_inference(scores * np.array([1.0, 1000.0, 0.001]), np.random.default_rng(13))
    assert rescaled.p_adjusted == pytest.approx(plain.p_adjusted)
    assert rescaled.statistic == pytest.approx(plain.statistic)
