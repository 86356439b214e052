"""What the results of all generalised mixed models have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.generalised.predict import predict_mean
from outcomes.mixed.generalised.state import State
from outcomes.mixed.verbs.fitted import FittedModel


@dataclass(frozen=True, repr=False)
class GeneralisedFit(FittedModel):
    """A fitted generalised mixed model.

    Parameters
    ----------
    nagq : int
        1 for Laplace, otherwise the number of quadrature nodes of a dimension.
    state : State or None
        The engine's own; None where another engine made the fit.

    Notes
    -----
    `vcov` is from the Hessian of the deviance over all parameters: the fixed effects, the covariance parameters and
    those of the family.
    """

    nagq: int
    state: State | None = field(repr=False)

    @property
    def design(self) -> Design | None:
        """The formula's columns over the data; None where another engine made the fit."""
        return None if self.state is None else self.state.problem.design

    @property
    def outcome_sums(self) -> tuple[float, ...] | None:
        """The part of the likelihood that no parameter changes (log binomial coefficients, log factorials)."""
        return None if self.state is None else (self.state.problem.constant,)

    def sd_conf_int(self, level: float = 0.95) -> pl.DataFrame:
        """Wald intervals of the standard deviations on the log scale: group, name, sd, conf_low, conf_high.

        Limits are missing for components estimated as zero; a parametric bootstrap serves there.
        """
        state = self.engine_state
        psi = state.psi
        sd = state.random_sd(psi)
        jacobian = np.zeros((sd.size, psi.size))
        for j in range(*state.problem.model.layout.theta.indices(psi.size)):
            step = np.zeros(psi.size)
            step[j] = 1e-5 * max(abs(psi[j]), 1e-3)
            jacobian[:, j] = (state.random_sd(psi + step) - state.random_sd(psi - step)) / (2 * step[j])
        error = np.sqrt(np.einsum("ij,jk,ik->i", jacobian, state.covariance, jacobian))
        half = scipy.stats.norm.ppf((1 + level) / 2) * np.divide(
            error, sd, out=np.full_like(sd, np.nan), where=sd > 1e-3
        )
        factors = state.problem.model.blocks.factors
        effects = state.problem.coordinates.effects
        labels = [(f.name, name) for f, names in zip(factors, effects, strict=True) for name in names]
        return pl.DataFrame(
            {
                "group": [group for group, _ in labels],
                "name": [name for _, name in labels],
                "sd": sd,
                "conf_low": sd * np.exp(-half),
                "conf_high": sd * np.exp(half),
            }
        ).with_columns(pl.col("conf_low", "conf_high").fill_nan(None))

    predict = predict_mean

    def _mean_variances(self) -> dict[str, float]:
        """Mean variance over the rows that each group contributes on the link's scale."""
        coordinates = self.engine_state.problem.coordinates
        factors = self.state.problem.model.blocks.factors
        return {
            factor.name: sum(
                float((block.cov * coordinates.z_moments[a][np.ix_(at, at)]).sum())
                for block in self.variances
                if block.group == factor.name
                for at in [[coordinates.effects[a].index(name) for name in block.names]]
            )
            for a, factor in enumerate(factors)
        }

    @property
    def engine_state(self) -> State:
        """The engine's own state.

        Raises
        ------
        UsageError
            When another engine made the fit.
        """
        if self.state is None:
            raise UsageError(f"The engine {self.engine!r} does not give this.", "fit with engine='outcomes'")
        return self.state
