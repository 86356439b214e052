"""The frozen result of a binomial mixed model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import polars as pl
from scipy import stats

from outcomes.errors import UsageError
from outcomes.methods.therapists.therapist_effects import median_odds_ratio
from outcomes.mixed.binomial_problem import Problem
from outcomes.mixed.laplace import Mode
from outcomes.mixed.links import LINKS
from outcomes.mixed.results import MixedFit, Modes


@dataclass(frozen=True)
class BinomialState:
    """What the engine keeps for later questions: the problem, psi and its covariance in working coordinates, the
    modes."""

    problem: Problem
    psi: np.ndarray
    covariance: np.ndarray
    mode: Mode

    def modes(self, group: str) -> Modes:
        """Conditional modes of one grouping factor on the formula's columns; covariance given beta and theta."""
        blocks, coordinates = self.problem.model.blocks, self.problem.coordinates
        a = [factor.name for factor in blocks.factors].index(group)
        back = np.linalg.inv(coordinates.random[a]) @ self.mode.lambdas[a]
        return Modes(
            labels=coordinates.groups[a].labels.alias(group),
            names=coordinates.effects[a],
            mode=self.mode.u[a] @ back.T,
            cond_cov=back @ self.mode.inner.diagonal(a) @ back.T,
        )

    def random_sd(self, psi: np.ndarray) -> np.ndarray:
        """Standard deviations of all effects, factor by factor, at psi."""
        model, coordinates = self.problem.model, self.problem.coordinates
        theta = psi[model.p :]
        return np.concatenate(
            [
                np.sqrt(np.diag(coordinates.covariance(a, factor, theta[model.blocks.theta_slices[a]])))
                for a, factor in enumerate(model.blocks.factors)
            ]
        )


@dataclass(frozen=True)
class BinomialFit(MixedFit):
    """A fitted binomial mixed model.

    Parameters
    ----------
    link : {"logit", "cloglog"}
    nagq : int
        1 for Laplace, otherwise the number of quadrature nodes.
    trials : str or None
        Column with the number of trials.
    state : BinomialState or None
        The engine's own; None with engine="statsmodels".

    Notes
    -----
    `vcov` is from the exact Hessian over (beta, theta). The latent residual variance is pi^2/3 (logit) or pi^2/6
    (cloglog).
    """

    link: str
    nagq: int
    trials: str | None
    state: BinomialState | None = field(repr=False)

    model_name = "Binomial mixed model"

    def tidy(self, alpha: float = 0.05) -> pl.DataFrame:
        """One row a fixed effect, as in `MixedFit.tidy`, with odds ratios (logit) or hazard ratios (cloglog) and
        their limits."""
        name = "odds_ratio" if self.link == "logit" else "hazard_ratio"
        frame = super().tidy(alpha)
        return frame.with_columns(
            pl.col("estimate").exp().alias(name),
            pl.col("lower").exp().alias(f"{name}_lower"),
            pl.col("upper").exp().alias(f"{name}_upper"),
        )

    @property
    def odds_ratios(self) -> pd.Series:
        """exp(beta): odds ratios (logit) or hazard ratios (cloglog)."""
        return np.exp(self.params).rename("odds_ratio" if self.link == "logit" else "hazard_ratio")

    def icc(self, group: str) -> float:
        """Latent intraclass correlation: the group's variance over all variances plus the latent residual's.

        Random slopes enter by their mean variance over the rows (Johnson 2014, doi 10.1111/2041-210X.12225).
        """
        by_group = self._mean_variances()
        if group not in by_group:
            raise UsageError(f"The model has no grouping factor {group!r}.", "it has " + ", ".join(by_group))
        return by_group[group] / (sum(by_group.values()) + LINKS[self.link].latent_variance)

    def median_odds_ratio(self, group: str) -> float:
        """Median odds ratio between two random levels of a group, from its intercept's variance (Larsen & Merlo 2005,
        doi 10.1093/aje/kwi017); a median hazard ratio with the cloglog link."""
        for block in self.variances:
            if block.group == group and "(Intercept)" in block.names:
                return median_odds_ratio(float(block.sd[block.names.index("(Intercept)")]) ** 2)
        raise UsageError(f"The model has no random intercept by {group!r}.")

    def r2(self) -> dict[str, float]:
        """Marginal and conditional R2 on the latent scale (Nakagawa, Johnson & Schielzeth 2017, doi
        10.1098/rsif.2017.0213)."""
        x_cov = self._needs_state().problem.coordinates.x_cov
        fixed = float(self.beta @ x_cov @ self.beta)
        random = sum(self._mean_variances().values())
        total = fixed + random + LINKS[self.link].latent_variance
        return {"marginal": fixed / total, "conditional": (fixed + random) / total}

    def sd_conf_int(self, alpha: float = 0.05) -> pl.DataFrame:
        """Wald intervals of the standard deviations on the log scale: group, name, sd, lower, upper.

        Limits are missing for components estimated as zero; a parametric bootstrap serves there.
        """
        state = self._needs_state()
        psi = state.psi
        sd = state.random_sd(psi)
        jacobian = np.zeros((sd.size, psi.size))
        for j in range(state.problem.model.p, psi.size):
            step = np.zeros(psi.size)
            step[j] = 1e-5 * max(abs(psi[j]), 1e-3)
            jacobian[:, j] = (state.random_sd(psi + step) - state.random_sd(psi - step)) / (2 * step[j])
        error = np.sqrt(np.einsum("ij,jk,ik->i", jacobian, state.covariance, jacobian))
        half = stats.norm.ppf(1 - alpha / 2) * np.divide(error, sd, out=np.full_like(sd, np.nan), where=sd > 1e-3)
        factors = state.problem.model.blocks.factors
        effects = state.problem.coordinates.effects
        labels = [(f.name, name) for f, names in zip(factors, effects, strict=True) for name in names]
        return pl.DataFrame(
            {
                "group": [group for group, _ in labels],
                "name": [name for _, name in labels],
                "sd": sd,
                "lower": sd * np.exp(-half),
                "upper": sd * np.exp(half),
            }
        ).with_columns(pl.col("lower", "upper").fill_nan(None))

    def predict(self, data: object, kind: str = "marginal", alpha: float = 0.05) -> pl.DataFrame:
        """Predicted probabilities with intervals; see `outcomes.mixed.predict_binomial.predict_binomial`."""
        from outcomes.mixed.predict_binomial import predict_binomial

        return predict_binomial(self, data, kind, alpha)

    def _mean_variances(self) -> dict[str, float]:
        """Mean variance over the rows that each group contributes on the link's scale."""
        coordinates = self._needs_state().problem.coordinates
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

    def _needs_state(self) -> BinomialState:
        """The engine's state, or a refusal in words."""
        if self.state is None:
            raise UsageError(f"The engine {self.engine!r} does not give this.", "fit with engine='outcomes'")
        return self.state
