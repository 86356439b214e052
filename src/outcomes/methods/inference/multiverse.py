"""Joint inference over many specifications of one question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import FitRefused, UsageError

MIN_CLIENTS = 20
"""Our floor: the flips are exact only for scores without estimated nuisance terms, else for many clients."""

FLIPS_A_BLOCK = 250
"""Sign patterns held in memory at once."""


@dataclass(frozen=True)
class JointInference:
    """What all specifications say together.

    Attributes
    ----------
    statistic : ndarray, shape (n_specs,)
        Standardised statistic of each specification.
    p_value : ndarray, shape (n_specs,)
        Two-sided p of each alone.
    p_adjusted : ndarray, shape (n_specs,)
        Step-down max-T: chance of one or more false claims over all specifications is controlled.
    p_global : float
        Against "no effect in any specification" (smallest adjusted p).
    n_resamples : int
        The smallest possible p is 1 / (n_resamples + 1).
    """

    statistic: np.ndarray
    p_value: np.ndarray
    p_adjusted: np.ndarray
    p_global: float
    n_resamples: int


def max_t_inference(observed: ArrayLike, resampled: ArrayLike) -> JointInference:
    """Turn observed and resampled statistics into joint p-values.

    p = (1 + #{resampled >= observed}) / (B + 1) (Phipson & Smyth 2010, doi 10.2202/1544-6115.1585); step-down max-T
    (Westfall & Young 1993; Ge, Dudoit & Speed 2003, doi 10.1007/BF02595811).

    Parameters
    ----------
    observed : array_like, shape (n_specs,)
        Statistics on one scale (t or z), so that their maximum is fair.
    resampled : array_like, shape (n_resamples, n_specs)
        Under the null; each row one resample that is shared by all specifications.
    """
    statistic = np.atleast_1d(np.asarray(observed, dtype=float))
    observed, resampled = np.abs(statistic), np.abs(np.asarray(resampled, dtype=float))
    if resampled.ndim != 2 or resampled.shape[1] != observed.size or resampled.shape[0] == 0:
        raise UsageError(f"{observed.size} specifications need resamples of shape (B, {observed.size}), B > 0.")
    if not (np.isfinite(observed).all() and np.isfinite(resampled).all()):
        raise UsageError("A statistic is missing.", hint="leave specifications that were refused out of the joint test")
    n = resampled.shape[0]
    # Rounding must not decide a tie between a resample and the same arrangement of the data.
    floor = observed * (1 - 1e-12)
    p_value = (1 + (resampled >= floor).sum(axis=0)) / (n + 1)
    order = np.argsort(-observed)
    largest = np.maximum.accumulate(resampled[:, order[::-1]], axis=1)[:, ::-1]
    stepped = np.maximum.accumulate((1 + (largest >= floor[order]).sum(axis=0)) / (n + 1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return JointInference(statistic, p_value, adjusted, float(adjusted.min()), int(n))


def sign_flip_inference(scores: ArrayLike, rng: np.random.Generator, n_flips: int = 5_000) -> JointInference:
    """Test all specifications by flipping the signs of clients' score contributions.

    T_s = sum_i f_i v_is / sqrt(sum_i v_is^2) with the same signs f for all specifications (Hemerik, Goeman & Finos
    2020, doi 10.1111/rssb.12369; PIMA: Girardi et al. 2024, doi 10.1007/s11336-024-09973-6). A client's sessions are
    summed to one contribution first, so dependence within clients does not matter.

    Parameters
    ----------
    scores : array_like, shape (n_clients, n_specs)
        Effective score contributions for the tested coefficient, nuisance terms projected out; 0 for a client whom a
        specification excludes.
    rng : numpy.random.Generator
    n_flips : int

    Raises
    ------
    FitRefused
        If there are fewer than 20 clients or a specification has no contribution.
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise UsageError("Scores must be a finite array of clients by specifications.")
    if scores.shape[0] < MIN_CLIENTS:
        raise FitRefused(f"{scores.shape[0]} clients are too few to flip signs; {MIN_CLIENTS} are needed.")
    norm = np.sqrt(np.sum(scores**2, axis=0))
    if (norm == 0).any():
        raise FitRefused(f"{int((norm == 0).sum())} specifications have no score contribution at all.")
    standardised = scores / norm
    flipped = np.empty((n_flips, scores.shape[1]))
    # In blocks: all signs at once would take n_flips x n_clients numbers.
    for start in range(0, n_flips, FLIPS_A_BLOCK):
        block = flipped[start : start + FLIPS_A_BLOCK]
        block[:] = rng.choice([-1.0, 1.0], size=(block.shape[0], scores.shape[0])) @ standardised
    return max_t_inference(standardised.sum(axis=0), flipped)


def permute_within(clients: ArrayLike, rng: np.random.Generator) -> np.ndarray:
    """Row order that shuffles rows within each client and moves none between clients.

    Apply it to the predictor (`d[permute_within(client, rng)]`) for the null of no effect within clients, sessions
    being exchangeable; detrend first where they are not. With therapists as groups and one row per client it permutes
    clients within therapist.

    Parameters
    ----------
    clients : array_like, shape (n,)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (n,)
    """
    codes = np.unique(np.asarray(clients), return_inverse=True)[1]
    order = np.empty(codes.size, dtype=int)
    order[np.argsort(codes, kind="stable")] = np.lexsort((rng.random(codes.size), codes))
    return order
