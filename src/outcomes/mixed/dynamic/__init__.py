"""Guidance and satisfaction as two outcomes in time: an answer that survives therapists who respond."""

from outcomes.mixed.dynamic.fit import fit_dynamic
from outcomes.mixed.dynamic.results import (
    CARRY_OVER_OF_GUIDANCE,
    CARRY_OVER_OF_SATISFACTION,
    NEXT_SESSION_SLOPE,
    RESPONSIVENESS,
    DynamicFit,
)

__all__ = [
    "CARRY_OVER_OF_GUIDANCE",
    "CARRY_OVER_OF_SATISFACTION",
    "NEXT_SESSION_SLOPE",
    "RESPONSIVENESS",
    "DynamicFit",
    "fit_dynamic",
]
