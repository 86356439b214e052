"""Effects between clients and therapists: contextual effects, and the correction for unreliable means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError
from outcomes.methods.inference.contrasts import Estimate, WaldTest, linear_estimate, wald_test


@dataclass(frozen=True)
class ContextualEffects:
    """How much the slopes between differ from the slope within.

    Attributes
    ----------
    client : Estimate
        bC - bW: a client who usually gets one point more guidance, beyond the session's own point.
    therapist : Estimate
        bT - bW.
    joint : WaldTest
        bC = bW and bT = bW: one slope at all three levels.
    """

    client: Estimate
    therapist: Estimate
    joint: WaldTest


@dataclass(frozen=True)
class CorrectedBetween:
    """A slope between clients before and after correction for the unreliability of client means.

    Attributes
    ----------
    mean_reliability : float
        Mean lambda over clients, (0, 1]; print it beside the slope.
    uncorrected : Estimate
        bB as fitted.
    corrected : Estimate
        bB* = bW + (bB - bW) / mean lambda. Its interval takes lambda as known, so it is somewhat too narrow.
    """

    mean_reliability: float
    uncorrected: Estimate
    corrected: Estimate


def contextual_effects(
    beta: ArrayLike, covariance: ArrayLike, level: float = 0.95, df: float = np.inf
) -> ContextualEffects:
    """Compare the slopes within client, between clients and between therapists.

    Curran & Bauer 2011, doi 10.1146/annurev.psych.093008.100356; Hoffman & Stawski 2009, doi 10.1080/15427600902911189.

    Parameters
    ----------
    beta : array_like, shape (3,)
        (bW, bC, bT): coefficients of d - client mean, client mean - therapist mean, therapist mean - grand mean.
    covariance : array_like, shape (3, 3)
        Of these three, from one model that holds them all.
    level : float
    df : float
        Also the denominator df of the joint test.
    """
    return ContextualEffects(
        client=linear_estimate([-1, 1, 0], beta, covariance, level, df),
        therapist=linear_estimate([-1, 0, 1], beta, covariance, level, df),
        joint=wald_test([[-1, 1, 0], [-1, 0, 1]], beta, covariance, df_den=df),
    )


def mean_reliabilities(between_variance: float, within_variance: float, n_sessions: ArrayLike) -> np.ndarray:
    """Reliability of each client's mean, lambda_i = tau^2 / (tau^2 + sigma^2 / n_i).

    Raudenbush & Bryk 2002, equation 3.42; Ludtke et al. 2008, doi 10.1037/a0012869.

    Parameters
    ----------
    between_variance, within_variance : float
        tau^2 and sigma^2 of *directiveness* (the predictor), squared scale units.
    n_sessions : array_like, shape (n_clients,)
        Sessions behind each mean, at least 1.

    Raises
    ------
    UsageError
        If a variance is negative, both are zero, or a client has no session.
    """
    n_sessions = np.asarray(n_sessions, dtype=float)
    if between_variance < 0 or within_variance < 0 or between_variance + within_variance == 0:
        raise UsageError("Reliability needs variances that are not negative and not both zero.")
    if n_sessions.size == 0 or (n_sessions < 1).any():
        raise UsageError("Every client needs at least one session.", hint="leave clients without sessions out")
    return between_variance / (between_variance + within_variance / n_sessions)


def corrected_between(
    beta: ArrayLike, covariance: ArrayLike, reliabilities: ArrayLike, level: float = 0.95, df: float = np.inf
) -> CorrectedBetween:
    """Correct a slope between clients: bB* = bW + (bB - bW) / mean(lambda) (Ludtke et al. 2008, doi 10.1037/a0012869).

    Parameters
    ----------
    beta : array_like, shape (2,)
        (bW, bB).
    covariance : array_like, shape (2, 2)
    reliabilities : array_like, shape (n_clients,)
        lambda_i, each in (0, 1].

    Raises
    ------
    UsageError
        If a reliability is not in (0, 1]: with no variance between clients there is nothing to correct.
    """
    reliabilities = np.asarray(reliabilities, dtype=float)
    if reliabilities.size == 0 or not ((reliabilities > 0) & (reliabilities <= 1)).all():
        raise UsageError("Reliabilities must lie in (0, 1].", hint="report the slope within clients only")
    mean = float(reliabilities.mean())
    return CorrectedBetween(
        mean_reliability=mean,
        uncorrected=linear_estimate([0, 1], beta, covariance, level, df),
        corrected=linear_estimate([1 - 1 / mean, 1 / mean], beta, covariance, level, df),
    )
