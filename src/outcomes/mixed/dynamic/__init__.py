"""Guidance and satisfaction as two outcomes in time: an answer that survives therapists who respond."""

from outcomes.mixed.dynamic.fit import fit_dynamic
from outcomes.mixed.dynamic.results import DynamicFit

__all__ = ["DynamicFit", "fit_dynamic"]
