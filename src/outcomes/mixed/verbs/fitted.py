"""The verbs as methods of a fit: a table of contents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.mixed.results.fit import MixedFit
from outcomes.mixed.verbs.charts import plot_diagnostics, plot_effects, plot_random_effects
from outcomes.mixed.verbs.effects import comparisons, predictions, slopes
from outcomes.mixed.verbs.rows import fitted_values, residuals
from outcomes.mixed.verbs.simulate import simulate
from outcomes.mixed.verbs.terms import term_tests


@dataclass(frozen=True, repr=False)
class FittedModel(MixedFit):
    """A fit by the engine, with everything that can be asked of it.

    A family says how the expected outcome follows from the linear predictor (`mean_of`, `slope_of`), how an outcome
    varies about it (`variance_of`) and how one is drawn (`draw`).
    """

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Expected outcome at a linear predictor."""
        return eta

    def slope_of(self, eta: np.ndarray) -> np.ndarray:
        """Derivative of the expected outcome by the linear predictor."""
        step = 1e-5
        return (self.mean_of(eta + step) - self.mean_of(eta - step)) / (2 * step)

    def variance_of(self, mean: np.ndarray) -> np.ndarray:
        """Variance of an outcome of weight 1, over the dispersion."""
        return np.ones_like(mean)

    def draw(self, mean: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Outcomes with this mean."""
        raise NotImplementedError

    def variance_at(self, eta: np.ndarray) -> np.ndarray:
        """Variance of an outcome of weight 1 at a linear predictor."""
        return self.variance_of(self.mean_of(eta))

    def draw_at(self, eta: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Outcomes at a linear predictor."""
        return self.draw(self.mean_of(eta), weights, rng)

    def gradient_of(self, eta: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Derivatives (n, l) of the expected outcome by the location: beta, and thresholds before it."""
        return self.slope_of(eta)[:, None] * X

    @property
    def location_cov(self) -> np.ndarray:
        """Covariance (l, l) of the location."""
        return self.vcov

    @property
    def fittedvalues(self) -> pl.Series:
        """Expected outcomes at the conditional modes, one per row of the data; missing for rows left out."""
        return fitted_values(self)

    resid = residuals
    simulate = simulate
    predictions = predictions
    comparisons = comparisons
    slopes = slopes
    test_terms = term_tests
    plot_diagnostics = plot_diagnostics
    plot_random_effects = plot_random_effects
    plot_effects = plot_effects
