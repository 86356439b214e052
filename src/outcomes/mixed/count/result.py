"""The frozen result of a mixed model of counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import scipy

from outcomes.mixed.count.families import NO_DISPERSION, mean_count
from outcomes.mixed.generalised.result import GeneralisedFit

SMALLEST_MEAN = 1e-130
"""Smallest mean count: its logarithm lies at the lower cut of the linear predictor."""


@dataclass(frozen=True, repr=False)
class CountFit(GeneralisedFit):
    """A fitted mixed model of counts.

    Parameters
    ----------
    family : str
        "poisson" or "negative_binomial".
    """

    family: str

    model_name = "Mixed model of counts"

    @property
    def likelihood(self) -> dict[str, object]:
        """What two fits must have in common for their likelihoods to be compared."""
        return {"kind of model": "counts", "number of quadrature nodes (nagq)": self.nagq, "family": self.family}

    @property
    def dispersion(self) -> float:
        """alpha of the variance mu + alpha mu^2; 0 for Poisson. R's theta is 1 / alpha."""
        state = self.engine_state
        own = state.psi[state.problem.model.layout.own]
        alpha = float(own @ own)
        return alpha if alpha >= NO_DISPERSION**2 else 0.0

    def dispersion_conf_int(self, level: float = 0.95) -> tuple[float, float]:
        """Wald interval of `dispersion` on the log scale; NaN where it is zero (Poisson, or at the boundary)."""
        if self.dispersion == 0:
            return np.nan, np.nan
        state = self.engine_state
        error = 2 * np.sqrt(state.covariance[0, 0]) / abs(state.psi[0])
        half = float(scipy.stats.norm.ppf((1 + level) / 2) * error)
        return self.dispersion * np.exp(-half), self.dispersion * np.exp(half)

    @property
    def own_rows(self) -> tuple[str, list[str], list[list[str]]] | None:
        """The dispersion, for the summary; None for Poisson."""
        if self.family == "poisson":
            return None
        low, high = self.dispersion_conf_int()
        row = ["alpha", f"{self.dispersion:.5g}", f"{low:.5g}", f"{high:.5g}"]
        return (
            "Negative binomial dispersion (variance mu + alpha mu^2)",
            ["", "estimate", "lower 95%", "upper 95%"],
            [row],
        )

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Expected count at a linear predictor."""
        return mean_count(eta)

    def slope_of(self, eta: np.ndarray) -> np.ndarray:
        """The same: the derivative of exp."""
        return mean_count(eta)

    def link_of(self, mean: np.ndarray) -> np.ndarray:
        """Linear predictor of an expected count."""
        return np.log(np.maximum(mean, SMALLEST_MEAN))

    def variance_of(self, mean: np.ndarray) -> np.ndarray:
        """mu + alpha mu^2."""
        return mean + self.dispersion * mean**2

    def draw(self, mean: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Counts with this mean: Poisson, its mean a gamma draw where there is dispersion."""
        alpha = self.dispersion
        rate = mean if alpha == 0 else mean * rng.gamma(1 / alpha, alpha, size=mean.shape)
        return rng.poisson(rate).astype(float)

    def tidy(self, level: float = 0.95) -> pl.DataFrame:
        """One row per fixed effect, as in `MixedFit.tidy`; beside it exp(estimate), the ratio of rates, with its
        limits."""
        return (
            super()
            .tidy(level)
            .with_columns(
                pl.col("estimate").exp().alias("rate_ratio"),
                pl.col("conf_low").exp().alias("rate_ratio_conf_low"),
                pl.col("conf_high").exp().alias("rate_ratio_conf_high"),
            )
        )

    @property
    def rate_ratios(self) -> pd.Series:
        """exp(beta): ratios of expected counts."""
        return np.exp(self.params).rename("rate_ratio")
