"""Rubin's rules against the worked output in the documentation of the R package mice, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from outcomes.errors import UsageError
from outcomes.methods.missing.rubins_rules import pool_imputations

# mice, help page of pool.scalar (5 imputations of body mass index in nhanes)
ESTIMATES = [26.764, 26.748, 27.024, 27.340, 26.436]
VARIANCES = [17.85490, 19.11677, 20.61440, 21.05750, 15.16990]


def test_the_worked_example_of_mice_comes_out():
    ours = pool_imputations(ESTIMATES, VARIANCES)
    assert ours.pooled.value == pytest.approx(26.8624, abs=1e-6)
    assert ours.within == pytest.approx(18.76269, abs=1e-5)
    assert ours.between == pytest.approx(0.1147008, abs=1e-6)
    assert ours.pooled.std_error**2 == pytest.approx(18.90033, abs=1e-5)
    assert ours.increase == pytest.approx(0.007335885, abs=1e-7)
    assert ours.pooled.df == pytest.approx(75422.96, rel=1e-4)
    assert ours.missing_information == pytest.approx(0.007308785, abs=1e-7)


def test_degrees_of_freedom_never_exceed_those_of_the_complete_data():
    # Barnard & Rubin by hand: 1 / (1/75422.96 + 1/((31/33) 30 (1 - lambda)))
    ours = pool_imputations(ESTIMATES, VARIANCES, df_complete=30)
    share = 1.2 * ours.between / ours.pooled.std_error**2
    observed = 31 / 33 * 30 * (1 - share)
    assert ours.pooled.df == pytest.approx(1 / (1 / 75422.96 + 1 / observed), rel=1e-5)
    assert pool_imputations([1.0, 1.0], [2.0, 2.0], df_complete=30).pooled.df == pytest.approx(31 / 33 * 30)


def test_intervals_of_a_mean_with_missing_values_cover_it():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(400):
        y = rng.normal(size=40)
        seen = y[:24]
        completed = []
        for _ in range(20):
            sigma2 = seen.var(ddof=1) * 23 / rng.chisquare(23)
            mean = rng.normal(seen.mean(), np.sqrt(sigma2 / 24))
            completed.append(np.concatenate([seen, rng.normal(mean, np.sqrt(sigma2), 16)]))
        pooled = pool_imputations(
            [one.mean() for one in completed], [one.var(ddof=1) / 40 for one in completed], df_complete=39
        ).pooled
        hits += pooled.conf_low <= 0 <= pooled.conf_high
    low, high = stats.binom.ppf([0.005, 0.995], 400, 0.95)
    assert low <= hits <= high


def test_what_cannot_be_pooled_is_refused():
    with pytest.raises(UsageError, match="at least two"):
        pool_imputations([1.0], [1.0])
    with pytest.raises(UsageError, match="positive variance"):
        pool_imputations([1.0, 2.0], [1.0, 0.0])
