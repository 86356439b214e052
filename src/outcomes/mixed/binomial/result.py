"""The frozen result of a binomial mixed model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from outcomes.errors import UsageError, no_such
from outcomes.links import Link, Ratio
from outcomes.methods.therapists.therapist_effects import latent_variance_share, median_odds_ratio
from outcomes.mixed.generalised.result import GeneralisedFit


@dataclass(frozen=True, repr=False)
class BinomialFit(GeneralisedFit):
    """A fitted binomial mixed model.

    Parameters
    ----------
    link : Link
    trials : str or None
        Column with the number of trials.

    Notes
    -----
    The latent residual variance is pi^2/3 (logit), pi^2/6 (cloglog) or 1 (probit).
    """

    link: Link
    trials: str | None

    model_name = "Binomial mixed model"

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

    def mean_of(self, eta: np.ndarray) -> np.ndarray:
        """Probability at a linear predictor."""
        return self.link.inverse(eta)

    def link_of(self, mean: np.ndarray) -> np.ndarray:
        """Linear predictor of a probability."""
        return self.link.link_of(mean)

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

    def _ratio(self) -> Ratio:
        """What exp(effect) is, or a refusal in words."""
        if self.link.ratio is None:
            raise UsageError(f"The link {self.link} has no ratios.", "compare predicted probabilities")
        return self.link.ratio
