"""Life tables in discrete time: who was at risk at each session, and who ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.errors import UsageError


@dataclass(frozen=True)
class LifeTable:
    """Counts and hazards by session, sessions 1..T.

    Attributes
    ----------
    session : ndarray of int, shape (T,)
    n_at_risk : ndarray of int, shape (T,)
    n_events : ndarray of int, shape (n_causes, T)
    hazards : ndarray, shape (n_causes, T)
        n_events / n_at_risk.
    survival : ndarray, shape (T,)
        Share (0-1) without any event after session t.
    survival_std_error : ndarray, shape (T,)
        Greenwood's.
    """

    session: np.ndarray
    n_at_risk: np.ndarray
    n_events: np.ndarray
    hazards: np.ndarray
    survival: np.ndarray
    survival_std_error: np.ndarray


def life_table(last_session: ArrayLike, cause: ArrayLike, n_causes: int = 1) -> LifeTable:
    """Tabulate endings: h_k(t) = d_k(t) / n(t), S(t) = prod (1 - h(s)) (Singer & Willett 2003, chapter 10).

    Greenwood: se S(t) = S(t) sqrt(sum_s d(s) / (n(s) (n(s) - d(s)))).

    Parameters
    ----------
    last_session : array_like of int, shape (n,)
        Session (1-based) at which the episode ended or was last seen.
    cause : array_like of int, shape (n,)
        0 censored at that session (at risk in it), else the cause 1..n_causes.
    n_causes : int

    Raises
    ------
    UsageError
        If a session is below 1 or a cause is unknown.
    """
    last = np.asarray(last_session, dtype=float)
    cause = np.asarray(cause, dtype=float)
    if last.shape != cause.shape or last.ndim != 1 or last.size == 0:
        raise UsageError(f"Sessions and causes have shapes {last.shape} and {cause.shape}; both must be (n,), n > 0.")
    wrong = ~(np.isfinite(last) & (last >= 1) & (last == np.floor(last)))
    if wrong.any():
        raise UsageError(
            f"{int(wrong.sum())} of {last.size} last sessions are missing or no whole number from 1.",
            hint="start the risk set at session 1",
        )
    if not np.isin(cause, np.arange(n_causes + 1)).all():
        raise UsageError(f"Causes must be 0 (censored) to {n_causes}.")
    last, cause = last.astype(int), cause.astype(int)
    horizon = last.max()
    sessions = np.arange(1, horizon + 1)
    ended = np.bincount(last, minlength=horizon + 1)[1:]
    at_risk = ended[::-1].cumsum()[::-1]
    events = np.stack([np.bincount(last[cause == k], minlength=horizon + 1)[1:] for k in range(1, n_causes + 1)])
    hazards = events / at_risk
    total = events.sum(axis=0)
    survival = np.cumprod(1 - total / at_risk)
    left = at_risk - total
    terms = np.divide(total, at_risk * left, out=np.zeros(horizon), where=left > 0)
    return LifeTable(sessions, at_risk, events, hazards, survival, survival * np.sqrt(np.cumsum(terms)))
