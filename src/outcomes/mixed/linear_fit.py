"""The linear model's frozen result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from outcomes.errors import UsageError
from outcomes.mixed.modes import LinearModes
from outcomes.mixed.results import MixedFit
from outcomes.mixed.satterthwaite import CovarianceGradient, covariance_gradient


@dataclass(frozen=True)
class LinearFit(MixedFit):
    """A fitted linear mixed model.

    Parameters
    ----------
    sigma : float
        Residual standard deviation, in the outcome's units.
    reml : bool
        True when fitted by restricted maximum likelihood.
    """

    sigma: float = np.nan
    reml: bool = True

    statistic_name = "t"

    @property
    def model_name(self) -> str:
        """Title of the summary."""
        return f"Linear mixed model fitted by {'REML' if self.reml else 'maximum likelihood'}"

    @property
    def engine_state(self) -> LinearModes:
        """The cross-products and constants behind the fit.

        Raises
        ------
        UsageError
            When another engine made the fit.
        """
        if not isinstance(self.conditional, LinearModes):
            raise UsageError(f"The engine {self.engine!r} does not support this.", 'fit with engine="outcomes"')
        return self.conditional

    @cached_property
    def covariance_gradient(self) -> CovarianceGradient:
        """Derivatives behind Satterthwaite's degrees of freedom."""
        state = self.engine_state
        return covariance_gradient(state.problem, state.theta, self.optimizer.hessian, self.vcov, reml=self.reml)

    @cached_property
    def df_denom(self) -> pd.Series:
        """Satterthwaite's denominator degrees of freedom of each fixed effect."""
        if not isinstance(self.conditional, LinearModes):
            return super().df_denom
        eye = np.eye(len(self.names))
        return pd.Series([self.covariance_gradient.df(row) for row in eye], index=list(self.names), name="df")

    def ddf(self, L: np.ndarray) -> float:
        """Satterthwaite's denominator degrees of freedom of the joint test of L @ beta, L of shape (q, p)."""
        if not isinstance(self.conditional, LinearModes):
            return np.inf
        return self.covariance_gradient.df_joint(L)
