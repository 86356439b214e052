"""Synthetic cohorts with known truth."""

from outcomes.simulate.cohort import Cohort, simulate_cohort
from outcomes.simulate.parameters import CohortParameters
from outcomes.simulate.sources import write_sources
from outcomes.simulate.study import simulate_study

__all__ = ["Cohort", "CohortParameters", "simulate_cohort", "simulate_study", "write_sources"]
