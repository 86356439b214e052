"""The linear model's frozen result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import polars as pl
import scipy

from outcomes.errors import UsageError, no_such
from outcomes.methods.therapists.therapist_effects import variance_share
from outcomes.mixed.design.coding import Design
from outcomes.mixed.linear.modes import LinearModes
from outcomes.mixed.linear.places.shares import PooledLevels
from outcomes.mixed.linear.predict import predict_linear
from outcomes.mixed.linear.probed.search import Approximation
from outcomes.mixed.linear.satterthwaite import CovarianceGradient
from outcomes.mixed.verbs.fitted import FittedModel

ZERO_SD = 1e-4
"""Standard deviation relative to sigma below which a component counts as zero."""

WIDEST_LOG_SD = 10.0
"""Half width of a log standard deviation's interval above which the data say nothing by Wald's method."""


@dataclass(frozen=True, repr=False)
class LinearFit(FittedModel):
    """A fitted linear mixed model.

    Parameters
    ----------
    sigma : float
        Residual standard deviation, in the outcome's units.
    reml : bool
        True when fitted by restricted maximum likelihood.
    approximation : Approximation or None
        How far the estimates may be from the exact ones, where linked effects were too many for these (`status` is
        approximate then); None where the fit is exact.
    """

    sigma: float = np.nan
    reml: bool = True
    approximation: Approximation | None = None

    statistic_name = "t"

    @property
    def model_name(self) -> str:
        """Title of the summary."""
        return f"Linear mixed model fitted by {'REML' if self.reml else 'maximum likelihood'}"

    @property
    def design(self) -> Design | None:
        """The formula's columns over the data; None where another engine made the fit."""
        if not isinstance(self.conditional, LinearModes):
            return None
        return self.conditional.gram.design(self.formula)

    @property
    def likelihood(self) -> dict[str, object]:
        """What two fits must have in common for their likelihoods to be compared."""
        design = self.design
        return {"kind of model": "linear", "weights": None if design is None else design.weights}

    @property
    def outcome_sums(self) -> tuple[float, ...] | None:
        """Rows, and the outcome's mean and standard deviation; None with an offset, which is taken off it."""
        design = self.design
        if design is None or design.offset:
            return None
        gram = self.engine_state.gram
        at = gram.columns.index(design.outcome)
        mean = gram.center[at] + gram.total[0, at] / gram.total[0, 0]
        return float(gram.total[0, 0]), float(mean), float(gram.second_moments([design.outcome], about_mean=True)[0, 0])

    def draw(self, mean: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Outcomes with this mean and variance sigma^2 / weight."""
        return mean + self.sigma / np.sqrt(weights) * rng.standard_normal(mean.shape)

    @property
    def _knows_levels(self) -> bool:
        """Whether this engine made the fit, here or pooled."""
        return isinstance(self.conditional, LinearModes | PooledLevels)

    @property
    def engine_state(self) -> LinearModes | PooledLevels:
        """The cross-products and constants behind the fit.

        Raises
        ------
        UsageError
            When another engine made the fit.
        """
        if not self._knows_levels:
            raise UsageError(f"The engine {self.engine!r} does not support this.", 'fit with engine="outcomes"')
        return self.conditional

    @cached_property
    def covariance_gradient(self) -> CovarianceGradient:
        """Derivatives behind Satterthwaite's degrees of freedom."""
        return self.engine_state.covariance_gradient(self.optimizer.hessian, self.vcov, reml=self.reml)

    @cached_property
    def df_denom(self) -> pd.Series:
        """Satterthwaite's denominator degrees of freedom of each fixed effect."""
        if not self._knows_levels:
            return super().df_denom
        eye = np.eye(len(self.names))
        return pd.Series([self.covariance_gradient.df(row) for row in eye], index=list(self.names), name="df_denom")

    def ddf(self, L: np.ndarray) -> float:
        """Satterthwaite's denominator degrees of freedom of the joint test of L @ beta, L of shape (q, p)."""
        if not self._knows_levels:
            return np.inf
        return self.covariance_gradient.df_joint(L)

    def icc(self, group: str) -> float:
        """Intraclass correlation: the group's variance over all variances, the residual's included.

        Random slopes enter by their mean variance over the rows (Johnson 2014, doi 10.1111/2041-210X.12225).

        Raises
        ------
        UsageError
            When the model has no such grouping factor, or another engine made the fit.
        """
        by_group = self._mean_variances()
        if group not in by_group:
            raise no_such("grouping factor of the model", group, by_group)
        others = [variance for name, variance in by_group.items() if name != group]
        return variance_share(by_group[group], *others, self.sigma**2)

    def sd_conf_int(self, level: float = 0.95) -> pl.DataFrame:
        """Wald intervals of the standard deviations on the log scale: group, name, sd, conf_low, conf_high; sigma last.

        Limits are missing for components estimated as zero, or nearly; `profile_intervals` or the bootstrap serve then.
        """
        state = self.engine_state
        rows, gradients = [], []
        for factor, part in zip(state.problem.factors, state.problem.slices, strict=True):
            back = np.linalg.inv(factor.to_work)
            relative = back @ factor.relative_factor(state.theta[part])
            for a, name in enumerate(factor.names):
                rho = float(np.linalg.norm(relative[a]))
                gradient = np.append(np.zeros(len(state.theta)), 0.5)  # log sd = log rho(theta) + log sigma
                if rho > ZERO_SD:
                    gradient[part] = np.outer(back[a], relative[a])[factor.rows, factor.cols] / rho**2
                rows.append((":".join(factor.group), name, rho * self.sigma, rho > ZERO_SD))
                gradients.append(gradient)
        rows.append(("Residual", "sigma", self.sigma, True))
        gradients.append(np.append(np.zeros(len(state.theta)), 0.5))
        cov = self.covariance_gradient.parameter_cov
        half = scipy.stats.norm.ppf((1 + level) / 2) * np.sqrt(np.einsum("ij,jk,ik->i", gradients, cov, gradients))
        limits = [
            (row[2] * np.exp(-h), row[2] * np.exp(h)) if row[3] and h < WIDEST_LOG_SD else (None, None)
            for row, h in zip(rows, half, strict=True)
        ]
        schema = {"group": pl.String, "name": pl.String} | dict.fromkeys(("sd", "conf_low", "conf_high"), pl.Float64)
        return pl.DataFrame(
            [(*row[:3], *limit) for row, limit in zip(rows, limits, strict=True)], schema=schema, orient="row"
        )

    def r2(self) -> dict[str, float]:
        """Marginal and conditional R2 (Nakagawa & Schielzeth 2013, doi 10.1111/j.2041-210x.2012.00261.x)."""
        gram = self.engine_state.gram
        sql = gram.design(self.formula).columns
        fixed = float(self.beta @ gram.second_moments([sql[n] for n in self.names], about_mean=True) @ self.beta)
        random = sum(self._mean_variances().values())
        total = fixed + random + self.sigma**2
        return {"marginal": fixed / total, "conditional": (fixed + random) / total}

    predict = predict_linear

    def _mean_variances(self) -> dict[str, float]:
        """Mean variance over the rows that each group contributes."""
        gram = self.engine_state.gram
        sql = gram.design(self.formula).columns
        variances = dict.fromkeys(self.n_groups, 0.0)
        for block in self.variances:
            moments = gram.second_moments([sql[name] for name in block.names], about_mean=False)
            variances[block.group] += float(np.sum(block.cov * moments))
        return variances
