"""Declared models, fitted to a release and kept in it as tables with their states."""

from outcomes.models.run import fit_models
from outcomes.models.state import FitState

__all__ = ["FitState", "fit_models"]
