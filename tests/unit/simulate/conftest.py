"""One large cohort for all calibration tests, one small cohort for the others."""

from __future__ import annotations

import pytest

from outcomes.simulate import Cohort, CohortParameters, simulate_cohort


@pytest.fixture(scope="session")
def large_cohort() -> Cohort:
    return simulate_cohort(CohortParameters(clients=30_000, therapists=600), seed=1)


@pytest.fixture(scope="session")
def small_cohort() -> Cohort:
    return simulate_cohort(CohortParameters(clients=500, therapists=30), seed=5)
