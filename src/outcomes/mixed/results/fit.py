"""Frozen results with one set of verbs for the linear and the binomial model."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import scipy

from outcomes.errors import no_such
from outcomes.mixed.design.coding import Design
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.modes import ConditionalModes, VarianceBlock
from outcomes.mixed.results.spellings import VERBS
from outcomes.mixed.results.status import FitStatus
from outcomes.mixed.results.summary import as_html, as_text


@dataclass(frozen=True, repr=False)
class MixedFit:
    """A fitted mixed model.

    Parameters
    ----------
    formula : str
    names : tuple of str, length p
        Fixed effects that were estimated.
    beta : ndarray, shape (p,)
    vcov : ndarray, shape (p, p)
        Covariance of `beta`.
    variances : tuple of VarianceBlock
    theta : ndarray, shape (m,)
        The covariance parameters in the engine's own scale.
    criterion : float
        What was minimised: the REML criterion, or minus twice the log-likelihood.
    llf : float
        Log-likelihood (restricted when fitted by REML).
    n_parameters : int
        Fixed effects, covariance parameters and, in the linear model, sigma.
    nobs, n_missing : int
        Rows used, and rows left out because a column of the model is missing.
    n_groups : dict of str to int
        Levels of each grouping factor.
    dropped_columns : tuple of str
        Fixed-effect columns that were linear combinations of the others.
    status : FitStatus
    messages : tuple of str
        What a reader must know, in plain sentences (which component is singular, which column was dropped).
    optimizer : OptSummary or None
    timings : dict of str to float
        Seconds by stage.
    engine : str
    conditional : ConditionalModes

    Notes
    -----
    Nothing here changes once made; what takes time (degrees of freedom) is computed when first asked for and kept. A
    fit can be pickled; the data stay behind, which only matters for predictions by a categorical predictor.
    """

    formula: str
    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    variances: tuple[VarianceBlock, ...]
    theta: np.ndarray
    criterion: float
    llf: float
    n_parameters: int
    nobs: int
    n_missing: int
    n_groups: dict[str, int]
    dropped_columns: tuple[str, ...]
    status: FitStatus
    messages: tuple[str, ...]
    optimizer: OptSummary | None
    timings: dict[str, float]
    engine: str
    conditional: ConditionalModes = field(repr=False)

    statistic_name = "z"
    model_name = "Mixed model"

    @property
    def design(self) -> Design | None:
        """The formula's columns over the data; None where an engine keeps none."""
        return None

    @property
    def likelihood(self) -> dict[str, object]:
        """What two fits must have in common for their likelihoods to be compared, by its name in words."""
        return {"kind of model": self.model_name}

    @property
    def outcome_sums(self) -> tuple[float, ...] | None:
        """Sums over the outcome that tell one data set from another; None where none are kept."""
        return None

    @property
    def own_rows(self) -> tuple[str, list[str], list[list[str]]] | None:
        """A table of further parameters for the summary: title, header, rows; None without any."""
        return None

    @property
    def params(self) -> pd.Series:
        """Fixed effects by name."""
        return pd.Series(self.beta, index=list(self.names), name="estimate")

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the fixed effects."""
        return pd.Series(np.sqrt(np.diag(self.vcov)), index=list(self.names), name="std_error")

    @property
    def tvalues(self) -> pd.Series:
        """Estimates divided by their standard errors (statsmodels' name, for z as well)."""
        return (self.params / self.bse).rename(self.statistic_name)

    @cached_property
    def df_denom(self) -> pd.Series:
        """Denominator degrees of freedom of each fixed effect; infinite where normal theory is used."""
        return pd.Series(np.inf, index=list(self.names), name="df_denom")

    def ddf(self, L: np.ndarray) -> float:
        """Denominator degrees of freedom of the joint test of L @ beta, L of shape (q, p); infinite here."""
        return np.inf

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values from t with `df_denom` degrees of freedom; NaN where the fit did not converge."""
        values = 2 * scipy.stats.t.sf(np.abs(self.tvalues), self.df_denom)
        values = np.full_like(values, np.nan) if self.status is FitStatus.NOT_CONVERGED else values
        return pd.Series(values, index=list(self.names), name="p_value")

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Wald intervals of the fixed effects in statsmodels' words: `alpha`, columns 0 (lower) and 1 (upper)."""
        half = scipy.stats.t.ppf(1 - alpha / 2, self.df_denom) * self.bse
        return pd.DataFrame({0: self.params - half, 1: self.params + half})

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the fixed effects, shape (p, p)."""
        return pd.DataFrame(self.vcov, index=list(self.names), columns=list(self.names))

    @property
    def aic(self) -> float:
        """Akaike's criterion, counted as lme4 counts."""
        return -2 * self.llf + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """Bayesian criterion with log(nobs), as lme4 has it."""
        return -2 * self.llf + np.log(self.nobs) * self.n_parameters

    @property
    def random_effects_sd(self) -> pl.DataFrame:
        """Standard deviations and correlations: group, name, sd, and corr with the block's first effects (text)."""
        rows = [
            {
                "group": block.group,
                "name": name,
                "sd": float(block.sd[i]),
                "corr": [float(c) for c in block.corr[i, :i]],
            }
            for block in self.variances
            for i, name in enumerate(block.names)
        ]
        schema = {"group": pl.String, "name": pl.String, "sd": pl.Float64, "corr": pl.List(pl.Float64)}
        return pl.DataFrame(rows, schema=schema)

    def random_effects(self, group: str) -> pl.DataFrame:
        """Conditional modes of a grouping factor.

        Parameters
        ----------
        group : str
            One of `n_groups`.

        Returns
        -------
        polars.DataFrame
            A column named as the group with its levels; for each random effect its mode under the effect's name, and
            its conditional standard deviation under ``std_error <name>``.

        Raises
        ------
        UsageError
            When the model has no such grouping factor.
        """
        if group not in self.n_groups:
            raise no_such("grouping factor of the model", group, self.n_groups)
        modes = self.conditional.modes(group)
        sd = np.sqrt(np.maximum(np.diagonal(modes.cond_cov, axis1=1, axis2=2), 0.0))
        frame = {group: modes.labels}
        for i, name in enumerate(modes.names):
            frame |= {name: modes.mode[:, i], f"std_error {name}": sd[:, i]}
        return pl.DataFrame(frame)

    def tidy(self, level: float = 0.95) -> pl.DataFrame:
        """One row per fixed effect: term, estimate, std_error, statistic, df_denom, p_value (missing where the fit did
        not converge), conf_low, conf_high and status."""
        interval = self.conf_int(1 - level)
        return pl.DataFrame(
            {
                "term": list(self.names),
                "estimate": self.beta,
                "std_error": self.bse.to_numpy(),
                "statistic": self.tvalues.to_numpy(),
                "df_denom": self.df_denom.to_numpy(),
                "p_value": self.pvalues.to_numpy(),
                "conf_low": interval[0].to_numpy(),
                "conf_high": interval[1].to_numpy(),
                "status": [str(self.status)] * len(self.names),
            }
        ).with_columns(pl.col("p_value").fill_nan(None))

    summary = as_text
    __str__ = as_text
    __repr__ = as_text
    _repr_html_ = as_html

    def __getattr__(self, name: str) -> Any:
        """Answer what other packages call a verb with what it is called here."""
        hint = f"; here it is fit.{VERBS[name]}" if name in VERBS else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}.")
