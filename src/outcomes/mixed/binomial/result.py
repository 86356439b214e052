"""The frozen result of a binomial mixed model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import polars as pl
from scipy import stats

from outcomes.errors import UsageError, no_such
from outcomes.links import Link, Ratio
from outcomes.methods.therapists.therapist_effects import latent_variance_share, median_odds_ratio
from outcomes.mixed.binomial.predict import predict_binomial
from outcomes.mixed.binomial.state import BinomialState
from outcomes.mixed.design.coding import Design
from outcomes.mixed.verbs.fitted import FittedModel


@dataclass(frozen=True, repr=False)
class BinomialFit(FittedModel):
    """A fitted binomial mixed model.

    Parameters
    ----------
    link : Link
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

    link: Link
    nagq: int
    trials: str | None
    state: BinomialState | None = field(repr=False)

    model_name = "Binomial mixed model"

    @property
    def design(self) -> Design | None:
        """The formula's columns over the data; None where another engine made the fit."""
        return None if self.state is None else self.state.problem.design

    @property
    def likelihood(self) -> dict[str, object]:
        """What two fits must have in common for their likelihoods to be compared."""
        trials = None if self.design is None else self.design.weights
        return {
            "kind of model": "binomial",
            "link": str(self.link),
            "number of quadrature nodes (nagq)": self.nagq,
            "number of trials": trials,
        }

    @property
    def outcome_sums(self) -> tuple[float, ...] | None:
        """The log binomial coefficients, which no parameter changes."""
        return None if self.state is None else (self.state.problem.constant,)

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Probability at a linear predictor."""
        return self.link.inverse(eta)

    def variance_of(self, mean: np.ndarray) -> np.ndarray:
        """Variance of a share of one trial."""
        return mean * (1 - mean)

    def draw(self, mean: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Shares of events among the trials."""
        trials = np.round(weights).astype(int)
        return rng.binomial(trials, np.clip(mean, 0.0, 1.0)) / trials

    def tidy(self, level: float = 0.95) -> pl.DataFrame:
        """One row per fixed effect, as in `MixedFit.tidy`; beside it exp(estimate), where it has a meaning (odds ratio,
        hazard ratio), with its limits."""
        frame = super().tidy(level)
        if self.link.ratio is None:
            return frame
        name = self.link.ratio.column
        return frame.with_columns(
            pl.col("estimate").exp().alias(name),
            pl.col("conf_low").exp().alias(f"{name}_conf_low"),
            pl.col("conf_high").exp().alias(f"{name}_conf_high"),
        )

    @property
    def odds_ratios(self) -> pd.Series:
        """exp(beta): odds ratios (logit) or hazard ratios (cloglog)."""
        return np.exp(self.params).rename(self._ratio().column)

    def icc(self, group: str) -> float:
        """Latent intraclass correlation: the group's variance over all variances plus the latent residual's.

        Random slopes enter by their mean variance over the rows (Johnson 2014, doi 10.1111/2041-210X.12225).
        """
        by_group = self._mean_variances()
        if group not in by_group:
            raise no_such("grouping factor of the model", group, by_group)
        others = [variance for name, variance in by_group.items() if name != group]
        return latent_variance_share(by_group[group], self.link, *others)

    def median_odds_ratio(self, group: str) -> float:
        """Median odds ratio between two random levels of a group, from its intercept's variance (Larsen & Merlo 2005,
        doi 10.1093/aje/kwi017); a median hazard ratio with the cloglog link."""
        self._ratio()
        for block in self.variances:
            if block.group == group and "(Intercept)" in block.names:
                return median_odds_ratio(float(block.sd[block.names.index("(Intercept)")]) ** 2)
        raise UsageError(f"The model has no random intercept by {group!r}.")

    def r2(self) -> dict[str, float]:
        """Marginal and conditional R2 on the latent scale (Nakagawa, Johnson & Schielzeth 2017, doi
        10.1098/rsif.2017.0213)."""
        x_cov = self.engine_state.problem.coordinates.x_cov
        fixed = float(self.beta @ x_cov @ self.beta)
        random = sum(self._mean_variances().values())
        total = fixed + random + self.link.latent_variance
        return {"marginal": fixed / total, "conditional": (fixed + random) / total}

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
        half = stats.norm.ppf((1 + level) / 2) * np.divide(error, sd, out=np.full_like(sd, np.nan), where=sd > 1e-3)
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

    predict = predict_binomial

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

    def _ratio(self) -> Ratio:
        """What exp(effect) is, or a refusal in words."""
        if self.link.ratio is None:
            raise UsageError(f"The link {self.link} has no ratios.", "compare predicted probabilities")
        return self.link.ratio

    @property
    def engine_state(self) -> BinomialState:
        """The engine's own state.

        Raises
        ------
        UsageError
            When another engine made the fit.
        """
        if self.state is None:
            raise UsageError(f"The engine {self.engine!r} does not give this.", "fit with engine='outcomes'")
        return self.state
