"""Synthetic cohorts with known truth."""

from outcomes.simulate.cohort import Cohort, simulate_cohort
from outcomes.simulate.mess import Mess, write_messy_sources
from outcomes.simulate.parameters import CohortParameters, Slopes
from outcomes.simulate.sources import write_sources
from outcomes.simulate.study import simulate_study
from outcomes.simulate.truth import SlopeTruth, attenuated_slopes, slope_truth
from outcomes.simulate.truths import Truth, dropout_truth, with_truth

__all__ = [
    "Cohort",
    "CohortParameters",
    "Mess",
    "SlopeTruth",
    "Slopes",
    "Truth",
    "attenuated_slopes",
    "dropout_truth",
    "simulate_cohort",
    "simulate_study",
    "slope_truth",
    "with_truth",
    "write_messy_sources",
    "write_sources",
]
