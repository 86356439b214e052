"""A hazard of one ending with what a bootstrap over therapists needs of it: scores and information by therapist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.special import expit

from outcomes.errors import FitRefused
from outcomes.mixed import FitStatus, fit_cluster_robust
from outcomes.models.refusals import few_events, refuse

_STEPS, _TOLERANCE = 25, 1e-8  # Newton steps from the unweighted fit; largest change of a coefficient


@dataclass(frozen=True)
class Hazard:
    """A logit hazard, marginal over therapists, and its bootstrap.

    Attributes
    ----------
    names : tuple of str, length p
    beta : ndarray, shape (p,)
    draws : ndarray, shape (draws, p)
        One Newton step from `beta` on each draw of therapists.
    first, last : int
        Sessions with such endings; outside them the hazard is 0.
    """

    names: tuple[str, ...]
    beta: np.ndarray
    draws: np.ndarray
    first: int
    last: int

    def logits(self, betas: np.ndarray, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """What these columns, all of shape s, add to the logit at each beta, shape (betas, *s); others count as 0."""
        none = np.zeros_like(next(iter(columns.values())))
        return np.tensordot(betas, np.stack([columns.get(name, none) for name in self.names]), 1)

    def is_possible(self, sessions: np.ndarray) -> np.ndarray:
        """Whether this ending can come after each of the sessions."""
        return (sessions >= self.first) & (sessions <= self.last)


def fit_hazard(rows: pl.DataFrame, terms: tuple[str, ...], drawn: np.ndarray, about: str) -> Hazard:
    """Fit the hazard of `y` on the terms, and once more on each draw of therapists by one Newton step.

    Parameters
    ----------
    rows : pl.DataFrame
        y (0 or 1), weight, attended_number, therapist (0, 1, ...: column of `drawn`), therapist_id and the terms.
    terms : tuple of str
    drawn : ndarray, shape (draws, therapists)
        How often each therapist is in each draw.
    about : str
        What a refusal calls the events.

    Notes
    -----
    With s_j and H_j score and information of therapist j at the estimate, the draw with frequencies n_j gives
    beta + (sum n_j H_j)^-1 sum n_j s_j. It needs one pass over the sessions, however many draws there are.

    Raises
    ------
    FitRefused
        Too few events for the terms, separation, or no convergence.
    """
    events = rows.filter(pl.col("y") == 1)
    refuse(few_events(events.height, rows.height, len(terms) + 1, about))
    start = fit_cluster_robust(f"y ~ {' + '.join(terms)}", rows, "therapist_id")
    if start.status is not FitStatus.CONVERGED:
        raise FitRefused(f"The hazard of {about} did not converge.")
    names = start.names
    X = np.column_stack([np.ones(rows.height) if name == "(Intercept)" else rows[name].to_numpy() for name in names])
    y, weight, therapist = (rows[name].to_numpy() for name in ("y", "weight", "therapist"))
    beta = start.beta
    for _ in range(_STEPS):
        score, information = _by_therapist(X, y, weight, therapist, drawn.shape[1], beta)
        step = np.linalg.solve(information.sum(axis=0), score.sum(axis=0))
        beta = beta + step
        if np.abs(step).max() < _TOLERANCE:
            break
    else:
        raise FitRefused(f"The hazard of {about} did not converge.")
    n_terms = len(names)
    of_draws = (drawn @ information.reshape(len(information), -1)).reshape(-1, n_terms, n_terms)
    moved = np.linalg.solve(of_draws, (drawn @ score)[:, :, None])[:, :, 0]
    first, last = events["attended_number"].min(), events["attended_number"].max()
    return Hazard(names, beta, beta + moved, int(first), int(last))


def _by_therapist(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray, therapist: np.ndarray, n_therapists: int, beta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Score (J, p) and information (J, p, p) of each therapist; rows are sorted by therapist."""
    probability = expit(X @ beta)
    residual, curvature = weight * (y - probability), weight * probability * (1 - probability)
    ends = np.searchsorted(therapist, np.arange(n_therapists + 1))
    score, information = np.zeros((n_therapists, X.shape[1])), np.zeros((n_therapists, X.shape[1], X.shape[1]))
    for j, (start, end) in enumerate(pairwise(ends)):
        own = X[start:end]
        score[j] = residual[start:end] @ own
        information[j] = (curvature[start:end, None] * own).T @ own
    return score, information
