"""Wald tests of linear hypotheses, for both models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from outcomes.errors import UsageError, no_such
from outcomes.methods.inference import contrasts
from outcomes.mixed.inference.kenward_roger import kenward_roger_test
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.results.fit import MixedFit
from outcomes.mixed.results.status import FitStatus

Hypothesis = str | Mapping[str, float] | Sequence[str | Mapping[str, float]] | np.ndarray


@dataclass(frozen=True)
class HypothesisTest:
    """Test of L @ beta = rhs.

    Parameters
    ----------
    estimate, std_error : ndarray, shape (q,)
        L @ beta - rhs, and the standard errors of its elements.
    statistic : float
        F = (L beta - rhs)' (L V L')^-1 (L beta - rhs) / q.
    df_num, df_denom : float
        `df_denom` is infinite where normal theory is used (then q F is chi-square).
    p_value : float
        NaN where the fit did not converge.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    statistic: float
    df_num: int
    df_denom: float
    p_value: float

    def __str__(self) -> str:
        return f"F({self.df_num}, {self.df_denom:.1f}) = {self.statistic:.4g}, p = {self.p_value:.3g}"


def wald_test(
    fit: MixedFit,
    hypothesis: Hypothesis,
    rhs: float | np.ndarray = 0.0,
    *,
    ddf: Literal["default", "kenward-roger", "normal"] = "default",
) -> HypothesisTest:
    """Test any linear hypothesis about the fixed effects.

    Parameters
    ----------
    fit : MixedFit
    hypothesis : str, mapping, sequence of these, or ndarray of shape (q, p)
        A name tests that effect; ``{"x": 1, "z": -1}`` tests x = z; a sequence tests all its elements jointly.
    rhs : float or ndarray, shape (q,)
    ddf : {"default", "kenward-roger", "normal"}
        "default" is Satterthwaite for the linear model and normal theory for the binomial one.

    Raises
    ------
    UsageError
        Unknown effects, a redundant hypothesis, or Kenward-Roger where it does not exist.

    Examples
    --------
    Contextual effect: does the client's mean act differently from the session's departure?
    ``wald_test(fit, {"directiveness_client": 1, "directiveness_within": -1})``
    """
    L = hypothesis_matrix(fit.names, hypothesis)
    gap = L @ fit.beta - rhs
    if ddf == "kenward-roger":
        if not isinstance(fit, LinearFit):
            raise UsageError("Kenward-Roger exists for the linear model only.", 'use ddf="default"')
        adjusted = kenward_roger_test(fit, L, gap)
        return HypothesisTest(gap, adjusted.std_error, adjusted.statistic, len(L), adjusted.df_denom, adjusted.p_value)
    covariance = L @ fit.vcov @ L.T
    df_denom = np.inf if ddf == "normal" else fit.ddf(L)
    test = contrasts.wald_test(L, fit.beta, fit.vcov, rhs, df_denom)
    statistic = test.statistic / len(L) if np.isinf(df_denom) else test.statistic
    p_value = np.nan if fit.status is FitStatus.NOT_CONVERGED else test.p_value
    return HypothesisTest(gap, np.sqrt(np.diag(covariance)), statistic, len(L), df_denom, p_value)


def hypothesis_matrix(names: Sequence[str], hypothesis: Hypothesis) -> np.ndarray:
    """Matrix L, shape (q, p), of a hypothesis."""
    if isinstance(hypothesis, np.ndarray):
        L = np.atleast_2d(np.asarray(hypothesis, dtype=float))
        if L.shape[1] != len(names):
            raise UsageError(f"The hypothesis has {L.shape[1]} columns for {len(names)} fixed effects.")
    else:
        rows = [hypothesis] if isinstance(hypothesis, (str, Mapping)) else list(hypothesis)
        L = np.zeros((len(rows), len(names)))
        for i, row in enumerate(rows):
            for name, weight in ({row: 1.0} if isinstance(row, str) else row).items():
                if name not in names:
                    raise no_such("fixed effect of the model", name, names)
                L[i, list(names).index(name)] = weight
    if np.linalg.matrix_rank(L) < len(L):
        raise UsageError("The hypotheses repeat each other.", "leave out those that follow from the others")
    return L
