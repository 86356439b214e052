"""Least squares on orthonormal columns are statsmodels' own on the columns as given."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from outcomes.errors import FitRefused
from outcomes.methods.inference.robust_ols import robust_ols


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, columns of very different sizes, clusters, weights."""
    rng = np.random.default_rng(3)
    x = rng.normal(50, 5, 400)
    design = np.column_stack([np.ones(400), x, x**2 / 1e3, rng.normal(0, 1e-3, 400)])
    clusters = np.repeat(np.arange(40), 10)
    outcome = 0.2 * x + rng.normal(size=40)[clusters] + rng.normal(size=400)
    return outcome, design, clusters, rng.uniform(0.5, 2.0, 400)


@pytest.mark.parametrize("is_weighted", [True, False])
@pytest.mark.parametrize("is_clustered", [True, False])
def test_estimates_and_errors_are_those_of_statsmodels(rows, is_weighted, is_clustered):
    outcome, design, clusters, weights = rows
    model = sm.WLS(outcome, design, weights=weights if is_weighted else 1.0)
    kinds = {"cov_type": "cluster", "cov_kwds": {"groups": clusters}} if is_clustered else {"cov_type": "HC3"}
    theirs = model.fit(**kinds)
    ours = robust_ols(outcome, design, clusters if is_clustered else None, weights if is_weighted else None)
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params(), rtol=1e-5)


def test_dependent_columns_are_refused(rows):
    outcome, design, clusters, _ = rows
    with pytest.raises(FitRefused, match="linearly dependent"):
        robust_ols(outcome, np.column_stack([design, design[:, 1] - design[:, 3]]), clusters)
