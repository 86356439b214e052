"""Agreement of coders against published examples."""

import krippendorff
import numpy as np
import pytest

from outcomes.scoring.agreement import cohens_kappa, interval_alpha, krippendorffs_alpha, reliability_of_means

NAN = np.nan
# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


def test_alpha_is_that_of_krippendorffs_own_example():
    assert krippendorffs_alpha(KRIPPENDORFF) == pytest.approx(0.743, abs=5e-4)
    assert interval_alpha(KRIPPENDORFF) == pytest.approx(0.849, abs=5e-4)


def test_alpha_for_intervals_is_that_of_the_package_where_the_package_has_room_for_it():
    rng = np.random.default_rng(4)
    ratings = rng.integers(0, 6, (3, 40)) + rng.integers(0, 9, 40)
    ratings = np.where(rng.random(ratings.shape) < 0.2, NAN, ratings)
    theirs = krippendorff.alpha(reliability_data=ratings, level_of_measurement="interval")
    assert interval_alpha(ratings) == pytest.approx(theirs, rel=1e-9)


def test_kappa_is_that_of_a_table_of_fifty_with_twenty_yes_and_fifteen_no_together():
    # The usual textbook table: 20 both yes, 5 and 10 apart, 15 both no: observed .7, by chance .5, kappa .4.
    one = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15
    other = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohens_kappa([one, other]) == pytest.approx(0.4)


def test_kappa_of_three_coders_is_the_mean_over_pairs():
    one, other, third = [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]
    assert cohens_kappa([one, other, third]) == pytest.approx((0.5 + 1 + 0.5) / 3)


@pytest.mark.parametrize("codes", [np.empty((0, 0)), [[1, 0, 1]], [[1, NAN], [NAN, 1]], [[1, 1], [1, 1]]])
def test_nothing_is_told_of_coders_who_share_nothing_or_use_one_code(codes):
    assert cohens_kappa(codes) is None
    assert krippendorffs_alpha(codes) is None
    assert interval_alpha(codes) is None


def test_the_mean_of_two_coders_is_more_reliable_than_one_by_spearman_and_brown():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=4000)
    ratings = truth + rng.normal(size=(2, 4000))
    assert interval_alpha(ratings) == pytest.approx(0.5, abs=0.03)
    assert reliability_of_means(ratings) == pytest.approx(2 / 3, abs=0.03)


def test_coders_who_contradict_each_other_have_no_reliability_and_one_session_tells_nothing():
    assert reliability_of_means([[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]) == 0
    assert reliability_of_means([[0.2], [0.4]]) is None
    assert reliability_of_means(np.empty((0, 0))) is None
