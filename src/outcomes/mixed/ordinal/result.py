"""The frozen result of a cumulative link mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import scipy

from outcomes.errors import UsageError, no_such
from outcomes.mixed.generalised.result import GeneralisedFit
from outcomes.mixed.ordinal.intervals import CumulativeLink
from outcomes.mixed.ordinal.predict import predict_categories


@dataclass(frozen=True, repr=False)
class OrdinalFit(GeneralisedFit):
    """A fitted cumulative link mixed model.

    Parameters
    ----------
    link : CumulativeLink
    categories : tuple
        The outcome's values from low to high.
    threshold_kind : str
        "flexible" or "equidistant".

    Notes
    -----
    Where a verb needs a number for the outcome, a category counts by its position, 1 for the lowest: fitted values and
    `predictions` are expected positions, `simulate` draws positions.
    """

    link: CumulativeLink
    categories: tuple[Any, ...]
    threshold_kind: str

    model_name = "Cumulative link mixed model"

    @property
    def likelihood(self) -> dict[str, object]:
        """What two fits must have in common for their likelihoods to be compared."""
        return {
            "kind of model": "ordinal",
            "link": str(self.link),
            "number of quadrature nodes (nagq)": self.nagq,
            "categories": self.categories,
        }

    @cached_property
    def location_map(self) -> np.ndarray:
        """d(tau, beta)/dpsi, shape (K - 1 + p, P): thresholds and effects on the formula's columns."""
        state = self.engine_state
        layout, coordinates = state.problem.model.layout, state.problem.coordinates
        J = state.problem.model.family.map
        out = np.zeros((len(J) + len(self.names), layout.size))
        out[: len(J), layout.own] = J
        out[: len(J), layout.beta] = coordinates.shift
        out[len(J) :, layout.beta] = coordinates.fixed
        return out

    @property
    def location_cov(self) -> np.ndarray:
        """Covariance of (tau, beta), shape (K - 1 + p, K - 1 + p)."""
        return self.location_map @ self.engine_state.covariance @ self.location_map.T

    @cached_property
    def tau(self) -> np.ndarray:
        """Thresholds, shape (K - 1,)."""
        return (self.location_map @ self.engine_state.psi)[: len(self.categories) - 1]

    def thresholds(self, level: float = 0.95) -> pl.DataFrame:
        """The thresholds: threshold (``1|2``), estimate, std_error, conf_low, conf_high (Wald)."""
        n = len(self.tau)
        error = np.sqrt(np.diag(self.location_cov)[:n])
        half = scipy.stats.norm.ppf((1 + level) / 2) * error
        names = [f"{low}|{high}" for low, high in zip(self.categories[:-1], self.categories[1:], strict=True)]
        return pl.DataFrame(
            {
                "threshold": names,
                "estimate": self.tau,
                "std_error": error,
                "conf_low": self.tau - half,
                "conf_high": self.tau + half,
            }
        )

    @property
    def own_rows(self) -> tuple[str, list[str], list[list[str]]]:
        """The thresholds, for the summary."""
        rows = [
            [row["threshold"], f"{row['estimate']:.5g}", f"{row['std_error']:.4g}"]
            for row in self.thresholds().iter_rows(named=True)
        ]
        return f"Thresholds ({self.threshold_kind}, {self.link})", ["", "estimate", "std_error"], rows

    def _limits(self, eta: np.ndarray) -> np.ndarray:
        """tau - eta, shape (n, K - 1)."""
        return self.tau - np.asarray(eta)[:, None]

    def probabilities_of(self, eta: np.ndarray) -> np.ndarray:
        """Probabilities (n, K) of the categories at a linear predictor."""
        below = self.link.below(self._limits(eta))
        return np.diff(below, axis=1, prepend=0.0, append=1.0)

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Expected position, 1 to K."""
        return 1 + (1 - self.link.below(self._limits(eta))).sum(axis=1)

    def slope_of(self, eta: np.ndarray) -> np.ndarray:
        """Derivative of the expected position by the linear predictor."""
        return self.link.density(self._limits(eta)).sum(axis=1)

    def gradient_of(self, eta: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Derivatives of the expected position by (tau, beta)."""
        density = self.link.density(self._limits(eta))
        return np.hstack([-density, density.sum(axis=1)[:, None] * X])

    def variance_at(self, eta: np.ndarray) -> np.ndarray:
        """Variance of the position."""
        place = np.arange(1, len(self.categories) + 1)
        p = self.probabilities_of(eta)
        return p @ place**2 - (p @ place) ** 2

    def draw_at(self, eta: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Positions of drawn categories."""
        below = self.link.below(self._limits(eta))
        return 1.0 + (rng.random(len(eta))[:, None] > below).sum(axis=1)

    predict = predict_categories

    def tidy(self, level: float = 0.95) -> pl.DataFrame:
        """One row per fixed effect, as in `MixedFit.tidy`; with the logit link exp(estimate) beside it, the ratio of
        the odds of a higher category, with its limits. The thresholds are in `thresholds`."""
        frame = super().tidy(level)
        if self.link.ratio is None:
            return frame
        name = self.link.ratio
        return frame.with_columns(
            pl.col("estimate").exp().alias(name),
            pl.col("conf_low").exp().alias(f"{name}_conf_low"),
            pl.col("conf_high").exp().alias(f"{name}_conf_high"),
        )

    @property
    def odds_ratios(self) -> pd.Series:
        """exp(beta): ratios of the odds of a higher category.

        Raises
        ------
        UsageError
            With the probit link.
        """
        if self.link.ratio is None:
            raise UsageError(f"The link {self.link} has no ratios.", "compare predicted probabilities")
        return np.exp(self.params).rename(self.link.ratio)

    def icc(self, group: str) -> float:
        """Latent intraclass correlation: the group's variance over all variances plus the latent residual's."""
        by_group = self._mean_variances()
        if group not in by_group:
            raise no_such("grouping factor of the model", group, by_group)
        return by_group[group] / (sum(by_group.values()) + self.link.latent_variance)
