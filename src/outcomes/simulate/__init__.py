"""Synthetic cohorts with known truth."""

from outcomes.simulate.faults.mess import Mess, write_messy_sources
from outcomes.simulate.sources import write_sources
from outcomes.simulate.study import simulate_study
from outcomes.simulate.world.cohort import Cohort, simulate_cohort
from outcomes.simulate.world.contrasts import Contrast, contrasts
from outcomes.simulate.world.dropout_truths import with_dropout_truth
from outcomes.simulate.world.parameters import CohortParameters, Slopes, with_worlds
from outcomes.simulate.world.truth import SlopeTruth, attenuated_slopes, slope_truth
from outcomes.simulate.world.truths import dropout_truth, with_truth
from outcomes.simulate.world.worlds import World, combine_worlds
from outcomes.truths import DropoutTruth, Truth, WorldName

__all__ = [
    "Cohort",
    "CohortParameters",
    "Contrast",
    "DropoutTruth",
    "Mess",
    "SlopeTruth",
    "Slopes",
    "Truth",
    "World",
    "WorldName",
    "attenuated_slopes",
    "combine_worlds",
    "contrasts",
    "dropout_truth",
    "simulate_cohort",
    "simulate_study",
    "slope_truth",
    "with_dropout_truth",
    "with_truth",
    "with_worlds",
    "write_messy_sources",
    "write_sources",
]
