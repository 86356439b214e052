"""The dynamic model's frozen result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl
import scipy

from outcomes.errors import UsageError
from outcomes.mixed.dynamic.likelihood import evaluate
from outcomes.mixed.dynamic.problem import DynamicProblem
from outcomes.mixed.dynamic.profiles import profile_limits
from outcomes.mixed.dynamic.robust import Scores, robust_covariance, sum_scores
from outcomes.mixed.dynamic.spread import normal_quantile, spread
from outcomes.mixed.dynamic.summary import as_text
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.modes import VarianceBlock
from outcomes.mixed.results.status import FitStatus

CARRY_OVER_OF_GUIDANCE = "carry-over of guidance"
RESPONSIVENESS = "responsiveness"
NEXT_SESSION_SLOPE = "next-session slope"
CARRY_OVER_OF_SATISFACTION = "carry-over of satisfaction"
FIRST_SESSION_LINK = "first-session link"

DYNAMIC_NAMES = (
    CARRY_OVER_OF_GUIDANCE,
    RESPONSIVENESS,
    NEXT_SESSION_SLOPE,
    CARRY_OVER_OF_SATISFACTION,
    FIRST_SESSION_LINK,
)
"""a, b, c, phi and kappa in field terms, in the order of the parameters."""


class Part(StrEnum):
    """Where a coefficient belongs."""

    SATISFACTION = "satisfaction"
    GUIDANCE = "guidance"
    DYNAMICS = "dynamics"


_LET_GO = "The rows are not with this fit (it was made of parts, or let them go)"


@dataclass(frozen=True)
class Conversion:
    """From the engine's (psi, theta) to the data's units.

    Parameters
    ----------
    linear, shift : ndarray, shapes (m, m) and (m,)
        Parameters in the data's units are `linear` @ (psi, theta) + `shift`.
    engine_cov : ndarray, shape (m, m)
        Inverse of the observed information of (psi, theta).
    """

    linear: np.ndarray
    shift: np.ndarray
    engine_cov: np.ndarray


@dataclass(frozen=True)
class DynamicFit:
    """A fitted dynamic model; look at `status` before the estimates.

    Parameters
    ----------
    formula, guidance_formula : str
        The two equations as asked for.
    names, parts : tuple of str and of Part, length k
        Coefficients: those of satisfaction's equation under their formula's names, those of guidance's equation with
        ``guidance: `` before, and `DYNAMIC_NAMES`.
    beta, vcov : ndarray, shapes (k,) and (k, k)
        In the data's units; the covariance is NaN when the fit did not converge.
    parameters, parameter_cov : ndarray, shapes (m,) and (m, m)
        The same, followed by the log standard deviations (first session's guidance and satisfaction, later sessions')
        and the lower triangular factors of Sigma and T.
    variances : tuple of VarianceBlock
        Covariances of the clients' and the therapists' intercepts of guidance and satisfaction.
    llf : float
        Log-likelihood, all constants included.
    n_parameters, nobs : int
        `nobs` counts values: guidance and satisfaction of each session.
    n_sessions, n_rated, n_missing : int
        Sessions with guidance, those with satisfaction too, and rows left out (they count for the passing of time).
    n_groups : dict of str to int
    guidance, satisfaction : str
        The outcomes.
    status : FitStatus
    messages : tuple of str
    optimizer : OptSummary
        In the engine's units.
    timings : dict of str to float
        Seconds by stage.
    covariance_kind : str
        "hessian" or "robust".
    problem, scores
        The rows as the engine has them. A fit in parts has none, but the sums that `robust` needs; one that let its
        rows go has neither.
    """

    formula: str
    guidance_formula: str
    names: tuple[str, ...]
    parts: tuple[Part, ...]
    beta: np.ndarray
    vcov: np.ndarray
    parameters: np.ndarray
    parameter_cov: np.ndarray = field(repr=False)
    variances: tuple[VarianceBlock, ...]
    llf: float
    n_parameters: int
    nobs: int
    n_sessions: int
    n_rated: int
    n_missing: int
    n_groups: dict[str, int]
    guidance: str
    satisfaction: str
    status: FitStatus
    messages: tuple[str, ...]
    optimizer: OptSummary = field(repr=False)
    timings: dict[str, float] = field(repr=False)
    problem: DynamicProblem | None = field(repr=False)
    conversion: Conversion = field(repr=False)
    scores: Scores | None = field(default=None, repr=False)
    covariance_kind: str = "hessian"

    reml = False
    engine = "outcomes"
    design = None
    outcome_sums = None

    @property
    def likelihood(self) -> dict[str, object]:
        """What two fits must have in common for their likelihoods to be compared."""
        return {"kind of model": "dynamic", "guidance": self.guidance, "sessions": self.n_sessions}

    @property
    def params(self) -> pd.Series:
        """Coefficients by name."""
        return pd.Series(self.beta, index=list(self.names), name="estimate")

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the coefficients."""
        return pd.Series(np.sqrt(np.diag(self.vcov)), index=list(self.names), name="std_error")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values by normal theory."""
        values = 2 * scipy.stats.norm.sf(np.abs(self.beta / self.bse.to_numpy()))
        return pd.Series(values, index=list(self.names), name="p_value")

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return -2 * self.llf + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """Bayesian criterion with the logarithm of the number of sessions."""
        return -2 * self.llf + np.log(self.n_sessions) * self.n_parameters

    def ddf(self, L: np.ndarray) -> float:
        """Denominator degrees of freedom of L @ beta = 0: infinite, normal theory is used."""
        return np.inf

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients, shape (k, k)."""
        return pd.DataFrame(self.vcov, index=list(self.names), columns=list(self.names))

    def confint(
        self, level: float = 0.95, method: Literal["wald", "profile"] = "wald", terms: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Intervals of the coefficients: term, conf_low, conf_high.

        Parameters
        ----------
        level : float
        method : {"wald", "profile"}
            Profile intervals refit all else at each value (some 50 evaluations a coefficient); a limit that is not
            found is missing. They do not know of `robust`.
        terms : sequence of str, optional
            Some of `names`; default: all.

        Raises
        ------
        UsageError
            Unknown terms; profile intervals of a fit that did not converge, or of one in parts.
        """
        z = normal_quantile(level)
        asked = list(self.names if terms is None else terms)
        places = [self._place(name) for name in asked]
        errors = self.bse.to_numpy()
        if method == "wald":
            limits = [(self.beta[i] - z * errors[i], self.beta[i] + z * errors[i]) for i in places]
        elif self.status is FitStatus.NOT_CONVERGED:
            raise UsageError("The fit did not converge, so it has no profile intervals.")
        elif self.problem is None:
            raise UsageError(f"{_LET_GO}, and profiles fit them again.", "ask for Wald's intervals, or fit again here")
        else:
            convert = self.conversion
            limits = [
                profile_limits(
                    self.problem, self.optimizer, convert.linear[i], convert.shift[i], self.beta[i], errors[i], z
                )
                for i in places
            ]
        low, high = zip(*limits, strict=True)
        return pl.DataFrame({"term": asked, "conf_low": low, "conf_high": high}).with_columns(
            pl.col("conf_low", "conf_high").fill_nan(None)
        )

    def tidy(self, level: float = 0.95) -> pl.DataFrame:
        """One row a coefficient: part, term, estimate, std_error, statistic, p_value, conf_low, conf_high, status."""
        return pl.DataFrame({"part": [str(part) for part in self.parts], "term": list(self.names)}).hstack(
            _inference(self.beta, self.bse.to_numpy(), level).with_columns(status=pl.lit(str(self.status)))
        )

    def spread(self, level: float = 0.95) -> pl.DataFrame:
        """Standard deviations and correlations, with intervals; see `outcomes.mixed.dynamic.spread.spread`."""
        return spread(self, level)

    def derived(self, slope: str | Mapping[str, float] | None = None, level: float = 0.95) -> pl.DataFrame:
        """What one unit more guidance than usual in a session goes with, by the delta method.

        Parameters
        ----------
        slope : str or mapping of name to weight, optional
            The same-session slope as a combination of satisfaction's coefficients; default: the term that is guidance
            itself. For a square at guidance g: ``{"d": 1, "I(d**2)": 2 * g}``.
        level : float

        Returns
        -------
        polars.DataFrame
            term, estimate, std_error, statistic, p_value, conf_low, conf_high. "same session" is the slope;
            "next session, direct" is c (the next session's guidance held); "next session, all paths" is c + a slope.

        Raises
        ------
        UsageError
            When there is no such term.
        """
        weights = self._weights(slope)
        c, a = (self.names.index(name) for name in (NEXT_SESSION_SLOPE, CARRY_OVER_OF_GUIDANCE))
        same = float(weights @ self.beta)
        direct = np.eye(len(self.names))[c]
        total = direct + self.beta[a] * weights + same * np.eye(len(self.names))[a]
        gradients = np.stack([weights, direct, total])
        estimates = np.array([same, self.beta[c], self.beta[c] + self.beta[a] * same])
        errors = np.sqrt(np.einsum("ij,jk,ik->i", gradients, self.vcov, gradients))
        terms = ["same session", "next session, direct", "next session, all paths"]
        return pl.DataFrame({"term": terms}).hstack(_inference(estimates, errors, level))

    def robust(self) -> DynamicFit:
        """The same fit with covariances that hold when clients of one therapist are alike in ways the model lacks.

        Raises
        ------
        UsageError
            When the fit did not converge.
        FitRefused
            With fewer than 10 therapists (clients, in a model without therapists).
        """
        if self.status is FitStatus.NOT_CONVERGED:
            raise UsageError("The fit did not converge, so it has no standard errors.")
        if self.scores is None and self.problem is None:
            raise UsageError(f"{_LET_GO}, and robust errors need them.", "fit again")
        scores = self.scores or sum_scores(self.problem, evaluate(self.problem, self.optimizer.final))
        cov = robust_covariance(scores, self.conversion.engine_cov)
        cov = self.conversion.linear @ cov @ self.conversion.linear.T
        k = len(self.names)
        return replace(self, vcov=cov[:k, :k], parameter_cov=cov, covariance_kind="robust")

    def summary(self) -> str:
        """The fit as aligned text."""
        return as_text(self)

    def _weights(self, slope: str | Mapping[str, float] | None) -> np.ndarray:
        """Weights of the coefficients that make the same-session slope."""
        asked = self.guidance if slope is None else slope
        weights = np.zeros(len(self.names))
        for name, weight in ({asked: 1.0} if isinstance(asked, str) else asked).items():
            weights[self._place(name)] = weight
        return weights

    def _place(self, name: str) -> int:
        """Place of a coefficient."""
        if name not in self.names:
            raise UsageError(f"The model has no coefficient {name!r}.", "it has " + ", ".join(self.names))
        return self.names.index(name)


def _inference(estimates: np.ndarray, errors: np.ndarray, level: float) -> pl.DataFrame:
    """The columns of inference by normal theory; missing where there is no standard error."""
    half = normal_quantile(level) * errors
    return pl.DataFrame(
        {
            "estimate": estimates,
            "std_error": errors,
            "statistic": estimates / errors,
            "p_value": 2 * scipy.stats.norm.sf(np.abs(estimates / errors)),
            "conf_low": estimates - half,
            "conf_high": estimates + half,
        }
    ).with_columns(pl.all().fill_nan(None))
